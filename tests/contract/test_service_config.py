"""The service config contains every method once, and retries only methods that are safe to retry automatically."""

import asyncio
import importlib.resources
import json
import re
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import Descriptor, MethodDescriptor

import twofactor_client
from twofactor.v1 import (
    account_service_pb2,
    sign_in_service_pb2,
    sign_in_service_pb2_grpc,
    two_factor_service_pb2,
    two_factor_service_pb2_grpc,
)

CONTRACT = Path(__file__).resolve().parents[2] / "proto"
FILES = (account_service_pb2.DESCRIPTOR, sign_in_service_pb2.DESCRIPTOR, two_factor_service_pb2.DESCRIPTOR)
METHODS: list[MethodDescriptor] = [
    method for file in FILES for service in file.services_by_name.values() for method in service.methods
]
# A retry would send another mail, and a lost response loses nothing.
MAIL_ONLY = {"StartPasswordReset"}
CONFIG: dict[str, Any] = json.loads((CONTRACT / "twofactor" / "v1" / "service_config.json").read_bytes())


def config_of(method: MethodDescriptor) -> dict[str, Any]:
    name = {"service": method.containing_service.full_name, "method": method.name}
    found: list[dict[str, Any]] = [entry for entry in CONFIG["methodConfig"] if name in entry["name"]]
    assert len(found) == 1
    return found[0]


def is_read_only(method: MethodDescriptor) -> bool:
    return re.match(r"(Get|List)[A-Z]", method.name) is not None


def can_carry_authorization_code(message: Descriptor) -> bool:
    """Whether a request can contain, at any depth, a code that works once at a provider."""
    return any(
        field.name == "authorization_code"
        or (field.message_type is not None and can_carry_authorization_code(field.message_type))
        for field in message.fields
    )


def test_files_lists_every_service_file() -> None:
    in_contract = {path.relative_to(CONTRACT).as_posix() for path in CONTRACT.rglob("*_service.proto")}
    assert {file.name for file in FILES} == in_contract


def test_contains_every_method_exactly_once() -> None:
    named = [(name["service"], name["method"]) for entry in CONFIG["methodConfig"] for name in entry["name"]]
    assert sorted(named) == sorted((method.containing_service.full_name, method.name) for method in METHODS)


def test_contains_only_timeouts_and_retries() -> None:
    # In particular no hedgingPolicy, which would send one code several times concurrently.
    assert set(CONFIG) == {"methodConfig"}
    assert {key for entry in CONFIG["methodConfig"] for key in entry} == {"name", "timeout", "retryPolicy"}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_timeout_and_attempts_of_each_method(method: MethodDescriptor) -> None:
    entry = config_of(method)
    policy = entry.get("retryPolicy")
    if can_carry_authorization_code(method.input_type) or method.name in MAIL_ONLY:
        assert entry["timeout"] == "10s"
        assert policy is None
        return
    assert entry["timeout"] == ("2s" if is_read_only(method) else "5s")
    assert policy is not None
    assert policy["maxAttempts"] == (4 if is_read_only(method) else 3)
    assert policy["retryableStatusCodes"] == ["UNAVAILABLE"]


def test_classification_of_the_methods() -> None:
    assert {method.name for method in METHODS if can_carry_authorization_code(method.input_type)} == {
        "ChangeEmail",
        "CloseAccount",
        "CreateAccount",
        "LinkIdentity",
        "RegenerateBackupCode",
        "RemoveAuthenticator",
        "SetPassword",
        "StartAuthenticatorSetup",
        "StartSignIn",
        "UnlinkIdentity",
    }
    assert {method.name for method in METHODS if is_read_only(method)} == {
        "GetAccount",
        "GetChallenge",
        "GetSession",
        "GetTwoFactor",
        "ListIdentities",
        "ListSessions",
    }


def test_the_stubs_package_contains_it() -> None:
    packaged = importlib.resources.files("twofactor.v1") / "service_config.json"
    assert json.loads(packaged.read_bytes()) == CONFIG


def test_the_python_client_adds_two_seconds_to_each_timeout() -> None:
    given = json.loads(twofactor_client.service_config())
    assert [entry.pop("timeout") for entry in given["methodConfig"]] == ["4s", "7s", "12s"]
    assert given["methodConfig"] == [
        {key: value for key, value in entry.items() if key != "timeout"} for entry in CONFIG["methodConfig"]
    ]


class Server(grpc.GenericRpcHandler):
    """Counts the calls and returns UNAVAILABLE for each, after `delay` seconds."""

    def __init__(self, delay: float = 0) -> None:
        self.delay = delay
        self.attempts: Counter[str] = Counter()

    def service(self, call: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        self.attempts[call.method.rpartition("/")[2]] += 1
        return grpc.unary_unary_rpc_method_handler(self.refuse)

    async def refuse(self, _request: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        await asyncio.sleep(self.delay)
        await context.abort(grpc.StatusCode.UNAVAILABLE)


@asynccontextmanager
async def channel_to(handler: Server) -> AsyncIterator[grpc.aio.Channel]:
    """A channel with the client's service config to a server on loopback."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers([handler])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    options = [("grpc.service_config", twofactor_client.service_config())]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        yield channel
    await server.stop(None)


async def test_grpc_makes_the_configured_number_of_attempts() -> None:
    down = Server()
    async with channel_to(down) as channel:
        two_factor = two_factor_service_pb2_grpc.TwoFactorServiceStub(channel)
        results = await asyncio.gather(
            two_factor.GetTwoFactor(two_factor_service_pb2.GetTwoFactorRequest()),
            two_factor.UseBackupCode(two_factor_service_pb2.UseBackupCodeRequest()),
            two_factor.RegenerateBackupCode(two_factor_service_pb2.RegenerateBackupCodeRequest()),
            return_exceptions=True,
        )
    codes = [result.code() for result in results if isinstance(result, grpc.aio.AioRpcError)]
    assert codes == [grpc.StatusCode.UNAVAILABLE] * 3
    assert down.attempts == {"GetTwoFactor": 4, "UseBackupCode": 3, "RegenerateBackupCode": 1}


async def test_a_read_has_the_two_seconds_of_the_contract() -> None:
    # With the unmodified config of the contract, this call ended after 0.02 to 1.0 seconds.
    async with channel_to(Server(delay=30)) as channel:
        sign_in = sign_in_service_pb2_grpc.SignInServiceStub(channel)
        start = time.monotonic()
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await sign_in.GetSession(sign_in_service_pb2.GetSessionRequest())
        waited = time.monotonic() - start
    assert refusal.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    assert 1.99 <= waited <= 5
