"""``python -m tests.clients.python.minimum_versions``: runs the conformance cases on the oldest supported dependencies.

Builds the wheels of twofactor-proto and twofactor-client and installs them with exactly their minimum versions into a
new virtual environment. Needs a package index, so it is not part of `make test`; `.ci/run` calls it. The exit status is
1 if a case failed.
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
from clients.conformance.suite import run_suite

PACKAGES = (ROOT / "proto" / "python", ROOT / "clients" / "python")
DRIVER = ROOT / "clients" / "python" / "conformance" / "driver.py"


def minimum_versions() -> dict[str, str]:
    """The lower bound that the packages declare for each third-party dependency."""
    bounds: dict[str, str] = {}
    for package in PACKAGES:
        with (package / "pyproject.toml").open("rb") as file:
            requirements: list[str] = tomllib.load(file)["project"]["dependencies"]
        for requirement in requirements:
            if requirement.startswith("twofactor-"):
                continue
            match = re.match(r"([\w-]+)>=([\d.]+)", requirement)
            assert match, f"{requirement} has no lower bound"
            name, version = match.groups()
            assert bounds.setdefault(name, version) == version, f"the packages declare different bounds for {name}"
    return bounds


def main() -> int:
    pins = [f"{name}=={version}" for name, version in sorted(minimum_versions().items())]
    with tempfile.TemporaryDirectory(prefix="twofactor-minimum-") as folder:
        venv = Path(folder) / "venv"
        python = venv / "bin" / "python"
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        build_wheels = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder]
        subprocess.run([*pip, *build_wheels, *map(str, PACKAGES)], check=True)
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
        wheels = [str(path) for path in Path(folder).glob("*.whl")]
        venv_pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*venv_pip, "install", *wheels, *pins], check=True)
        report = Report()
        report.console.print(f"The Python client on {', '.join(pins)}:", soft_wrap=True)
        driver = [str(python), "-W", "error", str(DRIVER)]
        drivers = {"python": driver, "python-asyncio": [*driver, "--asyncio"]}
        languages = [Language(name, "clients/python", [], [], [], command) for name, command in drivers.items()]
        asyncio.run(run_suite(languages, all_cases(), report))
        return report.finish()


if __name__ == "__main__":
    sys.exit(main())
