"""Bad input, field by field: every text field of every request, found by walking the contract."""

from collections.abc import Iterator

import grpc
import pytest

from tests.api.requests import METHODS, fill_at, filled, put, raw, send, string_fields, values_of
from tests.conftest import Refusing
from tests.people import People, Person
from tests.refusals import refusal
from tests.servers import Server
from twofactor.v1 import account_service_pb2, sign_in_service_pb2, types_pb2

MARK = "value-that-must-not-come-back"
SOMEBODY = values_of(
    Person("somebody@example.test", "5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a001", session_token=f"tfs_{'A' * 64}"),
    f"tfc_{'A' * 64}",
    "5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a002",
)


def every_string() -> Iterator[tuple[str, str]]:
    for method in METHODS:
        for path in string_fields(method):
            yield method, path


@pytest.fixture(autouse=True, scope="module")
def nothing_is_echoed(server: Server) -> Iterator[None]:
    """Whatever these tests send, the log of the server does not repeat it, and tells of no failure."""
    start = len(server.log)
    yield
    assert MARK not in server.log
    assert " failed\n" not in server.log[start:]


async def refused_field(channel: grpc.aio.Channel, method: str, content: bytes) -> tuple[str, ...]:
    """The fields that the refusal names; it is INVALID_FIELD, and says nothing of the value."""
    error = await send(channel, method, content)
    assert isinstance(error, grpc.aio.AioRpcError), method
    assert MARK.encode() not in raw(error).everything
    said = refusal(error)
    assert (said.code, said.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"), (method, said)
    assert (said.metadata, said.retry_after) == ({}, None)
    return said.fields


async def test_every_string_is_bounded_and_free_of_nul(channel: grpc.aio.Channel) -> None:
    """ "NUL refused everywhere", and so is what is too long: INVALID_FIELD with the path from the request's root."""
    seen = 0
    for method, path in every_string():
        for value in (MARK + "x" * 4096, f"{MARK}\0", "\0"):
            request = filled(method, SOMEBODY)
            put(request, path, value)
            assert await refused_field(channel, method, request.SerializeToString()) == (path,), (method, path)
        seen += 1
    assert seen > 100


async def test_undecodable_bytes(channel: grpc.aio.Channel) -> None:
    """ "Undecodable message (field `request`)", where gRPC itself would answer UNKNOWN with protobuf's own text."""
    mark = MARK.encode()
    for method in METHODS:
        field = METHODS[method].input_type.fields_by_number[1]
        not_utf8 = bytes([field.number << 3 | 2, len(mark) + 2]) + b"\xff\xfe" + mark
        for content in (b"\xff" * 9 + mark, b"\x0a\x7f" + mark, b"\x07", not_utf8):
            assert await refused_field(channel, method, content) == ("request",), (method, content)


REQUIRED = {
    "StartSignIn": ["first_factor", "password.email", "password.password"],
    "GetChallenge": ["challenge_token"],
    "GetSession": ["session_token"],
    "SignOut": ["session_token"],
    "SendEmailCode": ["challenge_token"],
    "VerifyEmailCode": ["challenge_token", "code"],
    "VerifyAuthenticatorCode": ["challenge_token", "code"],
    "UseBackupCode": ["challenge_token", "backup_code"],
    "ConfirmBackupCodeSaved": ["session_token", "generation"],
    "GetTwoFactor": ["session_token"],
    "StartAuthenticatorSetup": ["session_token", "reauthentication.password"],
    "ConfirmAuthenticatorSetup": ["session_token", "setup_id", "code"],
    "CancelAuthenticatorSetup": ["session_token", "setup_id"],
    "RegenerateBackupCode": ["session_token", "reauthentication.password"],
    "RemoveAuthenticator": ["session_token", "reauthentication.password"],
    "ListSessions": ["session_token"],
    "RevokeSession": ["session_token", "session_id"],
    "RevokeOtherSessions": ["session_token"],
    "ConfirmFirstFactor": ["token"],
    "CreateAccount": ["email"],
    "LinkIdentity": ["session_token", "reauthentication.password", "identity"]
    + [f"oidc.{name}" for name in ("provider", "authorization_code", "code_verifier", "nonce", "redirect_uri")],
    "UnlinkIdentity": ["session_token", "identity_id"],
    "ListIdentities": ["session_token"],
    "GetAccount": ["account_id"],
    "SetPassword": ["session_token", "new_password", "reauthentication.password"],
    "ChangePassword": ["session_token", "current_password", "new_password"],
    "StartPasswordReset": ["email"],
    "CompletePasswordReset": ["reset_token", "new_password"],
    "ChangeEmail": ["session_token", "reauthentication.password", "new_email"],
    "ConfirmEmailChange": ["token"],
    "ReportNotMe": ["token"],
    "CloseAccount": ["session_token", "reauthentication.password"],
}


async def test_what_is_required_is_missed(people: People, channel: grpc.aio.Channel) -> None:
    """An empty field that is required is INVALID_FIELD, and named."""
    assert set(REQUIRED) == set(METHODS)
    owner = await people.with_authenticator()
    live = values_of(owner, await people.challenge_for(owner), SOMEBODY["setup_id"])
    for method, paths in REQUIRED.items():
        for path in paths:
            request = filled(method, live)
            if path in ("first_factor", "identity"):
                request.ClearField({"first_factor": "password", "identity": "oidc"}[path])
            else:
                put(request, path, 0 if path == "generation" else "")
            assert await refused_field(channel, method, request.SerializeToString()) == (path,), (method, path)
    for path in ("asserted.account_id", "asserted.auth_time"):
        request = filled("StartSignIn", SOMEBODY)
        put(request, "asserted.account_id", "" if path.endswith("id") else SOMEBODY["account_id"])
        assert await refused_field(channel, "StartSignIn", request.SerializeToString()) == (path,)
    nothing = account_service_pb2.GetAccountRequest()
    assert await refused_field(channel, "GetAccount", nothing.SerializeToString()) == ("account_id",)


async def test_a_verifier_is_one(channel: grpc.aio.Channel) -> None:
    """RFC 7636 section 4.1: 43 to 128 of the characters that need no escape."""
    for method, path in (("StartSignIn", "oidc"), ("StartSignIn", "github"), ("CreateAccount", "oidc")):
        for verifier in ("", "v" * 42, "v" * 129, "v" * 42 + " ", "v" * 42 + "+", "v" * 42 + "é", "v" * 43 + "\n"):
            request = filled(method, {})
            fill_at(request, path, SOMEBODY | {"code_verifier": verifier})
            said = await refused_field(channel, method, request.SerializeToString())
            assert said == (f"{path}.code_verifier",), (method, verifier)


async def test_an_identity_comes_without_an_address(channel: grpc.aio.Channel) -> None:
    """CreateAccount: address and password are "refused beside" an identity, whose address is the account's."""
    for name in ("email", "password"):
        request = filled("CreateAccount", {name: SOMEBODY[name]})
        fill_at(request, "oidc", SOMEBODY)
        assert await refused_field(channel, "CreateAccount", request.SerializeToString()) == (name,)


async def test_ids_are_uuids(channel: grpc.aio.Channel) -> None:
    """Ids are UUIDs in their usual form, and nothing that merely looks like one."""
    forms = (MARK, "0", "5b1f9d0e58d54bb48a52f4d7d1b1a001", "{5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a001}",
             "urn:uuid:5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a001", "5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a00g",
             " 5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a001", "\uff15b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a001")  # fmt: skip
    for method, path in every_string():
        ids = ("request_id", "setup_id", "session_id", "account_id", "identity_id")
        if path.split(".")[-1] in ids and not path.startswith("reauth"):
            for form in forms:
                request = filled(method, SOMEBODY)
                put(request, path, form)
                assert await refused_field(channel, method, request.SerializeToString()) == (path,), (method, form)


@pytest.mark.parametrize(
    "address", ["localhost", "192.0.2.256", "192.0.2.1:443", "[2001:db8::1]", "fe80::1%eth0", "192.0.2.1/24", " ", MARK]
)
async def test_an_ip_address_is_one(channel: grpc.aio.Channel, address: str) -> None:
    """ClientInfo.ip_address: "IPv4 or IPv6 in text form, without port or zone; anything else is INVALID_FIELD." """
    for method, path in every_string():
        if path == "client.ip_address":
            request = filled(method, SOMEBODY)
            put(request, path, address)
            assert await refused_field(channel, method, request.SerializeToString()) == (path,), method


@pytest.mark.parametrize(
    "address",
    [MARK, "@example.test", f"{MARK}@", f"{MARK}@@example.test", f"{MARK} x@example.test", f"{MARK}@exa mple.test",
     f"{MARK}@example..test", f"{MARK}@-example.test", f"{MARK}@example.test\r\nBcc: x@example.test",
     f"a,{MARK}@example.test", f"<{MARK}@example.test>", f"{MARK}\u2028@example.test", f"{MARK}@{'x' * 230}.test",
     # No mail could ever be sent to these: marks that nobody sees, a letter that no domain has.
     f"{MARK}\u202e@example.test", f"{MARK}\u200b@example.test", f"{MARK}\xad@example.test", f"{MARK}@\xaa.test"],
)  # fmt: skip
async def test_an_email_address_is_one(channel: grpc.aio.Channel, address: str) -> None:
    """An invalid e-mail address is INVALID_FIELD, also where a wrong one would be told nothing."""
    for method, path in (
        ("CreateAccount", "email"),
        ("GetAccount", "email"),
        ("StartSignIn", "password.email"),
        ("StartPasswordReset", "email"),
        ("ChangeEmail", "new_email"),
    ):
        request = filled(method, SOMEBODY)
        put(request, path, address)
        assert await refused_field(channel, method, request.SerializeToString()) == (path,), method


async def test_the_sizes_that_are_promised(people: People, refused: Refusing) -> None:
    """ "E-mail 254, password 8 code points to 1,024 bytes, codes 64, user_agent 512": what just fits is accepted."""
    longest = "é" * 511 + "è"
    accounts = people.stubs.accounts
    for address, password, reason in (
        (f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 56}.test", longest, ""),
        (f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 57}.test", longest, "INVALID_FIELD"),
        ("too-long@example.test", longest + "x", "INVALID_FIELD"),
        ("too-short@example.test", "é" * 7, "PASSWORD_REJECTED"),
        ("short-enough@example.test", "éèêëéèêx", ""),
    ):
        request = account_service_pb2.CreateAccountRequest(email=address, password=password)
        if reason:
            with refused(reason):
                await accounts.CreateAccount(request)
        else:
            assert (await accounts.CreateAccount(request)).account.email == address
    owner = await people.with_authenticator()
    client = types_pb2.ClientInfo(ip_address="192.0.2.10", user_agent="u" * 512)
    challenge = await people.challenge_for(owner, client)
    padded = owner.backup_code + " " * (64 - len(owner.backup_code))
    with refused("INVALID_FIELD") as said:
        await people.use_backup_code(challenge, padded + " ")
    assert said[0].fields == ("backup_code",)
    await people.use_backup_code(challenge, padded, client=client)
    client.user_agent += "u"
    with refused("INVALID_FIELD") as said:
        await people.challenge_for(owner, client)
    assert said[0].fields == ("client.user_agent",)


async def test_more_than_four_mebibytes(channel: grpc.aio.Channel) -> None:
    """ "Messages over 4 MiB get gRPC's own refusal." """
    request = sign_in_service_pb2.GetSessionRequest(session_token="x" * (4 << 20))
    error = await send(channel, "GetSession", request.SerializeToString())
    assert isinstance(error, grpc.aio.AioRpcError)
    assert error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
