"""A refusal as a client sees it: the status, and what its details say."""

from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status import rpc_status


@dataclass(frozen=True)
class Refused:
    """A refusal as a client sees it."""

    code: grpc.StatusCode
    reason: str
    metadata: dict[str, str]
    fields: tuple[str, ...]
    retry_after: float | None
    trailers: dict[str, str]


def refusal(error: grpc.aio.AioRpcError) -> Refused:
    """What the status and its details say."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    trailing: Any = error.trailing_metadata() or ()
    info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
    found: dict[str, Message] = {}
    for detail in status.details if status else ():
        for message in (info, bad, retry):
            if detail.Unpack(message):
                found[message.DESCRIPTOR.name] = message
    assert info.domain in ("", "twofactor")
    return Refused(
        code=error.code(),
        reason=info.reason,
        metadata=dict(info.metadata),
        fields=tuple(violation.field for violation in bad.field_violations),
        retry_after=retry.retry_delay.ToTimedelta().total_seconds() if "RetryInfo" in found else None,
        trailers={key: str(value) for key, value in trailing},
    )
