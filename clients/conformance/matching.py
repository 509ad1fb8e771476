"""What a case expects against what came, and the variables in both.

Expected objects name what they care about; lists and everything else have to be equal. In place of a value may stand:
`<any>` (there, and not empty), `<absent>`, `<uuid>`, `<uuid4>`, `<backup code>`, `<1..30000>` (a number within),
`<regex …>` (the whole text).
"""

import re
from collections.abc import Iterator, Mapping
from string import Template
from typing import Any

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-%s[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
_SYMBOLS = "[0-9abcdefghjkmnpqrstvwxyz]{4}"
_FORMS = {
    "<uuid>": _UUID % "[0-9a-f]",
    "<uuid4>": _UUID % "4",
    "<backup code>": " ".join([_SYMBOLS] * 4),
}
_RANGE = re.compile(r"<(\d+)\.\.(\d+)>")
_REGEX = re.compile(r"<regex (.*)>", re.DOTALL)

MISSING = object()

_LONGEST = 300


def differences(expected: Any, got: Any, path: str = "") -> Iterator[str]:
    """One sentence for each thing that is not as expected."""
    here = path or "it"
    if isinstance(expected, Mapping):
        if not isinstance(got, Mapping):
            yield f"{here} is {told(got)}, not an object"
            return
        for key, value in expected.items():
            yield from differences(value, got.get(key, MISSING), f"{path}.{key}" if path else str(key))
    elif isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        for index, value in enumerate(expected):
            yield from differences(value, got[index], f"{path}[{index}]")
    elif not _fits(expected, got):
        yield f"{here} is {told(got)}, not {told(expected)}"


def told(value: Any) -> str:
    """The value in a sentence; of a long one its beginning."""
    if value is MISSING:
        return "absent"
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def filled(value: Any, variables: Mapping[str, Any]) -> Any:
    """With the variables put in: `$name` is the value itself, whatever its kind; `a $name b` is text."""
    if isinstance(value, Mapping):
        return {filled(key, variables): filled(one, variables) for key, one in value.items()}
    if isinstance(value, list):
        return [filled(one, variables) for one in value]
    if not isinstance(value, str) or "$" not in value:
        return value
    if re.fullmatch(r"\$[a-z_0-9]+", value):
        return variables[value[1:]]
    return Template(value).substitute(variables)


def at_path(value: Any, path: str) -> Any:
    """What stands at a path like `challenge.waits.0.method`; KeyError if there is nothing."""
    for key in path.split("."):
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (IndexError, KeyError, TypeError):
            raise KeyError(path) from None
    return value


def _fits(expected: Any, got: Any) -> bool:
    if not (isinstance(expected, str) and expected.startswith("<")):
        # A flag is no number, and the other way round.
        return got is not MISSING and type(expected) is type(got) and bool(expected == got)
    if expected == "<absent>":
        return got is MISSING or got is None
    if expected == "<any>":
        return got is not MISSING and got not in (None, "", [], {})
    if numbers := _RANGE.fullmatch(expected):
        return type(got) is int and int(numbers[1]) <= got <= int(numbers[2])
    regex = _REGEX.fullmatch(expected)
    form = regex[1] if regex else _FORMS[expected]
    return isinstance(got, str) and re.fullmatch(form, got, re.DOTALL) is not None
