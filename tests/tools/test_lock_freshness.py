"""The lock's check: what it finds stale, and what it finds in the lock that should not be there."""

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
    """A repository of three packages, the server asking for `server`, the others for nothing from outside."""
    needs = {"clients/python": "", "clients/cli": "'twofactor-client==0.1.0'", ".": f"'{server}'"}
    names = {"clients/python": "twofactor-client", "clients/cli": "twofactor-try", ".": "twofactor-server"}
    for package, need in needs.items():
        (root / package).mkdir(parents=True, exist_ok=True)
        table = f"[project]\nname = '{names[package]}'\ndependencies = [{need}]\n"
        (root / package / "pyproject.toml").write_text(table)
    (root / "requirements.in").write_text(f"-e .  # itself\n\n# tools\n{requirements}\n")
    (root / "requirements.lock").write_text(lock)
    return root


def test_a_fresh_lock_passes_in_silence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lock_freshness.main(repository(tmp_path)) == 0
    assert capsys.readouterr().out == ""


def test_this_repositorys_lock_is_fresh() -> None:
    assert list(lock_freshness.complaints(lock_freshness.ROOT)) == []


@pytest.mark.parametrize(
    ("requirements", "server", "complaint"),
    [
        ("ruff\nmypy", "grpcio", "mypy, asked for by requirements.in, is not pinned"),
        ("ruff", "alembic", "alembic, asked for by pyproject.toml, is not pinned"),
        ("ruff==0.18", "grpcio", "ruff is pinned to 0.17.6, but requirements.in asks for ruff==0.18"),
        ("ruff", "grpcio>=2", "grpcio is pinned to 1.85.1, but pyproject.toml asks for grpcio>=2"),
    ],
)
def test_a_requirement_that_the_lock_does_not_answer_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], requirements: str, server: str, complaint: str
) -> None:
    root = repository(tmp_path, requirements=requirements, server=server)
    assert lock_freshness.main(root) == 1
    assert capsys.readouterr().out == f"requirements.lock: {complaint}\n"


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
def test_a_place_in_the_lock_is_named(tmp_path: Path, line: str) -> None:
    root = repository(tmp_path, lock=f"{line}\n{LOCK}")
    assert list(lock_freshness.complaints(root)) == ["line 1 says where packages come from"]


def test_a_pin_without_a_hash_is_named(tmp_path: Path) -> None:
    root = repository(tmp_path, lock=LOCK + "pytest==9.2.0\n")
    assert list(lock_freshness.complaints(root)) == ["pytest has no hash"]
