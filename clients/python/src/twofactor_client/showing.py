"""Messages as they may be printed and logged: without their secrets.

Python's protobuf does not heed `debug_redact`: `str(message)` shows every password and code, and so does a log line
or a traceback that holds the message. `hide_secrets` gives the contract's messages a `str` and `repr` that do heed it.
"""

from collections.abc import Iterable
from typing import Any

from google.protobuf import message_factory, text_format
from google.protobuf.descriptor import FieldDescriptor, FileDescriptor
from google.protobuf.message import Message

HIDDEN = "[hidden]"


def shown(message: Message) -> str:
    """The message in one line, such as `PasswordCredential(email: "ada@example.test" password: "[hidden]")`.

    Fields that are marked as secret in the contract are hidden at any depth; fields that this version of the
    package does not know are left out, since nothing says whether they are secret.
    """
    safe = type(message)()
    safe.CopyFrom(message)
    safe.DiscardUnknownFields()
    _hide(safe)
    return f"{message.DESCRIPTOR.name}({text_format.MessageToString(safe, as_one_line=True, as_utf8=True)})"


def hide_secrets(files: Iterable[FileDescriptor]) -> None:
    """From now on `str`, `repr` and f-strings show the messages of these files as `shown` does."""
    for file in files:
        for descriptor in file.message_types_by_name.values():
            kind: Any = message_factory.GetMessageClass(descriptor)
            kind.__str__ = kind.__repr__ = shown


def _hide(message: Message) -> None:
    for field, value in message.ListFields():
        if field.GetOptions().debug_redact:
            _hide_field(message, field)
        elif field.message_type is not None:
            for held in value if field.is_repeated else (value,):
                _hide(held)


def _hide_field(message: Message, field: FieldDescriptor) -> None:
    message.ClearField(field.name)
    if field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated:
        setattr(message, field.name, HIDDEN)
