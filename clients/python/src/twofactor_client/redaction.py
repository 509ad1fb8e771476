"""Formats messages without their secrets.

Python's protobuf ignores `debug_redact`: `str(message)` shows passwords and codes, and so does a log line or a
traceback that contains the message. `redact_messages` replaces `str` and `repr` of the contract's messages.
"""

from collections.abc import Iterable
from typing import Any

from google.protobuf import message_factory, text_format
from google.protobuf.descriptor import FieldDescriptor, FileDescriptor
from google.protobuf.message import Message

REDACTED = "[hidden]"


def shown(message: Message) -> str:
    """The message in one line, such as `PasswordCredential(email: "ada@example.test" password: "[hidden]")`.

    Fields that the contract marks as secret are redacted at any depth. Unknown fields are omitted, because they may be
    secret.
    """
    copy = type(message)()
    copy.CopyFrom(message)
    copy.DiscardUnknownFields()
    _redact(copy)
    return f"{message.DESCRIPTOR.name}({text_format.MessageToString(copy, as_one_line=True, as_utf8=True)})"


def redact_messages(files: Iterable[FileDescriptor]) -> None:
    """Make `str`, `repr` and f-strings format the messages of these files as `shown` does."""
    for file in files:
        for descriptor in file.message_types_by_name.values():
            message_class: Any = message_factory.GetMessageClass(descriptor)
            message_class.__str__ = message_class.__repr__ = shown


def _redact(message: Message) -> None:
    for field, value in message.ListFields():
        if field.GetOptions().debug_redact:
            _redact_field(message, field)
        elif field.message_type is not None:
            for nested in value if field.is_repeated else (value,):
                _redact(nested)


def _redact_field(message: Message, field: FieldDescriptor) -> None:
    message.ClearField(field.name)
    if field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated:
        setattr(message, field.name, REDACTED)
