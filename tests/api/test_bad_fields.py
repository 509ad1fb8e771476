"""Invalid input for every text field of every request, found by walking the descriptors."""

from collections.abc import Iterator

import grpc
import pytest

from tests.api.requests import fill_at, filled, put, refusal_of, string_fields, values_of
from tests.support.factories import AccountFactory, Owner
from tests.support.rpc import METHODS, Refused, Rpc, refused
from tests.support.servers import Server
from twofactor.v1 import account_service_pb2, types_pb2

MARK = "value-that-must-not-come-back"
EXAMPLE = values_of(
    Owner("somebody@example.test", "5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a001", session_token=f"tfs_{'A' * 64}"),
    f"tfc_{'A' * 64}",
    "5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a002",
)


def every_string() -> Iterator[tuple[str, str]]:
    for method in METHODS:
        for path in string_fields(method):
            yield method, path


@pytest.fixture(autouse=True, scope="module")
def values_are_not_logged(server: Server) -> Iterator[None]:
    """The log of the server contains none of these values, and no failed call."""
    start = len(server.log)
    yield
    assert MARK not in server.log
    assert " failed\n" not in server.log[start:]


async def refused_field(channel: grpc.aio.Channel, method: str, content: bytes) -> tuple[str, ...]:
    """The fields that the refusal names. It is INVALID_FIELD and does not contain the value."""
    refusal = await refusal_of(channel, method, content)
    assert MARK.encode() not in refusal.content
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"), (method, refusal)
    assert (refusal.metadata, refusal.retry_after) == ({}, None)
    return refusal.fields


async def test_long_strings_and_nul_are_refused(channel: grpc.aio.Channel) -> None:
    """INVALID_FIELD with the path from the request's root."""
    seen = 0
    for method, path in every_string():
        for value in (MARK + "x" * 4096, f"{MARK}\0", "\0"):
            request = filled(method, EXAMPLE)
            put(request, path, value)
            assert await refused_field(channel, method, request.SerializeToString()) == (path,), (method, path)
        seen += 1
    assert seen > 100


async def test_undecodable_bytes(channel: grpc.aio.Channel) -> None:
    """ "Undecodable message (field `request`)", where gRPC would answer UNKNOWN with protobuf's text."""
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


async def test_required_fields(factory: AccountFactory, channel: grpc.aio.Channel) -> None:
    """An empty required field is INVALID_FIELD, and named."""
    assert set(REQUIRED) == set(METHODS)
    owner = await factory.account_with_authenticator()
    live = values_of(owner, await factory.challenge_for(owner), EXAMPLE["setup_id"])
    for method, paths in REQUIRED.items():
        for path in paths:
            request = filled(method, live)
            if path in ("first_factor", "identity"):
                request.ClearField({"first_factor": "password", "identity": "oidc"}[path])
            else:
                put(request, path, 0 if path == "generation" else "")
            assert await refused_field(channel, method, request.SerializeToString()) == (path,), (method, path)
    for path in ("asserted.account_id", "asserted.auth_time"):
        request = filled("StartSignIn", EXAMPLE)
        put(request, "asserted.account_id", "" if path.endswith("id") else EXAMPLE["account_id"])
        assert await refused_field(channel, "StartSignIn", request.SerializeToString()) == (path,)
    nothing = account_service_pb2.GetAccountRequest()
    assert await refused_field(channel, "GetAccount", nothing.SerializeToString()) == ("account_id",)


async def test_code_verifiers(channel: grpc.aio.Channel) -> None:
    """RFC 7636 section 4.1: 43 to 128 unreserved characters."""
    for method, path in (("StartSignIn", "oidc"), ("StartSignIn", "github"), ("CreateAccount", "oidc")):
        for verifier in ("", "v" * 42, "v" * 129, "v" * 42 + " ", "v" * 42 + "+", "v" * 42 + "é", "v" * 43 + "\n"):
            request = filled(method, {})
            fill_at(request, path, EXAMPLE | {"code_verifier": verifier})
            fields = await refused_field(channel, method, request.SerializeToString())
            assert fields == (f"{path}.code_verifier",), (method, verifier)


async def test_an_identity_excludes_address_and_password(channel: grpc.aio.Channel) -> None:
    """CreateAccount: the account's address comes from the identity."""
    for name in ("email", "password"):
        request = filled("CreateAccount", {name: EXAMPLE[name]})
        fill_at(request, "oidc", EXAMPLE)
        assert await refused_field(channel, "CreateAccount", request.SerializeToString()) == (name,)


