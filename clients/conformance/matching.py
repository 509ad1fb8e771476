"""Compares the values that a case expects with the actual ones, and substitutes variables.

Expected objects may omit keys; everything else must be equal. A placeholder may replace a value: `<any>` (present
and not empty), `<absent>`, `<uuid>`, `<uuid4>`, `<backup code>`, `<1..30000>` (an integer in the range), `<regex …>`
(matches the whole text).
"""

import re
from collections.abc import Iterator, Mapping
from string import Template
from typing import Any

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-%s[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
_BACKUP_CODE_GROUP = "[0-9abcdefghjkmnpqrstvwxyz]{4}"
_PATTERNS = {
    "<uuid>": _UUID % "[0-9a-f]",
    "<uuid4>": _UUID % "4",
    "<backup code>": " ".join([_BACKUP_CODE_GROUP] * 4),
}
_RANGE = re.compile(r"<(\d+)\.\.(\d+)>")
_REGEX = re.compile(r"<regex (.*)>", re.DOTALL)

MISSING = object()

_MAX_DESCRIPTION = 300


def differences(expected: Any, actual: Any, path: str = "") -> Iterator[str]:
    """One sentence per difference."""
    subject = path or "the value"
    if isinstance(expected, Mapping):
        if not isinstance(actual, Mapping):
            yield f"{subject} is {describe(actual)}, not an object"
            return
        for key, value in expected.items():
            yield from differences(value, actual.get(key, MISSING), f"{path}.{key}" if path else str(key))
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for index, value in enumerate(expected):
            yield from differences(value, actual[index], f"{path}[{index}]")
    elif not _matches(expected, actual):
        yield f"{subject} is {describe(actual)}, not {describe(expected)}"


def describe(value: Any) -> str:
    """The value for a message, truncated if it is long."""
    if value is MISSING:
        return "absent"
    text = repr(value)
    return text if len(text) <= _MAX_DESCRIPTION else f"{text[:_MAX_DESCRIPTION]}…"


def substitute(value: Any, variables: Mapping[str, Any]) -> Any:
    """Replace `$name` by the variable, whatever its type, and variables within a text by their text."""
    if isinstance(value, Mapping):
        return {substitute(key, variables): substitute(item, variables) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, variables) for item in value]
    if not isinstance(value, str) or "$" not in value:
        return value
    if re.fullmatch(r"\$[a-z_0-9]+", value):
        return variables[value[1:]]
    return Template(value).substitute(variables)


def value_at(value: Any, path: str) -> Any:
    """The value at a path such as `challenge.waits.0.method`. Raises KeyError."""
    for key in path.split("."):
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (IndexError, KeyError, TypeError):
            raise KeyError(path) from None
    return value


def _matches(expected: Any, actual: Any) -> bool:
    if not (isinstance(expected, str) and expected.startswith("<")):
        # In Python True equals 1; in JSON it does not.
        return actual is not MISSING and type(expected) is type(actual) and bool(expected == actual)
    if expected == "<absent>":
        return actual is MISSING or actual is None
    if expected == "<any>":
        return actual is not MISSING and actual not in (None, "", [], {})
    if bounds := _RANGE.fullmatch(expected):
        return type(actual) is int and int(bounds[1]) <= actual <= int(bounds[2])
    regex = _REGEX.fullmatch(expected)
    pattern = regex[1] if regex else _PATTERNS[expected]
    return isinstance(actual, str) and re.fullmatch(pattern, actual, re.DOTALL) is not None
