"""What this version does not have: Google, GitHub and other providers."""

import grpc
import pytest

from tests.api.requests import METHODS, fill_at, filled, provider_fields, send, values_of
from tests.people import People, refusal
from tests.security.tables import of_account, query
from twofactor_server.postgres import EmbeddedPostgres

MEMBERS = [(method, path) for method in METHODS for path in provider_fields(method)]


def test_they_are_where_they_should_be() -> None:
    """Each first factor, each re-authentication and CreateAccount can name both kinds of provider."""
    assert len(MEMBERS) == 2 * len(("StartSignIn", "CreateAccount")) + 2 * len(
        ("StartAuthenticatorSetup", "RegenerateBackupCode", "RemoveAuthenticator")
    )


@pytest.mark.parametrize("app", [False, True], ids=["on mail", "on the app"])
async def test_a_provider_is_not_configured(
    people: People, channel: grpc.aio.Channel, postgres: EmbeddedPostgres, app: bool
) -> None:
    """ "A first factor or provider that is not configured answers PROVIDER_NOT_CONFIGURED", everywhere, and leaves
    nothing behind."""
    owner = await (people.with_authenticator() if app else people.signed_in())
    values = values_of(owner, "", "")
    before = await of_account(postgres.url, owner.account_id)
    accounts = await query(postgres.url, "SELECT count(*) FROM accounts")
    for method, path in MEMBERS:
        request = filled(method, values)
        fill_at(request, path, values)
        error = await send(channel, method, request.SerializeToString())
        assert isinstance(error, grpc.aio.AioRpcError)
        said = refusal(error)
        assert (said.code, said.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PROVIDER_NOT_CONFIGURED")
        assert (said.metadata, said.fields, said.retry_after) == ({}, (), None)
    assert await of_account(postgres.url, owner.account_id) == before
    assert await query(postgres.url, "SELECT count(*) FROM accounts") == accounts
