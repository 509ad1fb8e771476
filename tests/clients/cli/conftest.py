"""Fixtures of the command-line client's tests."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.clients.cli.cli import NEW_PASSWORD, PASSWORD, Cli
from tests.support.servers import Server
from twofactor_try.commands import context


@pytest.fixture
def passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands read passwords from the environment."""
    monkeypatch.setenv("TWOFACTOR_TRY_PASSWORD", PASSWORD)
    monkeypatch.setenv("TWOFACTOR_TRY_NEW_PASSWORD", NEW_PASSWORD)


@pytest.fixture
def cli(server: Server, tmp_path: Path, passwords: None) -> Cli:
    return Cli(server, tmp_path / "state" / "tokens.json")


@pytest.fixture
def server_time(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Assertions have the server's time: it rejects one that is older than ten minutes."""
    monkeypatch.setattr(context, "time", SimpleNamespace(time=lambda: server.clock.now.timestamp()))
