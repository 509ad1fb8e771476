"""The request_id of a call. Submitting a form twice, by a double click or a reload, is the same call."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID, uuid4, uuid5

from google.protobuf.message import Message

NAMESPACE = UUID("f2033512-6d64-53e7-adf0-f759b2b50235")

Request = TypeVar("Request", bound=Message)

_LOOK_ALIKES = str.maketrans("oil", "011")
_ASCII_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_IGNORED = re.compile(r"Z.|Cc|Cf|Pd")


def with_request_id(request: Request) -> Request:
    """A copy with a request_id, or the request itself if it has one already or has no such field.

    Methods that take a code get an id derived from the token and the code, so the same code is the same call. The 256
    random bits of the token prevent anyone from guessing the code from the id. Other methods get a random id: to repeat
    such a call, send the returned request again.
    """
    message: Any = request
    if "request_id" not in request.DESCRIPTOR.fields_by_name or message.request_id:
        return request
    copy: Any = type(request)()
    copy.CopyFrom(request)
    method = request.DESCRIPTOR.name.removesuffix("Request")
    content = _CONTENTS.get(method)
    copy.request_id = str(uuid5(NAMESPACE, "\n".join(content(message, method))) if content else uuid4())
    prepared: Request = copy
    return prepared


def normal_form(typed: str, *, backup_code: bool) -> str:
    """NFKC without separators, control and format characters and dashes, with A to Z in lower case.

    In a backup code, o becomes 0, and i and l become 1. The result is not validated: the server does that.
    """
    kept = "".join(c for c in unicodedata.normalize("NFKC", typed) if not _IGNORED.match(unicodedata.category(c)))
    lower = kept.translate(_ASCII_LOWER)
    return lower.translate(_LOOK_ALIKES) if backup_code else lower


def _code_content(request: Any, method: str) -> tuple[str, ...]:
    return request.challenge_token, method, normal_form(request.code, backup_code=False)


def _backup_code_content(request: Any, method: str) -> tuple[str, ...]:
    return request.challenge_token, method, normal_form(request.backup_code, backup_code=True)


def _setup_content(request: Any, method: str) -> tuple[str, ...]:
    return (
        request.session_token,
        method,
        request.setup_id.translate(_ASCII_LOWER),
        normal_form(request.code, backup_code=False),
    )


_CONTENTS: Mapping[str, Callable[[Any, str], tuple[str, ...]]] = {
    "VerifyEmailCode": _code_content,
    "VerifyAuthenticatorCode": _code_content,
    "UseBackupCode": _backup_code_content,
    "ConfirmAuthenticatorSetup": _setup_content,
}
