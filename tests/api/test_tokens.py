"""Tokens that open nothing: unknown, another account's, another caller's, of another kind, and garbage."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

import grpc
import pytest
import pytest_asyncio
from google.protobuf.message import Message

from tests.api.requests import METHODS, filled, raw, send, values_of
from tests.people import People, Person
from tests.refusals import refusal
from tests.security.tables import of_account, query
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


class Victim:
    """An account with a session and an open challenge, and a stranger with an account of their own."""

    def __init__(self, owner: Person, challenge: str, stranger: Person, theirs: Tokens, ours: Tokens) -> None:
        self.owner, self.challenge, self.stranger = owner, challenge, stranger
        self.ours, self.theirs = ours, theirs

    def request(self, method: str, token_field: str, token: str) -> Message:
        """A request that would succeed or be judged, but for its token."""
        values = values_of(self.owner, self.challenge, "5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a002")
        values |= {"backup_code": self.owner.backup_code, token_field: token}
        return filled(method, values)


@pytest_asyncio.fixture
async def victim(people: People) -> Victim:
    owner, stranger = await people.with_authenticator(), await people.with_authenticator()
    ours, theirs = await tokens_of(people, owner), await tokens_of(people, stranger)
    return Victim(owner, ours["challenge_token"], stranger, theirs, ours)


async def tokens_of(people: People, person: Person) -> Tokens:
    """A token of each kind, by the field that takes it."""
    return {
        "challenge_token": await people.challenge_for(person),
        "session_token": person.session_token,
        "token": await people.mailbox.link(person.email, "authenticator-on", "not-me"),
    }


async def refused(channel: grpc.aio.Channel, method: str, request: Message, token: str) -> str:
    """The reason; its status and details are the table's, and the token is not repeated."""
    error = await send(channel, method, request.SerializeToString())
    assert isinstance(error, grpc.aio.AioRpcError), (method, "was answered OK")
    said = refusal(error)
    assert said.code == STATUS[said.reason]
    assert not token or token.encode() not in raw(error).everything
    assert (said.metadata, said.retry_after) == ({}, None)
    return said.reason if said.reason != "INVALID_FIELD" else f"INVALID_FIELD {said.fields[0]}"


def of_another_account(token: str, account_id: str) -> str:
    """The token's random part, with another account's id in front."""
    body = urlsafe_b64decode(token[4:])
    return token[:4] + urlsafe_b64encode(UUID(account_id).bytes + body[16:]).decode()


async def test_tokens_that_are_well_formed_and_unknown(
    channel: grpc.aio.Channel, victim: Victim, postgres: EmbeddedPostgres
) -> None:
    """ "Well formed but unknown → CHALLENGE_NOT_FOUND / SESSION_ENDED", also for an account that does not exist, or
    with a stranger's token turned round to this account. Nothing is left behind."""
    owner, stranger = victim.owner, victim.stranger
    before = await of_account(postgres.url, owner.account_id)
    for method, name, reason in TOKENS:
        theirs, ours = victim.theirs[name], victim.ours[name]
        nobody = "00000000-0000-4000-8000-000000000000"
        for token in (
            ours[:-4] + ("AAAA" if not ours.endswith("AAAA") else "BBBB"),
            of_another_account(ours, nobody),
            of_another_account(ours, stranger.account_id),
            of_another_account(theirs, owner.account_id),
        ):
            assert await refused(channel, method, victim.request(method, name, token), token) == reason, method
    assert await of_account(postgres.url, owner.account_id) == before


async def test_tokens_of_another_kind_and_garbage(channel: grpc.aio.Channel, victim: Victim) -> None:
    """ "Unparsable or wrong prefix → INVALID_FIELD", naming the field; SignOut is no exception."""
    for method, name, _ in [*TOKENS, ("SignOut", "session_token", "")]:
        ours, other = (
            victim.ours[name],
            victim.ours["challenge_token" if name != "challenge_token" else "session_token"],
        )
        foreign = "tfc_" if name == "token" else "tfr_"
        for token in (
            other, ours[4:], ours.upper(), ours[:-1], ours + "A", ours[:-1] + "!", ours[:-1] + "\n", ours[:4],
            foreign + ours[4:], ours[:4] + "=" * 64, ours[:4] + "é" * 64, ours.replace("_", " ", 1), "x", "A" * 256,
        ):  # fmt: skip
            said = await refused(channel, method, victim.request(method, name, token), token if len(token) > 8 else "")
            assert said == f"INVALID_FIELD {name}", (method, token)


async def test_another_spelling_of_a_token_is_not_the_token(channel: grpc.aio.Channel, victim: Victim) -> None:
    """base64 has several spellings of the same bytes; only the one that was given opens anything."""
    token = victim.challenge
    body = token[4:].replace("-", "+").replace("_", "/")
    for other in (token[:4] + body + "=", token[:4] + body[:32] + "\n" + body[32:], token[:4] + body[:60] + "===="):
        request = victim.request("GetChallenge", "challenge_token", other)
        assert await refused(channel, "GetChallenge", request, other) == "INVALID_FIELD challenge_token"


@pytest.mark.parametrize("method", CHALLENGE)
async def test_another_callers_challenge_does_not_exist(
    channel: grpc.aio.Channel, victim: Victim, postgres: EmbeddedPostgres, method: str
) -> None:
    """ "A challenge belongs to the caller that started it; to any other it does not exist." With the look-up
    blind to the caller, all five fail."""
    owner = victim.owner
    statement = "UPDATE challenges SET caller = 'spiffe://example.test/other' WHERE account_id = $1::text::uuid"
    await query(postgres.url, statement, owner.account_id)
    before = await of_account(postgres.url, owner.account_id)
    request = victim.request(method, "challenge_token", victim.challenge)
    assert await refused(channel, method, request, victim.challenge) == "CHALLENGE_NOT_FOUND"
    assert await of_account(postgres.url, owner.account_id) == before


async def test_signing_out_of_what_is_unknown(people: People, victim: Victim) -> None:
    """SignOut of a session that is unknown is OK, and ends no other."""
    token = victim.owner.session_token
    await people.sign_out(of_another_account(token, victim.stranger.account_id))
    await people.sign_out(of_another_account(victim.stranger.session_token, victim.owner.account_id))
    await people.session(token)
    await people.session(victim.stranger.session_token)
