"""Random and mutated messages on every method: never INTERNAL or UNKNOWN, and no secret in the log.

The run is bounded and reproducible; ``INPUTS`` makes it longer. Fails without the wrapped deserializer, when every
method answers UNKNOWN, and with requests in the log line.
"""

import asyncio
from collections.abc import Iterator
from random import Random
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tests.api.requests import filled, put, values_of
from tests.support.factories import PASSWORD, AccountFactory, Owner
from tests.support.rpc import METHODS, Refused, Rpc
from tests.support.servers import Server
from twofactor.v1 import error_reason_pb2

INPUTS = 240
"""Messages on each method: a third random bytes, a third broken ones, a third well formed with odd content."""
AT_ONCE = 6
REASONS = {name.removeprefix("ERROR_REASON_") for name in error_reason_pb2.ErrorReason.keys()}  # noqa: SIM118
FINE = {"OK", "INVALID_ARGUMENT", "FAILED_PRECONDITION", "NOT_FOUND", "ALREADY_EXISTS", "RESOURCE_EXHAUSTED"}
ODD_NUMBERS = (0, 1, -1, 2**31 - 1, -(2**31), 999_999_999, 1_000_000_000)
ODD_TIMES = (0, 1, -1, 2**63 - 1, -(2**63), 253_402_300_799, 253_402_300_800, -62_135_596_800, -62_135_596_801)
ODD_TEXTS = (
    "", "\0", " ", "\u200b", "\ufeff", "\u202e", "\U0001f511" * 16, "\uff11\uff12\uff13456", "\u0661\u06622345",
    "\xb2" * 6,
    "a" * 257, "ABCD\u20141234\u2014EF56\u20147890", "\ufb03" * 5, "\u0130\u0131\u017f\u212a" * 4,
    "x@y", "x@\u2603.test",
    "\u0301" * 20, "'; DROP TABLE accounts; --", "%s%n{0}", "tfc_", "tfs_" + "_" * 64, "1e3", "::1", "::ffff:1.2.3.4",
    "00000000-0000-0000-0000-000000000000", "fe80::1%0",
)  # fmt: skip


class Fuzz:
    """Inputs for one method, derived from a valid request."""

    def __init__(self, method: str, values: dict[str, Any], random: Random) -> None:
        self.method, self.values, self.random = method, values, random

    def inputs(self) -> Iterator[bytes]:
        for _ in range(INPUTS // 3):
            yield self.random.randbytes(self.random.randrange(200))
            yield self.broken()
            yield self.odd()

    def broken(self) -> bytes:
        """The request's bytes with some changed, removed, repeated or inserted."""
        content = bytearray(filled(self.method, self.values).SerializeToString())
        for _ in range(self.random.randint(1, 4)):
            at = self.random.randrange(len(content) + 1)
            match self.random.randrange(4):
                case 0:
                    content[at : at + 1] = self.random.randbytes(1)
                case 1:
                    del content[at : at + self.random.randint(1, 20)]
                case 2:
                    content[at:at] = content[at : at + self.random.randint(1, 40)]
                case 3:
                    content[at:at] = self.random.randbytes(self.random.randint(1, 8))
        return bytes(content)

    def odd(self) -> bytes:
        """A well-formed request with one to three odd fields, also of oneofs."""
        request = filled(self.method, self.values)
        paths = list(leaves(request.DESCRIPTOR, ""))
        for path, kind in self.random.sample(paths, min(len(paths), self.random.randint(1, 3))):
            put(request, path, self.value(kind, path))
        return request.SerializeToString()

    def value(self, kind: int, path: str) -> Any:
        match kind:
            case FieldDescriptor.TYPE_STRING:
                return self.text(path)
            case FieldDescriptor.TYPE_BOOL:
                return True
            case FieldDescriptor.TYPE_INT64:
                return self.random.choice((*ODD_TIMES, self.random.getrandbits(63)))
        return self.random.choice((*ODD_NUMBERS, self.random.getrandbits(31)))

    def text(self, path: str) -> str:
        """An odd text, a variant of a valid one, or random code points."""
        right = str(self.values.get(path.split(".")[-1], ""))
        at = self.random.randrange(len(right) + 1)
        salad = "".join(chr(self.random.choice((self.random.randrange(0x300), self.random.randrange(0xD800))))
                        for _ in range(self.random.randrange(40)))  # fmt: skip
        return self.random.choice((self.random.choice(ODD_TEXTS), right[:at] + salad + right[at:], salad, right[::-1]))


def leaves(descriptor: Any, path: str) -> Iterator[tuple[str, int]]:
    """Every scalar field and its type."""
    for field in descriptor.fields:
        if field.message_type is None:
            yield path + field.name, field.type
        else:
            yield from leaves(field.message_type, f"{path}{field.name}.")


async def outcome(channel: grpc.aio.Channel, method: str, content: bytes) -> str:
    """The status's name; a refusal has a reason of the contract."""
    try:
        await Rpc(channel).send_bytes(method, content)
    except Refused as refusal:
        if refusal.reason not in REASONS:
            pytest.fail(f"{method} {content!r}: {refusal}")
        return refusal.code.name
    return "OK"


async def owner_of(factory: AccountFactory, method: str) -> tuple[Owner, dict[str, Any]]:
    owner = await (factory.signed_in_account() if "Email" in method else factory.account_with_authenticator())
    challenge = await factory.asserted_challenge_for(owner)
    values = values_of(owner, challenge, "5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a002")
    return owner, values | {"backup_code": owner.backup_code}


@pytest.mark.parametrize("method", METHODS)
async def test_fuzzed_messages_are_refused_properly(
    factory: AccountFactory, channel: grpc.aio.Channel, server: Server, method: str
) -> None:
    """ "Random and mutated messages on every method: 0 INTERNAL or UNKNOWN, 0 secrets in logs." """
    owner, values = await owner_of(factory, method)
    start = len(server.log)
    inputs = list(Fuzz(method, values, Random(f"twofactor {method}")).inputs())
    for number in range(0, len(inputs), AT_ONCE):
        batch = inputs[number : number + AT_ONCE]
        outcomes = await asyncio.gather(*(outcome(channel, method, content) for content in batch))
        # SetPassword of an account with a password is CONFLICT, and so ABORTED.
        fine = FINE | ({"ABORTED"} if method == "SetPassword" else set())
        assert set(outcomes) <= fine, list(zip(outcomes, batch, strict=True))
    log = server.log
    assert "failed" not in log[start:]
    assert "Traceback" not in log[start:]
    code = owner.backup_code.replace(" ", "")
    secrets = (PASSWORD, owner.session_token, values["challenge_token"], owner.secret, owner.backup_code, code)
    assert not [secret for secret in secrets if secret and secret in log]


def test_most_odd_inputs_are_decodable() -> None:
    """Otherwise the fuzzing would only test the decoder."""
    values = values_of(Owner("x@example.test", "5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a001"), "tfc_", "")
    for method in METHODS:
        fuzz = Fuzz(method, values, Random(method))
        read: list[Message] = [type(filled(method, values)).FromString(fuzz.odd()) for _ in range(20)]
        assert len({message.SerializeToString() for message in read}) > 5
