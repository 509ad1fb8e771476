"""What a refused call says: the gRPC status, the reason of the contract, and the details beside it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

DOMAIN = "twofactor"
DETAILS_TRAILER = "grpc-status-details-bin"


class Refused(Exception):
    """A call that was answered with a status other than OK.

    `reason` is a name of the contract's ErrorReason without its prefix, "" if the answer gave none (it then comes
    from gRPC itself, or from something that is no twofactor server). `metadata` is that of ErrorInfo, `fields` the
    field violations by path, `retry_after` in seconds, `message` the text of the status.
    """

    def __init__(self, error: grpc.RpcError) -> None:
        # Every RpcError that a call raises is a grpc.Call as well; the types do not know.
        call = cast("grpc.Call", error)
        self.status: str = call.code().name
        self.message: str = call.details() or ""
        self.reason = ""
        self.metadata: Mapping[str, str] = {}
        self.fields: Mapping[str, str] = {}
        self.retry_after: float | None = None
        self._read_details(dict(call.trailing_metadata() or ()).get(DETAILS_TRAILER))
        super().__init__(str(self))

    def __str__(self) -> str:
        """`FAILED_PRECONDITION CODE_ALREADY_USED, used 12:03:04 UTC`."""
        return ", ".join([self.verdict, *self.details])

    @property
    def verdict(self) -> str:
        """Status and reason, without the details."""
        return f"{self.status} {self.reason or '(no reason given)'}"

    @property
    def details(self) -> list[str]:
        """What the answer says beside its reason, each in a few words."""
        words = [_in_words(key, value) for key, value in sorted(self.metadata.items())]
        words += [f"{path}: {rule}" if rule else f"field {path}" for path, rule in self.fields.items()]
        if self.retry_after is not None:
            words.append(f"again in {self.retry_after:.3g} s")
        if not self.reason and self.message:
            words.append(self.message)
        return words

    def as_json(self) -> dict[str, object]:
        """The same for machines."""
        return {
            "status": self.status,
            "reason": self.reason,
            "metadata": dict(self.metadata),
            "fields": dict(self.fields),
            "retry_after_seconds": self.retry_after,
        }

    def _read_details(self, packed: str | bytes | None) -> None:
        if not isinstance(packed, bytes):
            return
        try:
            details = Status.FromString(packed).details
        except DecodeError:
            return
        for detail in details:
            info, fields, retry = ErrorInfo(), BadRequest(), RetryInfo()
            if detail.Unpack(info) and info.domain == DOMAIN:
                self.reason, self.metadata = info.reason, dict(info.metadata)
            elif detail.Unpack(fields):
                self.fields = {one.field: one.description for one in fields.field_violations}
            elif detail.Unpack(retry):
                self.retry_after = retry.retry_delay.ToTimedelta().total_seconds()


def clock_time(moment: datetime) -> str:
    """`12:03:04 UTC`; with its date unless that is today's."""
    moment = moment.astimezone(UTC)
    form = "%H:%M:%S UTC" if moment.date() == datetime.now(UTC).date() else "%Y-%m-%d %H:%M:%S UTC"
    return moment.strftime(form)


def _in_words(key: str, value: str) -> str:
    match key:
        case "used_at":
            try:
                return f"used {clock_time(datetime.fromisoformat(value))}"
            except ValueError:
                return f"used {value}"
        case "attempts_left":
            return f"{value} attempt{'' if value == '1' else 's'} left"
        case "active_method":
            return f"active method {value}"
    return f"{key} {value}"
