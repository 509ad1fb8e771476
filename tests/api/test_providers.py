"""A server without configured identity providers."""

from pathlib import Path

import grpc

from tests.api.requests import fill_at, filled, provider_fields, refusal_of, values_of
from tests.support.factories import AccountFactory
from tests.support.in_process_server import second_in_process_server
from tests.support.rpc import METHODS
from tests.support.servers import Server
from tests.support.tables import of_account, query
from twofactor_server.postgres import EmbeddedPostgres

MEMBERS = {method: list(provider_fields(method)) for method in METHODS}
# These require no re-authentication of an account with a password and without identities: there is nothing to do.
NOTHING_TO_DO = ("SetPassword", "UnlinkIdentity")


def test_methods_with_provider_fields() -> None:
    """Every first factor, identity and re-authentication accepts both kinds of provider."""
    both = ["oidc", "github"]
    proof = [f"reauthentication.{kind}" for kind in both]
    changes = {method for method in METHODS if "reauthentication" in METHODS[method].input_type.fields_by_name}
    expected = dict.fromkeys(changes, proof) | dict.fromkeys(("StartSignIn", "CreateAccount"), both)
    expected["LinkIdentity"] = proof + both
    assert {method: members for method, members in MEMBERS.items() if members} == expected


async def test_unconfigured_providers_are_refused(
    factory: AccountFactory, server: Server, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    """PROVIDER_NOT_CONFIGURED by every method, which leaves nothing behind."""
    owner = await factory.account_with_authenticator()
    values = values_of(owner, "", "")
    before = await of_account(postgres.url, owner.account_id)
    accounts = await query(postgres.url, "SELECT count(*) FROM accounts")
    async with second_in_process_server(server, tmp_path) as without:
        for method, path in ((method, path) for method, paths in MEMBERS.items() for path in paths):
            if method in NOTHING_TO_DO:
                continue
            request = filled(method, values)
            if method == "CreateAccount":
                request.ClearField("email")
                request.ClearField("password")
            fill_at(request, path, values)
            refusal = await refusal_of(without.channel, method, request.SerializeToString())
            assert refusal.code == grpc.StatusCode.FAILED_PRECONDITION, method
            assert refusal.reason == "PROVIDER_NOT_CONFIGURED", method
            assert (refusal.metadata, refusal.fields, refusal.retry_after) == ({}, (), None)
    assert await of_account(postgres.url, owner.account_id) == before
    assert await query(postgres.url, "SELECT count(*) FROM accounts") == accounts
