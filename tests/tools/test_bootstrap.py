"""Setting up .venv: done once, done again only for a reason, and refused in one sentence."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import bootstrap

ROOT = Path(__file__).parents[2]


def start(root: Path) -> subprocess.Popen[str]:
    """A process of its own that brings up an environment of nothing under `root`."""
    program = f"from pathlib import Path; from tools import bootstrap; bootstrap.bring_up(Path({str(root)!r}), ())"
    return subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh clone in a folder with a space in its name, whose lock names no package."""
    root = tmp_path / "a clone"
    root.mkdir()
    (root / "requirements.lock").write_text("# nothing\n")
    return root


def test_two_at_once_do_it_once_and_a_third_does_nothing(clone: Path) -> None:
    both = [start(clone), start(clone)]
    printed = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("Setting up .venv" in text for text in printed) == 1
    assert subprocess.run([clone / ".venv/bin/python", "-c", ""], check=False).returncode == 0

    made = (clone / ".venv").stat().st_mtime_ns
    third = start(clone)
    assert third.communicate(timeout=60)[0] == ""
    assert (clone / ".venv").stat().st_mtime_ns == made


def test_another_lock_or_another_folder_is_a_reason(clone: Path) -> None:
    before = bootstrap.environment_print(clone)
    assert bootstrap.environment_print(clone) == before

    (clone / "requirements.lock").write_text("# something\n")
    changed = bootstrap.environment_print(clone)
    assert changed != before

    # Programs in .venv/bin name the folder they were made in; a copied one would run the other folder's code.
    moved = clone.rename(clone.with_name("moved"))
    assert bootstrap.environment_print(moved) != changed


def test_a_changed_package_is_installed_again_and_nothing_else(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    (clone / ".venv").mkdir()
    monkeypatch.setattr(bootstrap, "make_environment", lambda root: done.append("environment"))
    monkeypatch.setattr(bootstrap, "install_packages", lambda root, packages: done.append("packages"))
    for version in ("0.1.0", "0.2.0", "0.2.0"):
        (clone / "pyproject.toml").write_text(f"version = {version}")
        bootstrap.bring_up(clone, (".",))
    assert done == ["environment", "packages", "packages"]


def test_half_an_environment_is_made_again(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(root: Path) -> None:
        (root / ".venv").mkdir(exist_ok=True)
        raise KeyboardInterrupt

    tried: list[Path] = []
    monkeypatch.setattr(bootstrap, "make_environment", interrupted)
    with pytest.raises(KeyboardInterrupt):
        bootstrap.bring_up(clone, ())
    monkeypatch.setattr(bootstrap, "make_environment", tried.append)
    bootstrap.bring_up(clone, ())
    assert tried == [clone]


def test_a_python_without_ensurepip_is_refused_with_the_remedy(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(bootstrap.SetUpFailedError, match=r"the package python3\.\d+-venv"):
        bootstrap.bring_up(clone, ())
    assert not (clone / ".venv").exists()


def find_python(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What find_python.sh says where the programs in `folder` are all there is on PATH."""
    return subprocess.run(
        ["/bin/sh", ROOT / "tools/find_python.sh"],
        cwd=folder,
        env={"PATH": str(folder), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def offer(folder: Path, name: str, *, suits: bool) -> None:
    """Puts a program of that name on the PATH that says whether it is new enough when it is asked."""
    program = folder / name
    program.write_text(f"#!/bin/sh\nexit {0 if suits else 1}\n")
    program.chmod(0o755)


def test_the_first_python_that_is_new_enough_is_taken(tmp_path: Path) -> None:
    offer(tmp_path, "python3", suits=True)
    offer(tmp_path, "python3.11", suits=False)
    offer(tmp_path, "python3.12", suits=True)
    answer = find_python(tmp_path)
    assert answer.returncode == 0
    assert os.path.basename(answer.stdout.strip()) == "python3.12"


@pytest.mark.parametrize("environment", [{}, {"PYTHON": "python3"}])
def test_no_python_new_enough_is_one_sentence(tmp_path: Path, environment: dict[str, str]) -> None:
    offer(tmp_path, "python3", suits=False)
    answer = find_python(tmp_path, **environment)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert "Python 3.11 or newer" in answer.stderr
    assert answer.stderr.count("\n") == 1
