"""How the contract is asked: for the person at one client, over one channel; any other status than OK is Refused."""

import time
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from twofactor.v1.account_service_pb2_grpc import AccountServiceStub
from twofactor.v1.sign_in_service_pb2_grpc import SignInServiceStub
from twofactor.v1.two_factor_service_pb2_grpc import TwoFactorServiceStub
from twofactor.v1.types_pb2 import ClientInfo
from twofactor_client import with_request_id
from twofactor_try.refusals import Refused

TIMEOUT_SECONDS = 10.0
"""Said with each call: exact, and told to the server. The service config's own, where shorter, counts as well."""

PATIENCE_SECONDS = 20.0
"""How long a call that is answered OVERLOADED is repeated."""

Request = TypeVar("Request", bound=Message)
Answer = TypeVar("Answer")


class Asking:
    """What a calling service may ask, for the person at `client`.

    A `request_id` left out is the one that every client sends: derived from the token and the code, so that the same
    form typed twice is the same call, or a new one where nothing is typed that says so. "" wants no replay.
    """

    def __init__(self, channel: grpc.Channel, client: ClientInfo) -> None:
        self._channel = channel
        self._client = client
        self._accounts = AccountServiceStub(channel)
        self._sign_ins = SignInServiceStub(channel)
        self._factors = TwoFactorServiceStub(channel)
        self.turned_away = 0
        """How often a call was answered OVERLOADED and asked again."""

    def _ask(
        self,
        method: "grpc.UnaryUnaryMultiCallable[Request, Answer]",
        request: Request,
        request_id: str | None = None,
    ) -> Answer:
        """The answer; OVERLOADED (nothing was charged) is waited out as RetryInfo says, with the same request_id."""
        request = with_request_id(request) if request_id is None else _named(request, request_id)
        last_moment = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return method(request, timeout=TIMEOUT_SECONDS)
            except grpc.RpcError as error:
                refused = Refused(error)
            if refused.reason != "OVERLOADED" or time.monotonic() > last_moment:
                raise refused
            self.turned_away += 1
            time.sleep(refused.retry_after or 0.1)


def _named(request: Request, request_id: str) -> Request:
    named: Any = request
    named.request_id = request_id
    return request
