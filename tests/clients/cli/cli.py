"""Runs `twofactor-try` in tests: as a separate process, or in this process where a test needs many commands."""

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

from tests.support.servers import Server
from twofactor_try.cli import main
from twofactor_try.mailbox import Mailbox
from twofactor_try.totp_app import TotpApp

PASSWORD = "a fine long password"
NEW_PASSWORD = "an even better horse"
TIMEOUT = 60


@dataclass(frozen=True)
class Result:
    status: int
    out: str
    err: str


def run_process(*arguments: str, env: Mapping[str, str] | None = None) -> Result:
    """Run the command in a process of its own, without a terminal."""
    process = subprocess.run(
        [sys.executable, "-m", "twofactor_try", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"COLUMNS": "100", "PYTHONIOENCODING": "utf-8"} | dict(env or {}),
        timeout=TIMEOUT,
        check=False,
    )
    return Result(process.returncode, process.stdout, process.stderr)


@dataclass(frozen=True)
class Cli:
    """Runs commands in this process, against one server and with one state file."""

    server: Server
    state: Path

    @property
    def data_dir(self) -> tuple[str, str]:
        """The option for commands that read e-mails."""
        return "--data-dir", str(self.server.data_dir)

    def run(self, command: str, *arguments: str, stdin: str = "") -> Result:
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with redirect_stdout(out), redirect_stderr(err), patch("sys.stdin", io.StringIO(stdin)):
            status = main([command, "--server", self.server.address, "--state", str(self.state), *arguments])
        for stream in (out, err):
            stream.seek(0)
        return Result(status, out.read(), err.read())

    def output(self, command: str, *arguments: str, stdin: str = "") -> str:
        """The text that a successful command prints."""
        result = self.run(command, *arguments, stdin=stdin)
        assert result.status == 0, result.err
        return result.out

    def json(self, command: str, *arguments: str, stdin: str = "") -> dict[str, Any]:
        """The response of a successful command."""
        response: dict[str, Any] = json.loads(self.output(command, "--json", *arguments, stdin=stdin))
        return response

    def error(self, command: str, *arguments: str, stdin: str = "") -> dict[str, Any]:
        """The error of a command that the server rejects."""
        result = self.run(command, "--json", *arguments, stdin=stdin)
        assert (result.status, result.err) == (1, ""), result.out
        error: dict[str, Any] = json.loads(result.out)["error"]
        return error

    def mailbox(self, email: str, *, since_now: bool = True) -> Mailbox:
        return Mailbox(self.server.data_dir / "mail", email, since_now=since_now)

    def app(self, secret: str) -> TotpApp:
        """An authenticator app with the server's time."""
        return TotpApp(secret, self.server.clock.now.timestamp() - time.time())

    def create_account(self) -> str:
        """Returns the e-mail address."""
        email = f"cli-{secrets.token_hex(6)}@example.test"
        self.output("create-account", email)
        return email

    def sign_in(self, email: str, *arguments: str, stdin: str = "") -> dict[str, Any]:
        """Sign in to an account that uses e-mail codes. Returns the session. The arguments are those of `sign-in`."""
        mailbox = self.mailbox(email)
        self.output("sign-in", *(arguments or (email,)), stdin=stdin)
        session: dict[str, Any] = self.json("verify-code", wait_for_code(mailbox))["session"]
        return session

    def set_up_authenticator(self) -> str:
        """Returns the backup code."""
        code = self.app(self.json("setup")["secret"]).next_code()
        backup_code: str = self.json("confirm-setup", code)["backup_code"]["code"]
        return backup_code


def wait_for_code(mailbox: Mailbox) -> str:
    code = mailbox.wait_for_code(5)
    assert code is not None
    return code
