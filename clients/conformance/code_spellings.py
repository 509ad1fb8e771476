"""The ways in which people type a code."""

from collections.abc import Callable, Mapping

_ARABIC_INDIC = {ord(str(digit)): chr(0x660 + digit) for digit in range(10)}
_LOOK_ALIKES = str.maketrans("01", "Ol")
_FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_BOLD_DIGITS = {ord(str(digit)): chr(0x1D7CE + digit) for digit in range(10)}

SPELLINGS: Mapping[str, Callable[[str], str]] = {
    "as shown": str,
    "upper case": str.upper,
    "without spaces": lambda code: code.replace(" ", ""),
    "with em dashes": lambda code: code.replace(" ", "\N{EM DASH}"),
    "with hyphens": lambda code: code.replace(" ", "-"),
    "with a space in the middle": lambda code: f"{code[:3]} {code[3:]}",
    "full-width": lambda code: code.translate(_FULL_WIDTH),
    "bold digits": lambda code: code.translate(_BOLD_DIGITS),
    "Arabic-Indic digits": lambda code: code.translate(_ARABIC_INDIC),
    "look-alikes": lambda code: code.translate(_LOOK_ALIKES),
    "with invisible characters": lambda code: "\N{ZERO WIDTH SPACE}".join(code) + "\N{SOFT HYPHEN}",
    "with no-break spaces": lambda code: "\N{NO-BREAK SPACE}" + code.replace(" ", "\N{NARROW NO-BREAK SPACE}") + "\t",
}

NOT_NORMALISED = frozenset({"Arabic-Indic digits"})
"""Spellings that the server reads but NFKC does not change: clients derive another request_id from them."""
