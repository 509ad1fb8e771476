"""What the terminal can do, and asking the person at it."""

import codecs
import sys

_ERROR_HANDLER = "twofactor_try"

# One character for one, so that what is aligned stays so.
_PLAINER = str.maketrans("✓✗…“”·•→●○│─", '+x~""-*>*o|-')


def tame_output() -> None:
    """Let characters that the terminal's encoding lacks come out as plainer ones instead of as an exception."""
    codecs.register_error(_ERROR_HANDLER, _plainer)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=_ERROR_HANDLER)


def can_show(characters: str) -> bool:
    """Whether standard output's encoding has them."""
    try:
        characters.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def person_present() -> bool:
    """Whether somebody can be asked: both what we read and what we write is a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _plainer(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end].translate(_PLAINER)
    return "".join(c if c.isascii() else "?" for c in lacking), error.end
