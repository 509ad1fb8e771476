"""Behaviour specific to Python, which the conformance cases cannot see: the forms of a call, and what they raise."""

import asyncio

import grpc
import pytest

from clients.conformance.scripted_proxy import start_proxy
from tests.support.factories import AccountFactory
from twofactor.v1 import account_service_pb2, sign_in_service_pb2, two_factor_service_pb2, types_pb2
from twofactor_client import AsyncTwoFactor, SessionEnded, TwoFactor, TwoFactorError

UNKNOWN_SESSION = sign_in_service_pb2.GetSessionRequest(session_token=f"tfs_{'A' * 64}")


async def test_every_form_of_a_blocking_call_raises_typed_errors(blocking: TwoFactor) -> None:
    def call() -> None:
        with pytest.raises(SessionEnded):
            blocking.sign_in.GetSession(UNKNOWN_SESSION)
        with pytest.raises(SessionEnded):
            blocking.sign_in.GetSession.with_call(UNKNOWN_SESSION)
        future = blocking.sign_in.GetSession.future(UNKNOWN_SESSION)
        with pytest.raises(SessionEnded):
            future.result(20)
        assert isinstance(future.exception(20), SessionEnded)
        assert future.code() is grpc.StatusCode.FAILED_PRECONDITION

    await asyncio.to_thread(call)


async def test_every_form_of_a_blocking_call_returns_the_response(blocking: TwoFactor, factory: AccountFactory) -> None:
    owner = await factory.signed_in_account()
    request = sign_in_service_pb2.GetSessionRequest(session_token=owner.session_token)

    def call() -> None:
        assert blocking.sign_in.GetSession(request).session.email == owner.email
        response, call = blocking.sign_in.GetSession.with_call(request)
        assert response.session.email == owner.email
        assert call.code() is grpc.StatusCode.OK
        future = blocking.sign_in.GetSession.future(request)
        assert future.result(20).session.email == owner.email
        assert future.exception(20) is None

    await asyncio.to_thread(call)


async def test_asyncio_call_keeps_the_interface_of_a_grpc_call(
    asynchronous: AsyncTwoFactor, factory: AccountFactory
) -> None:
    owner = await factory.signed_in_account()
    call = asynchronous.sign_in.GetSession(sign_in_service_pb2.GetSessionRequest(session_token=owner.session_token))
    assert (await call).session.email == owner.email
    assert await call.code() is grpc.StatusCode.OK
    refused = asynchronous.sign_in.GetSession(UNKNOWN_SESSION)
    assert await refused.code() is grpc.StatusCode.FAILED_PRECONDITION
    with pytest.raises(SessionEnded):
        await refused


async def test_typed_error_is_a_grpc_error(asynchronous: AsyncTwoFactor) -> None:
    """Code that catches grpc.RpcError, and instrumentation that reads its code, keep working."""
    with pytest.raises(grpc.RpcError) as caught:
        await asynchronous.sign_in.GetSession(UNKNOWN_SESSION)
    assert isinstance(caught.value, TwoFactorError)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert str(caught.value) == f"FAILED_PRECONDITION SESSION_ENDED: {caught.value.details()}"
    assert caught.value.details()
    assert UNKNOWN_SESSION.session_token not in repr(caught.value)


async def test_the_request_of_the_caller_is_not_modified(asynchronous: AsyncTwoFactor, factory: AccountFactory) -> None:
    owner = await factory.account_with_authenticator()
    request = two_factor_service_pb2.RegenerateBackupCodeRequest(
        session_token=owner.session_token, reauthentication=types_pb2.Reauthentication(password=owner.password)
    )
    first = await asynchronous.two_factor.RegenerateBackupCode(request)
    assert request.request_id == ""
    second = await asynchronous.two_factor.RegenerateBackupCode(request)
    assert (first.backup_code.generation, second.backup_code.generation) == (2, 3)


async def test_call_can_be_cancelled(channel: grpc.aio.Channel) -> None:
    async with start_proxy(channel) as (proxy, address), AsyncTwoFactor(address) as client:
        proxy.scripts["GetSession"].append({"hang": True})
        call = asyncio.ensure_future(client.sign_in.GetSession(UNKNOWN_SESSION))
        while not proxy.received["GetSession"]:
            await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_server_receives_the_published_deadline() -> None:
    received: list[float | None] = []

    class RecordDeadlines(grpc.GenericRpcHandler):
        def service(self, call: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
            async def handle(_: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
                received.append(context.time_remaining())
                return b""

            return grpc.unary_unary_rpc_method_handler(handle)

    server = grpc.aio.server()
    server.add_generic_rpc_handlers([RecordDeadlines()])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with AsyncTwoFactor(f"127.0.0.1:{port}") as client:
        await client.sign_in.GetSession(UNKNOWN_SESSION)
        await client.sign_in.SignOut(sign_in_service_pb2.SignOutRequest())
        await client.accounts.CreateAccount(account_service_pb2.CreateAccountRequest())
        await client.sign_in.GetSession(UNKNOWN_SESSION, timeout=90)
    await server.stop(None)
    for remaining, timeout in zip(received, (2, 5, 10, 90), strict=True):
        assert remaining is not None
        # gRPC rounds a timeout up to a multiple of the unit it is encoded in.
        assert timeout - 1.9 < remaining < timeout + 1
