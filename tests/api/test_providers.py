"""A server that is set to know no provider: no Google, no GitHub, no other."""

from pathlib import Path

import grpc

from tests.api.inside import beside
from tests.api.requests import METHODS, fill_at, filled, provider_fields, send, values_of
from tests.people import People
from tests.refusals import refusal
from tests.security.tables import of_account, query
from tests.servers import Server
from twofactor_server.postgres import EmbeddedPostgres

MEMBERS = {method: list(provider_fields(method)) for method in METHODS}
# Of an account that has a password and no identity, these ask for no re-authentication: there is nothing to do.
NOTHING_TO_DO = ("SetPassword", "UnlinkIdentity")


def test_they_are_where_they_should_be() -> None:
    """Each first factor, each identity and each re-authentication can name both kinds of provider."""
    both = ["oidc", "github"]
    proof = [f"reauthentication.{kind}" for kind in both]
    changes = {method for method in METHODS if "reauthentication" in METHODS[method].input_type.fields_by_name}
    expected = dict.fromkeys(changes, proof) | dict.fromkeys(("StartSignIn", "CreateAccount"), both)
    expected["LinkIdentity"] = proof + both
    assert {method: members for method, members in MEMBERS.items() if members} == expected


async def test_a_provider_is_not_configured(
    people: People, server: Server, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    """ "A first factor or provider that is not configured answers PROVIDER_NOT_CONFIGURED", everywhere, and leaves
    nothing behind."""
    owner = await people.with_authenticator()
    values = values_of(owner, "", "")
    before = await of_account(postgres.url, owner.account_id)
    accounts = await query(postgres.url, "SELECT count(*) FROM accounts")
    async with beside(server, tmp_path) as without:
        for method, path in ((method, path) for method, paths in MEMBERS.items() for path in paths):
            if method in NOTHING_TO_DO:
                continue
            request = filled(method, values)
            if method == "CreateAccount":
                request.ClearField("email")
                request.ClearField("password")
            fill_at(request, path, values)
            error = await send(without.channel, method, request.SerializeToString())
            assert isinstance(error, grpc.aio.AioRpcError)
            said = refusal(error)
            assert (said.code, said.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PROVIDER_NOT_CONFIGURED"), method
            assert (said.metadata, said.fields, said.retry_after) == ({}, (), None)
    assert await of_account(postgres.url, owner.account_id) == before
    assert await query(postgres.url, "SELECT count(*) FROM accounts") == accounts
