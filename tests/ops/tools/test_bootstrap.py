"""tools/bootstrap.py and find_python.sh: when .venv is created, when it is recreated, and how they fail."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import bootstrap

ROOT = Path(__file__).parents[3]


def start(root: Path) -> subprocess.Popen[str]:
    """A process that creates an environment without packages under `root`."""
    program = (
        f"from pathlib import Path; from tools import bootstrap; bootstrap.ensure_environment(Path({str(root)!r}), ())"
    )
    return subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh clone with an empty lock, in a folder with a space in its name."""
    root = tmp_path / "a clone"
    root.mkdir()
    (root / "requirements.lock").write_text("# nothing\n")
    return root


def test_concurrent_calls_create_the_environment_once(clone: Path) -> None:
    both = [start(clone), start(clone)]
    printed = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("Setting up .venv" in text for text in printed) == 1
    assert subprocess.run([clone / ".venv/bin/python", "-c", ""], check=False).returncode == 0

    made = (clone / ".venv").stat().st_mtime_ns
    third = start(clone)
    assert third.communicate(timeout=60)[0] == ""
    assert (clone / ".venv").stat().st_mtime_ns == made


def test_a_changed_lock_or_folder_changes_the_fingerprint(clone: Path) -> None:
    before = bootstrap.environment_fingerprint(clone)
    assert bootstrap.environment_fingerprint(clone) == before

    (clone / "requirements.lock").write_text("# something\n")
    changed = bootstrap.environment_fingerprint(clone)
    assert changed != before

    # Scripts in .venv/bin contain the path of their folder, so a copied one would run the other folder's code.
    moved = clone.rename(clone.with_name("moved"))
    assert bootstrap.environment_fingerprint(moved) != changed


def test_a_changed_package_is_reinstalled_in_the_existing_environment(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    (clone / ".venv").mkdir()
    monkeypatch.setattr(bootstrap, "create_environment", lambda root: done.append("environment"))
    monkeypatch.setattr(bootstrap, "install_packages", lambda root, packages: done.append("packages"))
    for version in ("0.1.0", "0.2.0", "0.2.0"):
        (clone / "pyproject.toml").write_text(f"version = {version}")
        bootstrap.ensure_environment(clone, (".",))
    assert done == ["environment", "packages", "packages"]


def test_an_incomplete_environment_is_recreated(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(root: Path) -> None:
        (root / ".venv").mkdir(exist_ok=True)
        raise KeyboardInterrupt

    created: list[Path] = []
    monkeypatch.setattr(bootstrap, "create_environment", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bootstrap.ensure_environment(clone, ())
    monkeypatch.setattr(bootstrap, "create_environment", created.append)
    bootstrap.ensure_environment(clone, ())
    assert created == [clone]


def test_a_python_without_ensurepip_fails_with_the_package_to_install(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(bootstrap.BootstrapError, match=r"the package python3\.\d+-venv"):
        bootstrap.ensure_environment(clone, ())
    assert not (clone / ".venv").exists()


def find_python(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs find_python.sh with only the programs in `folder` on PATH."""
    return subprocess.run(
        ["/bin/sh", ROOT / "tools/find_python.sh"],
        cwd=folder,
        env={"PATH": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def add_python(folder: Path, name: str, *, supported: bool) -> None:
    """Puts a fake Python on that PATH; its exit status answers the version check."""
    program = folder / name
    program.write_text(f"#!/bin/sh\nexit {0 if supported else 1}\n")
    program.chmod(0o755)


def test_the_first_supported_python_is_used(tmp_path: Path) -> None:
    add_python(tmp_path, "python3", supported=True)
    add_python(tmp_path, "python3.11", supported=False)
    add_python(tmp_path, "python3.12", supported=True)
    answer = find_python(tmp_path)
    assert answer.returncode == 0
    assert os.path.basename(answer.stdout.strip()) == "python3.12"


@pytest.mark.parametrize("environment", [{}, {"PYTHON": "python3"}])
def test_no_supported_python_fails_with_one_line(tmp_path: Path, environment: dict[str, str]) -> None:
    add_python(tmp_path, "python3", supported=False)
    answer = find_python(tmp_path, **environment)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert "Python 3.11 or newer" in answer.stderr
    assert answer.stderr.count("\n") == 1