async def test_ids_are_uuids(channel: grpc.aio.Channel) -> None:
    """Only the usual form is accepted."""
    forms = (MARK, "0", "5b1f9d0e58d54bb48a52f4d7d1b1a001", "{5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a001}",
             "urn:uuid:5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a001", "5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a00g",
             " 5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a001", "\uff15b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a001")  # fmt: skip
    for method, path in every_string():
        ids = ("request_id", "setup_id", "session_id", "account_id", "identity_id")
        if path.split(".")[-1] in ids and not path.startswith("reauth"):
            for form in forms:
                request = filled(method, EXAMPLE)
                put(request, path, form)
                assert await refused_field(channel, method, request.SerializeToString()) == (path,), (method, form)


@pytest.mark.parametrize(
    "address", ["localhost", "192.0.2.256", "192.0.2.1:443", "[2001:db8::1]", "fe80::1%eth0", "192.0.2.1/24", " ", MARK]
)
async def test_ip_addresses(channel: grpc.aio.Channel, address: str) -> None:
    """ClientInfo.ip_address: "IPv4 or IPv6 in text form, without port or zone; anything else is INVALID_FIELD." """
    for method, path in every_string():
        if path == "client.ip_address":
            request = filled(method, EXAMPLE)
            put(request, path, address)
            assert await refused_field(channel, method, request.SerializeToString()) == (path,), method


@pytest.mark.parametrize(
    "address",
    [MARK, "@example.test", f"{MARK}@", f"{MARK}@@example.test", f"{MARK} x@example.test", f"{MARK}@exa mple.test",
     f"{MARK}@example..test", f"{MARK}@-example.test", f"{MARK}@example.test\r\nBcc: x@example.test",
     f"a,{MARK}@example.test", f"<{MARK}@example.test>", f"{MARK}\u2028@example.test", f"{MARK}@{'x' * 230}.test",
     # No e-mail could be sent to these: invisible characters, and a character that no domain may have.
     f"{MARK}\u202e@example.test", f"{MARK}\u200b@example.test", f"{MARK}\xad@example.test", f"{MARK}@\u2026.test"],
)  # fmt: skip
async def test_email_addresses(channel: grpc.aio.Channel, address: str) -> None:
    """An invalid address is INVALID_FIELD, also where an unknown one is not revealed."""
    for method, path in (
        ("CreateAccount", "email"),
        ("GetAccount", "email"),
        ("StartSignIn", "password.email"),
        ("StartPasswordReset", "email"),
        ("ChangeEmail", "new_email"),
    ):
        request = filled(method, EXAMPLE)
        put(request, path, address)
        assert await refused_field(channel, method, request.SerializeToString()) == (path,), method


async def test_size_limits(factory: AccountFactory, rpc: Rpc) -> None:
    """ "E-mail 254, password 8 code points to 1,024 bytes, codes 64, user_agent 512": values at the limit are
    accepted."""
    longest = "é" * 511 + "è"
    for address, password, reason in (
        (f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 56}.test", longest, ""),
        (f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 57}.test", longest, "INVALID_FIELD"),
        ("too-long@example.test", longest + "x", "INVALID_FIELD"),
        ("too-short@example.test", "é" * 7, "PASSWORD_REJECTED"),
        ("short-enough@example.test", "éèêëéèêx", ""),
    ):
        if reason:
            with refused(reason):
                await rpc.CreateAccount(email=address, password=password)
        else:
            assert (await rpc.CreateAccount(email=address, password=password)).account.email == address
    owner = await factory.account_with_authenticator()
    client = types_pb2.ClientInfo(ip_address="192.0.2.10", user_agent="u" * 512)
    challenge = await factory.challenge_for(owner, client=client)
    padded = owner.backup_code + " " * (64 - len(owner.backup_code))
    with refused("INVALID_FIELD") as refusal:
        await rpc.UseBackupCode(challenge_token=challenge, backup_code=padded + " ")
    assert refusal.value.fields == ("backup_code",)
    await rpc.UseBackupCode(challenge_token=challenge, backup_code=padded, client=client)
    client.user_agent += "u"
    with refused("INVALID_FIELD") as refusal:
        await factory.challenge_for(owner, client=client)
    assert refusal.value.fields == ("client.user_agent",)


async def test_messages_over_four_mebibytes(channel: grpc.aio.Channel) -> None:
    """ "Messages over 4 MiB get gRPC's own refusal." """
    with pytest.raises(Refused) as caught:
        await Rpc(channel).GetSession(session_token="x" * (4 << 20))
    assert caught.value.code == grpc.StatusCode.RESOURCE_EXHAUSTED
