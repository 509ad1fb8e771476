"""Reading the fields of a request: their sizes, their formats, and the path of a field in a refusal."""

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import TypeVar
from uuid import UUID

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from twofactor_server.crypto.tokens import MalformedToken, Token, TokenKind, parse_token
from twofactor_server.domain.emails import normalise_email
from twofactor_server.domain.passwords import normalise_password
from twofactor_server.domain.refusals import InvalidValue, Reason, Refusal

T = TypeVar("T")

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
    """In place of a request whose bytes are not a message of its type."""


def refuse_field(field: str, rule: str) -> Refusal:
    """INVALID_FIELD. ``field`` is the path from the root of the request; ``rule`` says what it must be."""
    return Refusal(Reason.INVALID_FIELD, field=field, rule=rule)


@contextmanager
def name_fields(fields: Mapping[Reason, str]) -> Iterator[None]:
    """Add the path of the field to a refusal that comes from a flow, by the refusal's reason."""
    try:
        yield
    except Refusal as refusal:
        if not refusal.field:
            refusal.field = fields.get(refusal.reason, "")
        raise


def check_strings(message: Message, path: str = "") -> None:
    """Refuse a string that is too long or contains NUL, anywhere in the message. The refusal never shows its value."""
    for field in _string_fields(message.DESCRIPTOR):
        value = getattr(message, field.name)
        if field.message_type is None:
            if value:
                _check_string(value, field.name, path + field.name)
        elif message.HasField(field.name):
            check_strings(value, f"{path}{field.name}.")


def required(text: str, field: str) -> str:
    """The text; empty: INVALID_FIELD."""
    if not text:
        raise refuse_field(field, "required")
    return text


def parse(parser: Callable[[str], T], text: str, field: str) -> T:
    """What ``parser`` makes of the text; InvalidValue becomes INVALID_FIELD."""
    try:
        return parser(text)
    except InvalidValue as error:
        raise refuse_field(field, str(error)) from None


def email(text: str, field: str) -> str:
    """A normalised e-mail address."""
    return parse(normalise_email, text, field)


def password(text: str, field: str) -> str:
    """A normalised password."""
    return parse(normalise_password, text, field)


def token(kind: TokenKind, text: str, field: str) -> Token:
    """A token of this kind."""
    try:
        return parse_token(kind, required(text, field))
    except MalformedToken as error:
        raise refuse_field(field, str(error)) from None


def challenge_token(text: str) -> Token:
    """The field ``challenge_token``."""
    return token(TokenKind.CHALLENGE, text, "challenge_token")


def session_token(text: str) -> Token:
    """The field ``session_token``."""
    return token(TokenKind.SESSION, text, "session_token")


def absent(message: Message, *names: str) -> None:
    """Reject a field that conflicts with the rest of the request."""
    for name in names:
        if getattr(message, name):
            raise refuse_field(name, "not together with an identity")


def positive(number: int, field: str) -> int:
    """A number from 1 up."""
    if number < 1:
        raise refuse_field(field, "1 or more")
    return number


def uuid(text: str, field: str) -> UUID:
    """A UUID in its usual form."""
    try:
        parsed = UUID(text)
    except ValueError:
        raise refuse_field(field, "a UUID") from None
    if str(parsed) != text.lower():
        raise refuse_field(field, "a UUID")
    return parsed


def request_id(text: str) -> UUID | None:
    """The field ``request_id``; None if it is empty."""
    return uuid(text, "request_id") if text else None


def ip_address(text: str, field: str) -> str:
    """An IP address in its shortest form, or "" if it is not known."""
    try:
        if "%" not in text:
            return str(ipaddress.ip_address(text)) if text else ""
    except ValueError:
        pass
    raise refuse_field(field, "an IPv4 or IPv6 address, without port or zone")


def time(timestamp: Timestamp, field: str) -> datetime:
    """An aware time in UTC."""
    try:
        return timestamp.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise refuse_field(field, "a time from year 1 to 9999") from None


@cache
def _string_fields(descriptor: Descriptor) -> tuple[FieldDescriptor, ...]:
    """The fields that contain strings, directly or in their messages."""
    return tuple(field for field in descriptor.fields if _contains_strings(field))


def _contains_strings(field: FieldDescriptor) -> bool:
    if field.message_type is not None:
        return bool(_string_fields(field.message_type))
    return field.type == FieldDescriptor.TYPE_STRING


def _check_string(value: str, name: str, path: str) -> None:
    if "\0" in value:
        raise refuse_field(path, "must not contain NUL")
    if name in _PASSWORDS:
        if len(value.encode()) > _PASSWORD_BYTES:
            raise refuse_field(path, f"at most {_PASSWORD_BYTES} bytes")
    elif len(value) > (max_length := _LENGTHS.get(name, _DEFAULT_LENGTH)):
        raise refuse_field(path, f"at most {max_length} characters")
