"""The demo on a real server: its output, its exit status, and why it may not start."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

from tests.clients.cli.cli import Cli, Result, run_process, wait_for_code
from tests.support.servers import Server
from twofactor_try.demo.run import SCENES
from twofactor_try.mailbox import Mailbox

TERMINAL_TIMEOUT = 60


def run_demo(server: Server, *arguments: str, **env: str) -> Result:
    return run_process("demo", "--server", server.address, "--data-dir", str(server.data_dir), *arguments, env=env)


def test_every_check_passes_and_the_image_is_saved(server: Server, tmp_path: Path) -> None:
    image = tmp_path / "new folder" / "demo.svg"
    started_at = time.monotonic()
    result = run_demo(server, "--svg", str(image))
    assert time.monotonic() - started_at < 30
    assert (result.status, result.err) == (0, ""), result.out + result.err
    for number, (title, _) in enumerate(SCENES, 1):
        assert f"{number:2d}  {title} ─" in result.out
    for text in (
        "FAILED_PRECONDITION REQUEST_ID_EXPIRED",
        "FAILED_PRECONDITION CODE_ALREADY_USED (used_at ",
        "1 signed in; 31 were rejected",
        "UNAVAILABLE",
        "INVALID_ARGUMENT CODE_MISMATCH (attempts_left 4)",
        "FAILED_PRECONDITION REAUTHENTICATION_REQUIRED",
        "FAILED_PRECONDITION METHOD_NOT_ACTIVE (active_method EMAIL_CODE)",
        "only the current session remains",
        "no provider on this machine is configured",
    ):
        assert text in result.out
    assert "✗" not in result.out
    assert result.out.count("Not implemented yet:") == 1
    passed = re.search(r"(\d+) of (\d+) checks passed in [\d.]+ s\.\n$", result.out)
    assert passed is not None
    assert passed[1] == passed[2]

    svg = image.read_text(encoding="utf-8")
    ElementTree.fromstring(svg)  # noqa: S314 - our own
    assert "demo@example.test" in svg
    assert str(server.data_dir) not in svg
    # The image loads nothing, and contains the QR code as a shape, not as text.
    assert re.findall(r"https?://[^\"'<\s]+", svg) == ["http://www.w3.org/2000/svg"]
    assert "shape-rendering" in svg
    assert "▄" not in svg


def test_runs_on_an_ascii_terminal(server: Server) -> None:
    result = run_demo(server, PYTHONIOENCODING="ascii", TERM="dumb", NO_COLOR="1", COLUMNS="60")
    assert result.status == 0, result.out + result.err
    assert result.out.isascii()
    assert "?" not in result.out


def test_unexpected_error_names_scene_status_and_reason(cli: Cli) -> None:
    result = run_demo(cli.server, "--email", cli.create_account())
    assert result.status == 1
    assert result.err.startswith(
        "error: Scene 1 (Create an account): the server returned an unexpected error: ALREADY_EXISTS EMAIL_TAKEN"
    )


def test_unreachable_server_is_reported(tmp_path: Path) -> None:
    result = run_process("demo", "--server", "127.0.0.1:1", "--data-dir", str(tmp_path))
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("error: Cannot connect to 127.0.0.1:1. Start a server with `make run`")


def test_missing_mail_folder_without_terminal_is_reported(server: Server, tmp_path: Path) -> None:
    result = run_process("demo", "--server", server.address, "--data-dir", str(tmp_path))
    assert (result.status, result.out) == (2, "")
    assert result.err == (
        f"error: Cannot read the mail folder {tmp_path}/mail, and there is no terminal to ask for the codes. "
        "Pass the server's data folder with --data-dir.\n"
    )


def test_mail_folder_of_another_server_is_reported(server: Server, tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    result = run_process("demo", "--server", server.address, "--data-dir", str(tmp_path))
    assert result.status == 2
    assert result.err.startswith("error: No code arrived in the mail folder within 5 seconds")
    assert result.err.count("\n") == 1


def test_terminal_is_asked_for_codes_without_mail_folder(server: Server, tmp_path: Path) -> None:
    email = f"terminal-{time.time_ns()}@example.test"
    mailbox = Mailbox(server.data_dir / "mail", email)
    terminal, process_side = pty.openpty()
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "twofactor_try", "demo"),
            *("--server", server.address, "--data-dir", str(tmp_path), "--email", email),
        ],
        stdin=process_side,
        stdout=process_side,
        stderr=process_side,
        env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"},
    ) as process:
        os.close(process_side)
        output = ""
        for _ in range(2):
            output += read_until(terminal, f"Enter the code that was sent to {email}:")
            os.write(terminal, f"{wait_for_code(mailbox)}\n".encode())
        output += read_until(terminal, "checks passed")
        assert process.wait(timeout=10) == 0
    os.close(terminal)
    assert "\x1b[1;32m✓" in output
    assert "Look into the inbox yourself" in output


def read_until(terminal: int, text: str) -> str:
    """What the process prints, up to and including `text`."""
    output = b""
    deadline = time.monotonic() + TERMINAL_TIMEOUT
    while text.encode() not in output:
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        assert ready, output.decode(errors="replace")
        output += os.read(terminal, 65536)
    return output.decode(errors="replace")
