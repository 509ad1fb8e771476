"""tools/lock_freshness.py: unsatisfied requirements, and content that the lock must not have."""

from pathlib import Path

import pytest

from tools import lock_freshness

HASH = " \\\n    --hash=sha256:" + "0" * 64 + "\n"
LOCK = (
    "# made by make lock\n"
    f"grpcio==1.85.1{HASH}    # via twofactor-server\n"
    f"Ruff==0.17.6 ; python_version < '3.14'{HASH}    # via -r requirements.in\n"
)


def repository(root: Path, *, lock: str = LOCK, requirements: str = "ruff", server: str = "grpcio>=1.80") -> Path:
    """A repository of four packages: the server requires `server`, the others only each other."""
    packages = {
        "proto/python": ("twofactor-proto", ""),
        "clients/python": ("twofactor-client", "'twofactor-proto==0.1.0'"),
        "clients/cli": ("twofactor-try", "'twofactor-client==0.1.0'"),
        ".": ("twofactor-server", f"'twofactor-proto==0.1.0', '{server}'"),
    }
    for package, (name, dependencies) in packages.items():
        (root / package).mkdir(parents=True, exist_ok=True)
        table = f"[project]\nname = '{name}'\ndependencies = [{dependencies}]\n"
        (root / package / "pyproject.toml").write_text(table)
    (root / "requirements.in").write_text(f"-e .  # itself\n\n# tools\n{requirements}\n")
    (root / "requirements.lock").write_text(lock)
    return root


def test_a_fresh_lock_passes_without_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lock_freshness.main(repository(tmp_path)) == 0
    assert capsys.readouterr().out == ""


def test_the_lock_of_this_repository_is_fresh() -> None:
    assert list(lock_freshness.problems(lock_freshness.ROOT)) == []


@pytest.mark.parametrize(
    ("requirements", "server", "problem"),
    [
        ("ruff\nmypy", "grpcio", "mypy, required by requirements.in, is not pinned"),
        ("ruff", "alembic", "alembic, required by pyproject.toml, is not pinned"),
        ("ruff==0.18", "grpcio", "ruff is pinned to 0.17.6, but requirements.in requires ruff==0.18"),
        ("ruff", "grpcio>=2", "grpcio is pinned to 1.85.1, but pyproject.toml requires grpcio>=2"),
    ],
)
def test_an_unsatisfied_requirement_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], requirements: str, server: str, problem: str
) -> None:
    root = repository(tmp_path, requirements=requirements, server=server)
    assert lock_freshness.main(root) == 1
    assert capsys.readouterr().out == f"requirements.lock: {problem}\n"


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://packages.example.test/simple",
        "--find-links wheels",
        "-e .",
        "./clients/python",
        "/home/me/grpcio.whl",
        "grpcio @ file:grpcio.whl",
        "# from https://packages.example.test",
    ],
)
def test_a_package_source_in_the_lock_is_reported(tmp_path: Path, line: str) -> None:
    root = repository(tmp_path, lock=f"{line}\n{LOCK}")
    assert list(lock_freshness.problems(root)) == ["line 1 names a package source"]


def test_a_pin_without_a_hash_is_reported(tmp_path: Path) -> None:
    root = repository(tmp_path, lock=LOCK + "pytest==9.2.0\n")
    assert list(lock_freshness.problems(root)) == ["pytest has no hash"]
