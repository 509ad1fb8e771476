"""Invalid tokens: unknown, another account's, another caller's, of another kind, and malformed."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

import grpc
import pytest
import pytest_asyncio
from google.protobuf.message import Message

from tests.api.requests import filled, refusal_of, values_of
from tests.support.factories import AccountFactory, Owner
from tests.support.rpc import METHODS, Rpc
from tests.support.tables import of_account, query
from twofactor_server.postgres import EmbeddedPostgres

CHALLENGE = [name for name, method in METHODS.items() if "challenge_token" in method.input_type.fields_by_name]
SESSION = [name for name, method in METHODS.items() if "session_token" in method.input_type.fields_by_name]
TOKENS = [(name, "challenge_token", "CHALLENGE_NOT_FOUND") for name in CHALLENGE]
TOKENS += [(name, "session_token", "SESSION_ENDED") for name in SESSION if name != "SignOut"]
TOKENS += [
    (name, "token", "LINK_INVALID") for name, method in METHODS.items() if "token" in method.input_type.fields_by_name
]
STATUS = {
    "CHALLENGE_NOT_FOUND": grpc.StatusCode.NOT_FOUND,
    "SESSION_ENDED": grpc.StatusCode.FAILED_PRECONDITION,
    "LINK_INVALID": grpc.StatusCode.FAILED_PRECONDITION,
    "INVALID_FIELD": grpc.StatusCode.INVALID_ARGUMENT,
}


Tokens = dict[str, str]


class Target:
    """An account with a session and an open challenge, and an attacker with an account."""

    def __init__(self, owner: Owner, challenge: str, attacker: Owner, theirs: Tokens, ours: Tokens) -> None:
        self.owner, self.challenge, self.attacker = owner, challenge, attacker
        self.ours, self.theirs = ours, theirs

    def request(self, method: str, token_field: str, token: str) -> Message:
        """A valid request except for its token."""
        values = values_of(self.owner, self.challenge, "5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a002")
        values |= {"backup_code": self.owner.backup_code, token_field: token}
        return filled(method, values)


@pytest_asyncio.fixture
async def target(factory: AccountFactory) -> Target:
    owner, attacker = await factory.account_with_authenticator(), await factory.account_with_authenticator()
    ours, theirs = await tokens_of(factory, owner), await tokens_of(factory, attacker)
    return Target(owner, ours["challenge_token"], attacker, theirs, ours)


async def tokens_of(factory: AccountFactory, person: Owner) -> Tokens:
    """A token of each kind by the name of its field."""
    return {
        "challenge_token": await factory.challenge_for(person),
        "session_token": person.session_token,
        "token": await factory.mailbox.link(person.email, "authenticator-on", "not-me"),
    }


async def reason_of(channel: grpc.aio.Channel, method: str, request: Message, token: str) -> str:
    """The reason of the refusal, which matches the table and does not contain the token."""
    refusal = await refusal_of(channel, method, request.SerializeToString())
    assert refusal.code == STATUS[refusal.reason]
    assert not token or token.encode() not in refusal.content
    assert (refusal.metadata, refusal.retry_after) == ({}, None)
    return refusal.reason if refusal.reason != "INVALID_FIELD" else f"INVALID_FIELD {refusal.fields[0]}"


def of_another_account(token: str, account_id: str) -> str:
    """The token's random part with the id of another account."""
    body = urlsafe_b64decode(token[4:])
    return token[:4] + urlsafe_b64encode(UUID(account_id).bytes + body[16:]).decode()


async def test_unknown_tokens(channel: grpc.aio.Channel, target: Target, postgres: EmbeddedPostgres) -> None:
    """ "Well formed but unknown → CHALLENGE_NOT_FOUND / SESSION_ENDED", also for an unknown account, or with an
    attacker's token for this account. Nothing is left behind."""
    owner, attacker = target.owner, target.attacker
    before = await of_account(postgres.url, owner.account_id)
    for method, name, reason in TOKENS:
        theirs, ours = target.theirs[name], target.ours[name]
        unknown = "00000000-0000-4000-8000-000000000000"
        for token in (
            ours[:-4] + ("AAAA" if not ours.endswith("AAAA") else "BBBB"),
            of_another_account(ours, unknown),
            of_another_account(ours, attacker.account_id),
            of_another_account(theirs, owner.account_id),
        ):
            assert await reason_of(channel, method, target.request(method, name, token), token) == reason, method
    assert await of_account(postgres.url, owner.account_id) == before


async def test_malformed_tokens_and_tokens_of_another_kind(channel: grpc.aio.Channel, target: Target) -> None:
    """ "Unparsable or wrong prefix → INVALID_FIELD", which names the field, also for SignOut."""
    for method, name, _ in [*TOKENS, ("SignOut", "session_token", "")]:
        ours, other = (
            target.ours[name],
            target.ours["challenge_token" if name != "challenge_token" else "session_token"],
        )
        foreign = "tfc_" if name == "token" else "tfr_"
        for token in (
            other, ours[4:], ours.upper(), ours[:-1], ours + "A", ours[:-1] + "!", ours[:-1] + "\n", ours[:4],
            foreign + ours[4:], ours[:4] + "=" * 64, ours[:4] + "é" * 64, ours.replace("_", " ", 1), "x", "A" * 256,
        ):  # fmt: skip
            reason = await reason_of(
                channel, method, target.request(method, name, token), token if len(token) > 8 else ""
            )
            assert reason == f"INVALID_FIELD {name}", (method, token)


async def test_another_base64_spelling_is_refused(channel: grpc.aio.Channel, target: Target) -> None:
    """base64 has several spellings of the same bytes; only the issued one is accepted."""
    token = target.challenge
    body = token[4:].replace("-", "+").replace("_", "/")
    for other in (token[:4] + body + "=", token[:4] + body[:32] + "\n" + body[32:], token[:4] + body[:60] + "===="):
        request = target.request("GetChallenge", "challenge_token", other)
        assert await reason_of(channel, "GetChallenge", request, other) == "INVALID_FIELD challenge_token"


@pytest.mark.parametrize("method", CHALLENGE)
async def test_another_callers_challenge_is_not_found(
    channel: grpc.aio.Channel, target: Target, postgres: EmbeddedPostgres, method: str
) -> None:
    """ "A challenge belongs to the caller that started it; to any other it does not exist." Fails if the look-up
    ignores the caller."""
    owner = target.owner
    statement = "UPDATE challenges SET caller = 'spiffe://example.test/other' WHERE account_id = $1::text::uuid"
    await query(postgres.url, statement, owner.account_id)
    before = await of_account(postgres.url, owner.account_id)
    request = target.request(method, "challenge_token", target.challenge)
    assert await reason_of(channel, method, request, target.challenge) == "CHALLENGE_NOT_FOUND"
    assert await of_account(postgres.url, owner.account_id) == before


async def test_signing_out_of_an_unknown_session(rpc: Rpc, target: Target) -> None:
    """It succeeds and ends no other session."""
    token = target.owner.session_token
    await rpc.SignOut(session_token=of_another_account(token, target.attacker.account_id))
    await rpc.SignOut(session_token=of_another_account(target.attacker.session_token, target.owner.account_id))
    await rpc.GetSession(session_token=token)
    await rpc.GetSession(session_token=target.attacker.session_token)
