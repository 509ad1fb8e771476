"""Rows of the contract's error table."""

import re
from collections.abc import AsyncIterator, Awaitable, Mapping
from dataclasses import dataclass

import grpc
from google.rpc.status_pb2 import Status

from tests.support.rpc import Refused

Calls = AsyncIterator[Awaitable[object]]

INVALID, STATE = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION
MISSING, SPENT = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.RESOURCE_EXHAUSTED


@dataclass(frozen=True)
class Row:
    """A row of the contract's table; ``details`` maps metadata keys to patterns of their values."""

    code: grpc.StatusCode
    details: Mapping[str, str]
    fields: tuple[str, ...] = ()
    retry: bool = False


def check(refusal: Refused, reason: str, row: Row) -> None:
    """The refusal matches the row and contains no more."""
    assert (refusal.code, refusal.reason, refusal.fields) == (row.code, reason, row.fields)
    assert refusal.metadata.keys() == row.details.keys()
    assert all(re.fullmatch(pattern, refusal.metadata[key]) for key, pattern in row.details.items())
    assert (refusal.retry_after is not None) == row.retry
    assert refusal.retry_after is None or refusal.retry_after > 0
    throttled = {"grpc-retry-pushback-ms"} if row.code is SPENT else set()
    assert refusal.trailers.keys() == {"grpc-status-details-bin"} | throttled
    assert refusal.trailers.get("grpc-retry-pushback-ms", "-1") == "-1"
    details = refusal.trailers["grpc-status-details-bin"]
    assert isinstance(details, bytes)
    assert len(details) < 4096
    status = Status.FromString(details)
    assert (status.code, status.message) == (row.code.value[0], refusal.message)
