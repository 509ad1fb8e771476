"""Reading a request: sizes and NUL for every string in it, and the few forms that a field may have."""

from datetime import UTC, datetime
from functools import cache
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from twofactor_server.domain.refusals import invalid

_DEFAULT_LENGTH = 256
_LENGTHS = {
    "email": 254,
    "new_email": 254,
    "code": 64,
    "backup_code": 64,
    "authenticator_code": 64,
    "user_agent": 512,
    "authorization_code": 2048,
    "redirect_uri": 2048,
}
_PASSWORDS = frozenset({"password", "current_password", "new_password"})
_PASSWORD_BYTES = 1024


class Undecodable:
    """Stands for a request whose bytes are no message of its type."""


def check_strings(message: Message, path: str = "") -> None:
    """Refuse a string that is too long or holds NUL, anywhere in the message, naming its path and never its value."""
    for field in _checked(message.DESCRIPTOR):
        value = getattr(message, field.name)
        if field.message_type is None:
            if value:
                _check_string(value, field.name, path + field.name)
        elif message.HasField(field.name):
            check_strings(value, f"{path}{field.name}.")


def required(text: str, field: str) -> str:
    """The text; empty: INVALID_FIELD."""
    if not text:
        raise invalid(field, "required")
    return text


def absent(message: Message, *names: str) -> None:
    """Refuse a field that goes not with the rest of the request: INVALID_FIELD."""
    for name in names:
        if getattr(message, name):
            raise invalid(name, "not beside an identity")


def positive(number: int, field: str) -> int:
    """A number from 1 up; anything else: INVALID_FIELD."""
    if number < 1:
        raise invalid(field, "1 or more")
    return number


def uuid(text: str, field: str) -> UUID:
    """A UUID in its usual form; anything else: INVALID_FIELD."""
    try:
        parsed = UUID(text)
    except ValueError:
        raise invalid(field, "a UUID") from None
    if str(parsed) != text.lower():
        raise invalid(field, "a UUID")
    return parsed


def request_id(text: str) -> UUID | None:
    """The id of the logical call; empty: none, and no replay is wanted."""
    return uuid(text, "request_id") if text else None


def ip(text: str, field: str) -> str:
    """An IP address in its shortest form, or empty where it is not known."""
    try:
        if "%" not in text:
            return str(ip_address(text)) if text else ""
    except ValueError:
        pass
    raise invalid(field, "an IPv4 or IPv6 address, without port or zone")


def moment(timestamp: Timestamp, field: str) -> datetime:
    """A time within the years that a timestamp may name."""
    try:
        return timestamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise invalid(field, "a time from year 1 to 9999") from None


@cache
def _checked(descriptor: Descriptor) -> tuple[FieldDescriptor, ...]:
    """The fields that hold strings, directly or further in. Times and the like hold none."""
    return tuple(field for field in descriptor.fields if _holds_strings(field))


def _holds_strings(field: FieldDescriptor) -> bool:
    if field.message_type is not None:
        return bool(_checked(field.message_type))
    return field.type == FieldDescriptor.TYPE_STRING


def _check_string(value: Any, name: str, path: str) -> None:
    if "\0" in value:
        raise invalid(path, "must not hold NUL")
    if name in _PASSWORDS:
        if len(value.encode()) > _PASSWORD_BYTES:
            raise invalid(path, f"at most {_PASSWORD_BYTES} bytes")
    elif len(value) > (longest := _LENGTHS.get(name, _DEFAULT_LENGTH)):
        raise invalid(path, f"at most {longest} characters")
