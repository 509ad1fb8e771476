"""Checks, offline, that requirements.lock satisfies every declared dependency.

Each requirement of requirements.in and of the packages' pyproject.toml must be pinned to a version that it allows, each
pin must have hashes, and the lock must not name a package source, which is the choice of each installation. Prints one
line per problem; exit status 1 if there is one. `make lock` fixes them.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("proto/python", "clients/python", "clients/cli", ".")

PACKAGE_SOURCE = re.compile(r"--(?:extra-)?index-url|--find-links|--trusted-host|://|^\s*(?:-e\b|\.{0,2}/)| @ ")


def main(root: Path = ROOT) -> int:
    found = list(problems(root))
    for problem in found:
        print(f"requirements.lock: {problem}")
    return 1 if found else 0


def problems(root: Path) -> Iterator[str]:
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    for number, line in enumerate(lock.splitlines(), start=1):
        if PACKAGE_SOURCE.search(line):
            yield f"line {number} names a package source"
    pins = parse_pins(lock)
    for name, has_hash in pins.items():
        if not all(has_hash.values()):
            yield f"{name} has no hash"
    own = {canonicalize_name(read_project(root, package).name) for package in PACKAGES}
    for file, requirement in declared_requirements(root):
        name = canonicalize_name(requirement.name)
        if name in own:
            continue
        if name not in pins:
            yield f"{requirement.name}, required by {file}, is not pinned"
        elif not all(requirement.specifier.contains(version, prereleases=True) for version in pins[name]):
            versions = ", ".join(str(version) for version in pins[name])
            yield f"{name} is pinned to {versions}, but {file} requires {requirement}"


def parse_pins(lock: str) -> dict[str, dict[Version, bool]]:
    """Name → pinned version → whether it has a hash. Several versions only where platforms differ."""
    entries = re.split(r"\n(?=[A-Za-z0-9])", "\n" + lock)
    pins: dict[str, dict[Version, bool]] = {}
    for entry in entries:
        if match := re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", entry):
            versions = pins.setdefault(canonicalize_name(match[1]), {})
            versions[Version(match[2])] = "--hash=sha256:" in entry
    return pins


def declared_requirements(root: Path) -> Iterator[tuple[str, Requirement]]:
    """Every requirement, with the name of the file that declares it."""
    for line in (root / "requirements.in").read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text and not text.startswith("-"):
            yield "requirements.in", Requirement(text)
    for package in PACKAGES:
        for text in read_project(root, package).dependencies:
            yield (Path(package) / "pyproject.toml").as_posix(), Requirement(text)


class Project(NamedTuple):
    """The `[project]` table of a package of this repository."""

    name: str
    dependencies: list[str]


def read_project(root: Path, package: str) -> Project:
    with (root / package / "pyproject.toml").open("rb") as file:
        table = tomllib.load(file)["project"]
    return Project(table["name"], table.get("dependencies", []))


if __name__ == "__main__":
    sys.exit(main())
