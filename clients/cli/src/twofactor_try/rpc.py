"""Calls to the server, through the Python client."""

import time
from typing import Any, TypeVar, cast

import grpc
from google.protobuf.message import Message

from twofactor.v1.types_pb2 import ClientInfo
from twofactor_client import TryAgain, TwoFactor, with_request_id
from twofactor_try.errors import CannotStartError

USER_AGENT = "twofactor-try"

CONNECT_SECONDS = 2.0
OVERLOAD_SECONDS = 20.0
"""How long a call that is answered OVERLOADED is repeated."""

Request = TypeVar("Request", bound=Message)
Response = TypeVar("Response", bound=Message)


def open_client(server: str, *options: tuple[str, str | int]) -> TwoFactor:
    """A client for a server on this machine, so an HTTP proxy named in the environment is ignored."""
    return TwoFactor(server, options=[("grpc.enable_http_proxy", 0), *options])


def check_server(server: str) -> None:
    """Raise CannotStartError unless the server accepts connections."""
    with grpc.insecure_channel(server, options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=CONNECT_SECONDS)
        except grpc.FutureTimeoutError:
            raise CannotStartError(
                f"Cannot connect to {server}. Start a server with `make run`, or pass its address with --server."
            ) from None


class Rpc:
    """The three services, and one way to call their methods for an end user at an IP address."""

    def __init__(self, client: TwoFactor, ip_address: str) -> None:
        self.sign_in = client.sign_in
        self.two_factor = client.two_factor
        self.accounts = client.accounts
        self._client_info = ClientInfo(ip_address=ip_address, user_agent=USER_AGENT)
        self.overload_count = 0
        """How often a call was answered OVERLOADED and repeated."""

    def call(self, method: "grpc.UnaryUnaryMultiCallable[Request, Response]", request: Request) -> Response:
        """Send the request, with this user's ClientInfo unless it has one. Raises TwoFactorError.

        A call that is answered OVERLOADED is repeated after the time that the server asks for.
        """
        request = with_request_id(self._with_client_info(request))
        give_up = time.monotonic() + OVERLOAD_SECONDS
        while True:
            try:
                return method(request)
            except TryAgain as error:
                if error.reason != "OVERLOADED" or time.monotonic() > give_up:
                    raise
                self.overload_count += 1
                time.sleep(error.retry_after.total_seconds() if error.retry_after else 0.1)

    def _with_client_info(self, request: Request) -> Request:
        if "client" in request.DESCRIPTOR.fields_by_name and not request.HasField("client"):
            cast("Any", request).client.CopyFrom(self._client_info)
        return request
