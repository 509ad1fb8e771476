"""Every dash, space and decimal digit of Unicode."""

import unicodedata

_ALL = [chr(point) for point in range(0x110000)]

DASHES = [c for c in _ALL if unicodedata.category(c) == "Pd"]
SPACES = [c for c in _ALL if c.isspace()]
INVISIBLE = ["\N{SOFT HYPHEN}", "\N{ZERO WIDTH SPACE}", "\N{ZERO WIDTH NO-BREAK SPACE}", "\N{WORD JOINER}", "\u202a"]
MINUSES = ["\N{MINUS SIGN}", "\N{SUPERSCRIPT MINUS}", "\N{FULLWIDTH HYPHEN-MINUS}", "\N{SMALL HYPHEN-MINUS}"]

ZEROS = [ord(c) for c in _ALL if unicodedata.decimal(c, None) == 0]
"""The code point of 0 in each script; the other nine digits follow it."""
