"""The two clients: the generated stubs of the three services on one channel."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

import grpc

from twofactor.v1 import account_service_pb2, sign_in_service_pb2, two_factor_service_pb2, types_pb2
from twofactor.v1.account_service_pb2_grpc import AccountServiceStub
from twofactor.v1.sign_in_service_pb2_grpc import SignInServiceStub
from twofactor.v1.two_factor_service_pb2_grpc import TwoFactorServiceStub
from twofactor_client.connection import Options, Tls, channel_options
from twofactor_client.interceptors import AsyncInterceptor, BlockingInterceptor
from twofactor_client.redaction import redact_messages

if TYPE_CHECKING:
    # Defined for type checkers only: at run time, the same stubs work with both kinds of channel.
    from twofactor.v1.account_service_pb2_grpc import AccountServiceAsyncStub
    from twofactor.v1.sign_in_service_pb2_grpc import SignInServiceAsyncStub
    from twofactor.v1.two_factor_service_pb2_grpc import TwoFactorServiceAsyncStub

redact_messages(
    (
        account_service_pb2.DESCRIPTOR,
        sign_in_service_pb2.DESCRIPTOR,
        two_factor_service_pb2.DESCRIPTOR,
        types_pb2.DESCRIPTOR,
    )
)


class TwoFactor:
    """A blocking client. It is thread-safe; one per process is enough. Close it, or use it as a context manager.

    `address` is `host:port` or `unix:/path`. Without `tls` the connection is plaintext. The client connects on the
    first call. Calls take the contract's requests and return its responses, or raise TwoFactorError. They accept the
    arguments of generated stubs, such as a `timeout` in seconds.
    """

    sign_in: SignInServiceStub
    """The first factor, challenges and sessions."""
    two_factor: TwoFactorServiceStub
    """Verifying and managing the second factor."""
    accounts: AccountServiceStub
    """Accounts, passwords and identities."""

    def __init__(self, address: str, tls: Tls | None = None, *, options: Options = ()) -> None:
        all_options = channel_options(tls, options)
        self._channel = (
            grpc.secure_channel(address, tls.credentials(), all_options)
            if tls
            else grpc.insecure_channel(address, all_options)
        )
        channel = grpc.intercept_channel(self._channel, BlockingInterceptor())
        self.sign_in = SignInServiceStub(channel)
        self.two_factor = TwoFactorServiceStub(channel)
        self.accounts = AccountServiceStub(channel)

    def close(self) -> None:
        """Close the connection and cancel running calls."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncTwoFactor:
    """The client for asyncio: calls are awaited. Create it while the event loop is running."""

    sign_in: "SignInServiceAsyncStub"
    """The first factor, challenges and sessions."""
    two_factor: "TwoFactorServiceAsyncStub"
    """Verifying and managing the second factor."""
    accounts: "AccountServiceAsyncStub"
    """Accounts, passwords and identities."""

    def __init__(self, address: str, tls: Tls | None = None, *, options: Options = ()) -> None:
        all_options = channel_options(tls, options)
        self._channel = (
            grpc.aio.secure_channel(address, tls.credentials(), all_options, interceptors=[AsyncInterceptor()])
            if tls
            else grpc.aio.insecure_channel(address, all_options, interceptors=[AsyncInterceptor()])
        )
        self.sign_in = SignInServiceStub(self._channel)
        self.two_factor = TwoFactorServiceStub(self._channel)
        self.accounts = AccountServiceStub(self._channel)

    async def close(self) -> None:
        """Close the connection and cancel running calls."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
