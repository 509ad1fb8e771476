"""Running `twofactor-try`: in a process of its own, as a script does, or here, where many commands make one story."""

import io
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.servers import Server
from twofactor_try.cli import main
from twofactor_try.phone import Phone

PASSWORD = "a fine long password"
SECONDS = 60


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str


def twofactor_try(*arguments: str, env: Mapping[str, str] | None = None) -> Done:
    """The command in a process of its own, nobody at a terminal."""
    process = subprocess.run(
        [sys.executable, "-m", "twofactor_try", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"COLUMNS": "100", "PYTHONIOENCODING": "utf-8"} | dict(env or {}),
        timeout=SECONDS,
        check=False,
    )
    return Done(process.returncode, process.stdout, process.stderr)


@dataclass(frozen=True)
class Hand:
    """One person's commands against one server, remembered in one state file."""

    address: str
    state: Path

    def run(self, command: str, *arguments: str, stdin: str = "") -> Done:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with redirect_stdout(out), redirect_stderr(err), patch("sys.stdin", io.StringIO(stdin)):
            status = main([command, "--server", self.address, "--state", str(self.state), *arguments])
        for stream in (out, err):
            stream.seek(0)
        return Done(status, out.read(), err.read())

    def says(self, command: str, *arguments: str, stdin: str = "") -> str:
        """What a command that succeeds prints."""
        done = self.run(command, *arguments, stdin=stdin)
        assert done.status == 0, done.err
        return done.out

    def json(self, command: str, *arguments: str, stdin: str = "") -> dict[str, Any]:
        """The answer of a command that succeeds."""
        answer: dict[str, Any] = json.loads(self.says(command, "--json", *arguments, stdin=stdin))
        return answer

    def refused(self, command: str, *arguments: str, stdin: str = "") -> str:
        """What a refused command says after `refused: `."""
        done = self.run(command, *arguments, stdin=stdin)
        assert done.status == 1, done.out
        assert done.out == ""
        return done.err.removeprefix("refused: ").strip()


def unused_address() -> str:
    return f"hand-{secrets.token_hex(6)}@example.test"


def phone_by(server: Server, secret: str) -> Phone:
    """A phone with the server's idea of the time."""
    return Phone(secret, server.clock.now.timestamp() - time.time())
