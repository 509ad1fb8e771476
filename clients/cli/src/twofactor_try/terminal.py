"""What the terminal can display, and whether a person can be asked."""

import codecs
import sys

_ERROR_HANDLER = "twofactor_try"

# Each replacement has one character, so that columns stay aligned.
_ASCII_REPLACEMENTS = str.maketrans("✓✗…“”·•→●○│─", '+x~""-*>*o|-')


def replace_unencodable_characters() -> None:
    """Print ASCII in place of characters that the terminal's encoding lacks, instead of failing."""
    codecs.register_error(_ERROR_HANDLER, _to_ascii)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=_ERROR_HANDLER)


def can_encode(characters: str) -> bool:
    """Whether standard output can print these characters unchanged."""
    try:
        characters.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def is_interactive() -> bool:
    """Whether a person can be asked: both standard input and standard output are terminals."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _to_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end].translate(_ASCII_REPLACEMENTS)
    return "".join(c if c.isascii() else "?" for c in text), error.end
