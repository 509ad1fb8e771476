"""What the conformance suite does not see: the forms that a call of grpc has in Python, and what they raise."""

import asyncio

import grpc
import pytest

from clients.conformance.front import standing_before
from tests.people import People
from twofactor.v1 import account_service_pb2, sign_in_service_pb2, two_factor_service_pb2, types_pb2
from twofactor_client import AsyncTwoFactor, SessionEnded, TwoFactor, TwoFactorError

UNKNOWN = sign_in_service_pb2.GetSessionRequest(session_token=f"tfs_{'A' * 64}")


async def test_every_form_of_a_blocking_call_raises_typed_errors(blocking: TwoFactor) -> None:
    def in_a_thread() -> None:
        with pytest.raises(SessionEnded):
            blocking.sign_in.GetSession(UNKNOWN)
        with pytest.raises(SessionEnded):
            blocking.sign_in.GetSession.with_call(UNKNOWN)
        future = blocking.sign_in.GetSession.future(UNKNOWN)
        with pytest.raises(SessionEnded):
            future.result(20)
        assert isinstance(future.exception(20), SessionEnded)
        assert future.code() is grpc.StatusCode.FAILED_PRECONDITION

    await asyncio.to_thread(in_a_thread)


async def test_every_form_of_a_blocking_call_answers(blocking: TwoFactor, people: People) -> None:
    person = await people.signed_in()
    request = sign_in_service_pb2.GetSessionRequest(session_token=person.session_token)

    def in_a_thread() -> None:
        assert blocking.sign_in.GetSession(request).session.email == person.email
        response, call = blocking.sign_in.GetSession.with_call(request)
        assert response.session.email == person.email
        assert call.code() is grpc.StatusCode.OK
        future = blocking.sign_in.GetSession.future(request)
        assert future.result(20).session.email == person.email
        assert future.exception(20) is None

    await asyncio.to_thread(in_a_thread)


async def test_the_call_of_asyncio_stays_a_call(asynchronous: AsyncTwoFactor, people: People) -> None:
    person = await people.signed_in()
    call = asynchronous.sign_in.GetSession(sign_in_service_pb2.GetSessionRequest(session_token=person.session_token))
    assert (await call).session.email == person.email
    assert await call.code() is grpc.StatusCode.OK
    refused = asynchronous.sign_in.GetSession(UNKNOWN)
    assert await refused.code() is grpc.StatusCode.FAILED_PRECONDITION
    with pytest.raises(SessionEnded):
        await refused


async def test_a_typed_error_is_an_error_of_grpc_too(asynchronous: AsyncTwoFactor) -> None:
    """Programs that catch grpc's own, and instrumentation that asks it for its code, go on working."""
    with pytest.raises(grpc.RpcError) as caught:
        await asynchronous.sign_in.GetSession(UNKNOWN)
    assert isinstance(caught.value, TwoFactorError)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert caught.value.details() == "The session is over."
    assert str(caught.value) == "FAILED_PRECONDITION SESSION_ENDED: The session is over."
    assert UNKNOWN.session_token not in repr(caught.value)


async def test_the_request_of_the_caller_is_left_as_it_is(asynchronous: AsyncTwoFactor, people: People) -> None:
    person = await people.with_authenticator()
    request = two_factor_service_pb2.RegenerateBackupCodeRequest(
        session_token=person.session_token, reauthentication=types_pb2.Reauthentication(password=person.password)
    )
    first = await asynchronous.two_factor.RegenerateBackupCode(request)
    assert request.request_id == ""
    second = await asynchronous.two_factor.RegenerateBackupCode(request)
    assert (first.backup_code.generation, second.backup_code.generation) == (2, 3)


async def test_a_cancelled_call_is_cancelled_on_the_server(channel: grpc.aio.Channel) -> None:
    async with standing_before(channel) as (front, address), AsyncTwoFactor(address) as client:
        front.scripts["GetSession"].append({"silent": True})
        call = asyncio.ensure_future(client.sign_in.GetSession(UNKNOWN))
        while not front.received["GetSession"]:
            await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


async def test_the_deadline_of_the_contract_is_told_to_the_server() -> None:
    told: list[float | None] = []

    class Listening(grpc.GenericRpcHandler):
        def service(self, call: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
            async def handle(_: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
                told.append(context.time_remaining())
                return b""

            return grpc.unary_unary_rpc_method_handler(handle)

    server = grpc.aio.server()
    server.add_generic_rpc_handlers([Listening()])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with AsyncTwoFactor(f"127.0.0.1:{port}") as client:
        await client.sign_in.GetSession(UNKNOWN)
        await client.sign_in.SignOut(sign_in_service_pb2.SignOutRequest())
        await client.accounts.CreateAccount(account_service_pb2.CreateAccountRequest())
        await client.sign_in.GetSession(UNKNOWN, timeout=90)
    await server.stop(None)
    for remaining, given in zip(told, (2, 5, 10, 90), strict=True):
        assert remaining is not None
        # A timeout travels rounded up to what its unit can hold.
        assert given - 1.9 < remaining < given + 1
