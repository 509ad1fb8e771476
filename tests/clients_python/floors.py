"""``python -m tests.clients_python.floors``: the Python package on the oldest protobuf and grpcio that it declares.

Builds the wheel, installs it with exactly its floors into an environment of its own, and plays the conformance cases
there. Needs a package index, so it is no test of the suite; `.ci/run` calls it. Exit status 1 if a case failed.
"""

import asyncio
import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from clients.conformance.case import all_cases
from clients.conformance.languages import ROOT, Language
from clients.conformance.report import Report
from clients.conformance.suite import play_all

PACKAGE = ROOT / "clients" / "python"


def floors() -> list[str]:
    """`name==version` of every requirement's lower bound. A requirement without one has no place in this package."""
    with (PACKAGE / "pyproject.toml").open("rb") as file:
        requirements: list[str] = tomllib.load(file)["project"]["dependencies"]
    found = [re.match(r"([\w-]+)>=([\d.]+)", requirement) for requirement in requirements]
    return [f"{match[1]}=={match[2]}" for match in found if match] if all(found) else []


def main() -> int:
    pins = floors()
    assert len(pins) == 3, pins
    with tempfile.TemporaryDirectory(prefix="twofactor-floors-") as folder:
        environment = Path(folder) / "environment"
        python = environment / "bin" / "python"
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        wheel = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder, str(PACKAGE)]
        subprocess.run([*pip, *wheel], check=True)
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        (built,) = Path(folder).glob("*.whl")
        own_pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*own_pip, "install", str(built), *pins], check=True)
        report = Report()
        report.console.print(f"The Python client on {', '.join(pins)}:", soft_wrap=True)
        driver = [str(python), "-W", "error", str(PACKAGE / "conformance" / "driver.py")]
        kinds = {"python": driver, "python-asyncio": [*driver, "--asyncio"]}
        languages = [Language(name, "clients/python", [], [], [], command) for name, command in kinds.items()]
        asyncio.run(play_all(languages, all_cases(), report))
        return report.close()


if __name__ == "__main__":
    sys.exit(main())
