"""The cases, read from `cases/*.yaml` and made from what the contract says itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from clients.conformance.ground import DIRECT
from clients.conformance.made import made

CASES = Path(__file__).parent / "cases"

_CASE = {"case", "given", "through", "steps"}
_STEPS: dict[str, set[str]] = {
    "call": {"with", "timeout_ms", "answer", "refused", "keep", "times", "at_least_ms"},
    "request_id": {"with", "is", "keep"},
    "show": {"with", "hides"},
    "mail": {"to", "count", "keep"},
    "link": {"to", "count", "keep"},
    "app": {"steps", "secret", "wrong"},
    "typed": {"of", "as"},
    "now": {"minus"},
    "advance": set(),
    "lose": set(),
    "front": {"answer", "refuse", "newer", "silent", "always", "times"},
    "attempts": set(),
    "repeat": {"steps"},
}


@dataclass(frozen=True)
class Case:
    """One story. `given` is the person it begins with, `through` the way that the driver is connected by."""

    name: str
    file: str
    given: str
    through: str
    steps: list[dict[str, Any]]

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"


class BadCase(Exception):
    """A case that cannot be played as it is written."""


def all_cases(folder: Path = CASES) -> list[Case]:
    """Those of the folder's files in alphabetical order, then the made ones; no two have one name."""
    cases = [case for path in sorted(folder.glob("*.yaml")) for case in _read(path)]
    if folder == CASES:
        cases += [Case(name, "made", "", way, steps) for name, way, steps in made()]
    names = [str(case) for case in cases]
    if twice := {name for name in names if names.count(name) > 1}:
        raise BadCase(f"two cases of one name: {', '.join(sorted(twice))}")
    return cases


def _read(path: Path) -> Iterator[Case]:
    file = path.relative_to(CASES).with_suffix("").as_posix()
    for given in yaml.safe_load(path.read_text(encoding="utf-8")):
        where = f"{file}: {given.get('case')}"
        if unknown := given.keys() - _CASE:
            raise BadCase(f"{where}: no such part: {', '.join(sorted(unknown))}")
        for step in given["steps"]:
            kinds = step.keys() & _STEPS.keys()
            if len(kinds) != 1 or (step.keys() - kinds) - _STEPS[next(iter(kinds))]:
                raise BadCase(f"{where}: a step with {', '.join(step)}")
        yield Case(given["case"], file, given.get("given", ""), given.get("through", DIRECT), given["steps"])
