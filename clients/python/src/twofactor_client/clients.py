"""The two clients: the generated stubs of the three services, on one channel that looks after each call."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

import grpc

from twofactor.v1 import account_service_pb2, sign_in_service_pb2, two_factor_service_pb2, types_pb2
from twofactor.v1.account_service_pb2_grpc import AccountServiceStub
from twofactor.v1.sign_in_service_pb2_grpc import SignInServiceStub
from twofactor.v1.two_factor_service_pb2_grpc import TwoFactorServiceStub
from twofactor_client.async_calls import AsyncCalls
from twofactor_client.calls import Calls
from twofactor_client.connection import Options, Tls, channel_options
from twofactor_client.showing import hide_secrets

if TYPE_CHECKING:
    # These exist for type checkers only: at run time the stubs serve both kinds of channel.
    from twofactor.v1.account_service_pb2_grpc import AccountServiceAsyncStub
    from twofactor.v1.sign_in_service_pb2_grpc import SignInServiceAsyncStub
    from twofactor.v1.two_factor_service_pb2_grpc import TwoFactorServiceAsyncStub

hide_secrets(
    (
        account_service_pb2.DESCRIPTOR,
        sign_in_service_pb2.DESCRIPTOR,
        two_factor_service_pb2.DESCRIPTOR,
        types_pb2.DESCRIPTOR,
    )
)


class TwoFactor:
    """A blocking client. One serves all threads of a process; close it, or use it in a `with`.

    `address` is `host:port` or `unix:/path`; without `tls` in plaintext. Nothing is sent before the first call.
    Every call takes the contract's request and returns its response, or raises a TwoFactorError; a `timeout` in
    seconds and everything else that generated stubs take may be given with it.
    """

    sign_in: SignInServiceStub
    """First factor, challenge, sessions."""
    two_factor: TwoFactorServiceStub
    """The second factor: proving it, and looking after it."""
    accounts: AccountServiceStub
    """Accounts, and what their owners sign in with."""

    def __init__(self, address: str, tls: Tls | None = None, *, options: Options = ()) -> None:
        own = channel_options(tls, options)
        self._channel = (
            grpc.secure_channel(address, tls.credentials(), own) if tls else grpc.insecure_channel(address, own)
        )
        channel = grpc.intercept_channel(self._channel, Calls())
        self.sign_in = SignInServiceStub(channel)
        self.two_factor = TwoFactorServiceStub(channel)
        self.accounts = AccountServiceStub(channel)

    def close(self) -> None:
        """Close the connection; running calls are cancelled."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncTwoFactor:
    """The same for asyncio: each call is awaited. Make it where the event loop runs."""

    sign_in: "SignInServiceAsyncStub"
    """First factor, challenge, sessions."""
    two_factor: "TwoFactorServiceAsyncStub"
    """The second factor: proving it, and looking after it."""
    accounts: "AccountServiceAsyncStub"
    """Accounts, and what their owners sign in with."""

    def __init__(self, address: str, tls: Tls | None = None, *, options: Options = ()) -> None:
        own = channel_options(tls, options)
        self._channel = (
            grpc.aio.secure_channel(address, tls.credentials(), own, interceptors=[AsyncCalls()])
            if tls
            else grpc.aio.insecure_channel(address, own, interceptors=[AsyncCalls()])
        )
        self.sign_in = SignInServiceStub(self._channel)
        self.two_factor = TwoFactorServiceStub(self._channel)
        self.accounts = AccountServiceStub(self._channel)

    async def close(self) -> None:
        """Close the connection; running calls are cancelled."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
