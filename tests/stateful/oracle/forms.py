"""The forms of a request: what is looked at before anything that an account holds."""

import re
import unicodedata

from tests.stateful.oracle.answers import Refused
from tests.stateful.oracle.calls import Call, ConfirmBackupCodeSaved, UseBackupCode

_TOKEN = re.compile(r"(tfc|tfs|tfr)_[\w-]{64}")
_SYMBOLS = re.compile("[0-9a-hjkmnp-tv-z]{16}")


def malformed(call: Call) -> Refused | None:
    """The refusal of a call with a malformed field; None if all are well formed. The programs spoil one at a time."""
    # A generation before the first one comes of having no code yet, beside whatever was spoiled.
    if isinstance(call, ConfirmBackupCodeSaved) and call.generation < 1:
        return Refused("INVALID_FIELD", field="generation")
    for name, kind in (("challenge", "tfc_"), ("session", "tfs_"), ("token", "tfr_")):
        token = getattr(call, name, None)
        if token is not None and not (_TOKEN.fullmatch(token) and token.startswith(kind)):
            return Refused("INVALID_FIELD", field=name if name == "token" else f"{name}_token")
    if isinstance(call, UseBackupCode):
        return None if symbols(call.code) else Refused("INVALID_FIELD", field="backup_code")
    code = getattr(call, "code", None)
    return Refused("INVALID_FIELD", field="code") if code is not None and not digits(code) else None


def symbols(typed: str) -> str:
    """The 16 symbols of a backup code, whatever its case, spaces, dashes and look-alikes; "" if it is none."""
    kept = [c for c in unicodedata.normalize("NFKC", typed).lower() if not (c.isspace() or c in "-\N{EN DASH}")]
    read = "".join(kept).translate(str.maketrans("oil", "011"))
    return read if _SYMBOLS.fullmatch(read) else ""


def digits(typed: str) -> str:
    """The six digits of an e-mail or app code, whatever its spaces; "" if it is none."""
    kept = "".join(typed.split())
    return kept if re.fullmatch("[0-9]{6}", kept) else ""
