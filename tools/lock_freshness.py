"""Tells, without any network, whether requirements.lock still answers what the repository asks for.

Every requirement of requirements.in and of the packages' pyproject.toml must be pinned to a version that it
allows, every pin must carry hashes, and nothing in the lock may say where packages come from: that is each
installer's own affair. One line per complaint; exit status 1 if there is one. `make lock` mends them.
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
PACKAGES = ("clients/python", "clients/cli", ".")

SOURCE = re.compile(r"--(?:extra-)?index-url|--find-links|--trusted-host|://|^\s*(?:-e\b|\.{0,2}/)| @ ")


def main(root: Path = ROOT) -> int:
    found = list(complaints(root))
    for complaint in found:
        print(f"requirements.lock: {complaint}")
    return 1 if found else 0


def complaints(root: Path) -> Iterator[str]:
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    for number, line in enumerate(lock.splitlines(), start=1):
        if SOURCE.search(line):
            yield f"line {number} says where packages come from"
    pinned = pins(lock)
    for name, hashed in pinned.items():
        if not all(hashed.values()):
            yield f"{name} has no hash"
    own = {canonicalize_name(project(root, package).name) for package in PACKAGES}
    for source, requirement in asked(root):
        name = canonicalize_name(requirement.name)
        if name in own:
            continue
        if name not in pinned:
            yield f"{requirement.name}, asked for by {source}, is not pinned"
        elif not all(requirement.specifier.contains(version, prereleases=True) for version in pinned[name]):
            versions = ", ".join(str(version) for version in pinned[name])
            yield f"{name} is pinned to {versions}, but {source} asks for {requirement}"


def pins(lock: str) -> dict[str, dict[Version, bool]]:
    """Name → pinned versions (more than one only where platforms differ) → whether it carries a hash."""
    entries = re.split(r"\n(?=[A-Za-z0-9])", "\n" + lock)
    pinned: dict[str, dict[Version, bool]] = {}
    for entry in entries:
        if match := re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", entry):
            versions = pinned.setdefault(canonicalize_name(match[1]), {})
            versions[Version(match[2])] = "--hash=sha256:" in entry
    return pinned


def asked(root: Path) -> Iterator[tuple[str, Requirement]]:
    """Every requirement, with the name of the file that states it."""
    for line in (root / "requirements.in").read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text and not text.startswith("-"):
            yield "requirements.in", Requirement(text)
    for package in PACKAGES:
        for text in project(root, package).dependencies:
            yield (Path(package) / "pyproject.toml").as_posix(), Requirement(text)


class Project(NamedTuple):
    """What a package of this repository says of itself."""

    name: str
    dependencies: list[str]


def project(root: Path, package: str) -> Project:
    with (root / package / "pyproject.toml").open("rb") as file:
        table = tomllib.load(file)["project"]
    return Project(table["name"], table.get("dependencies", []))


if __name__ == "__main__":
    sys.exit(main())
