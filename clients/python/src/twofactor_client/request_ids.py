"""The request_id of a logical call: a form sent twice, by a double click or a reload, is the same call."""

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
_UNSEEN = re.compile(r"Z.|Cc|Cf|Pd")


def with_request_id(request: Request) -> Request:
    """The request as it is sent: a copy with a request_id if it has room for one and holds none, else itself.

    For codes it is derived from the token and the code, so that it is the same each time; the token's 256 random
    bits keep the code from being guessed out of it. For everything else it is a random one: asking twice means it
    twice, unless the caller keeps what this returns and sends that again.
    """
    asked: Any = request
    if "request_id" not in request.DESCRIPTOR.fields_by_name or asked.request_id:
        return request
    copy: Any = type(request)()
    copy.CopyFrom(request)
    method = request.DESCRIPTOR.name.removesuffix("Request")
    content = _CONTENTS.get(method)
    copy.request_id = str(uuid5(NAMESPACE, "\n".join(content(asked, method))) if content else uuid4())
    filled: Request = copy
    return filled


def normal_form(typed: str, *, backup_code: bool) -> str:
    """What a typed code means: NFKC, without separators, controls, invisible marks and dashes, A to Z in lower case.

    In a backup code o is read as 0, i and l as 1. Whether the result is a code is for the server to say.
    """
    kept = "".join(c for c in unicodedata.normalize("NFKC", typed) if not _UNSEEN.match(unicodedata.category(c)))
    lower = kept.translate(_ASCII_LOWER)
    return lower.translate(_LOOK_ALIKES) if backup_code else lower


def _digits(request: Any, method: str) -> tuple[str, ...]:
    return request.challenge_token, method, normal_form(request.code, backup_code=False)


def _backup_code(request: Any, method: str) -> tuple[str, ...]:
    return request.challenge_token, method, normal_form(request.backup_code, backup_code=True)


def _setup(request: Any, method: str) -> tuple[str, ...]:
    return (
        request.session_token,
        method,
        request.setup_id.translate(_ASCII_LOWER),
        normal_form(request.code, backup_code=False),
    )


_CONTENTS: Mapping[str, Callable[[Any, str], tuple[str, ...]]] = {
    "VerifyEmailCode": _digits,
    "VerifyAuthenticatorCode": _digits,
    "UseBackupCode": _backup_code,
    "ConfirmAuthenticatorSetup": _setup,
}
