"""The test cases: read from `cases/*.yaml`, or generated."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from clients.conformance.generated_cases import generate_cases

CASES = Path(__file__).parent / "cases"

_CASE_KEYS = {"name", "precondition", "transport", "steps"}
_STEP_KEYS: dict[str, set[str]] = {
    "call": {"request", "response", "error", "save", "times", "timeout_ms", "min_duration_ms"},
    "request_id": {"request", "expected", "save"},
    "format": {"request", "secrets"},
    "await_email": {"to", "count", "save"},
    "await_link": {"to", "count", "save"},
    "totp": {"save"},
    "spell": {"style", "save"},
    "timestamp": {"save"},
    "advance_clock": set(),
    "drop": set(),
    "script": {"response", "error", "unknown_fields", "hang", "always", "times"},
    "attempts": set(),
    "repeat": {"steps"},
}


class InvalidCaseError(Exception):
    """A case does not follow the format."""


@dataclass(frozen=True)
class Case:
    """A scenario that every client runs. `file` is the file that defines it."""

    file: str
    name: str
    precondition: str
    transport: str
    steps: list[dict[str, Any]]

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"


def all_cases() -> list[Case]:
    """The cases of the YAML files in alphabetical order, then the generated ones."""
    return _unique([*_read_folder(CASES), *(_parse("generated", case) for case in generate_cases())])


def read_cases(folder: Path) -> list[Case]:
    """The cases of the folder's YAML files."""
    return _unique(_read_folder(folder))


def _read_folder(folder: Path) -> Iterator[Case]:
    for path in sorted(folder.glob("*.yaml")):
        for case in yaml.safe_load(path.read_text(encoding="utf-8")):
            yield _parse(path.stem, case)


def _parse(file: str, case: dict[str, Any]) -> Case:
    where = f"{file}: {case.get('name')}"
    if unknown := case.keys() - _CASE_KEYS:
        raise InvalidCaseError(f"{where}: unknown key {', '.join(sorted(unknown))}")
    _check_steps(where, case["steps"])
    return Case(file, case["name"], case.get("precondition", "none"), case.get("transport", "direct"), case["steps"])


def _check_steps(where: str, steps: list[dict[str, Any]]) -> None:
    for step in steps:
        kinds = step.keys() & _STEP_KEYS.keys()
        if len(kinds) != 1 or (step.keys() - kinds) - _STEP_KEYS[next(iter(kinds))]:
            raise InvalidCaseError(f"{where}: invalid step with the keys {', '.join(step)}")
        if "repeat" in step:
            _check_steps(where, step["steps"])


def _unique(cases: Iterable[Case]) -> list[Case]:
    by_name: dict[str, Case] = {}
    for case in cases:
        if str(case) in by_name:
            raise InvalidCaseError(f"two cases have the name {case}")
        by_name[str(case)] = case
    return list(by_name.values())
