"""The walk on a real server: what it shows, how it ends, and how it ends when it cannot begin."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

from tests.clients_cli.commands import Done, twofactor_try
from tests.servers import Server
from twofactor_try.demo.run import STEPS
from twofactor_try.mailbox import Mailbox

TTY_SECONDS = 60


def demo(server: Server, *arguments: str, **env: str) -> Done:
    return twofactor_try("demo", "--server", server.address, "--data-dir", str(server.data_dir), *arguments, env=env)


def test_keeps_every_promise_and_draws_them(server: Server, tmp_path: Path) -> None:
    picture = tmp_path / "new folder" / "walk.svg"
    begin = time.monotonic()
    done = demo(server, "--svg", str(picture))
    assert time.monotonic() - begin < 30
    assert done.status == 0, done.out + done.err
    assert done.err == ""
    for number, (title, _) in enumerate(STEPS, 1):
        assert f"{number:2d}  {title} ─" in done.out
    for refusal in (
        "FAILED_PRECONDITION REQUEST_ID_EXPIRED",
        "FAILED_PRECONDITION CODE_ALREADY_USED, used ",
        "1 signed in; 31 were told that the code is used",
        "UNAVAILABLE",
        "INVALID_ARGUMENT CODE_MISMATCH, 4 attempts left",
        "FAILED_PRECONDITION REAUTHENTICATION_REQUIRED",
        "FAILED_PRECONDITION METHOD_NOT_ACTIVE, active method EMAIL_CODE",
        "only this one is left",
    ):
        assert refusal in done.out
    assert "✗" not in done.out
    assert done.out.count("Not built yet:") == 1
    assert "No provider on this machine is configured" in done.out
    kept = re.search(r"(\d+) of (\d+) promises kept, in [\d.]+ s\.\n$", done.out)
    assert kept is not None
    assert kept[1] == kept[2]

    svg = picture.read_text(encoding="utf-8")
    ElementTree.fromstring(svg)  # noqa: S314 -- our own
    assert "demo@example.test" in svg
    assert str(server.data_dir) not in svg
    # Nothing is fetched from elsewhere, and the QR code is drawn and not written.
    assert re.findall(r"https?://[^\"'<\s]+", svg) == ["http://www.w3.org/2000/svg"]
    assert "shape-rendering" in svg
    assert "▄" not in svg


def test_runs_again_on_the_same_server_and_on_a_plain_terminal(server: Server) -> None:
    done = demo(server, PYTHONIOENCODING="ascii", TERM="dumb", NO_COLOR="1", COLUMNS="60")
    assert done.status == 0, done.out + done.err
    assert done.out.isascii()
    assert "?" not in done.out


def test_an_unexpected_answer_names_step_status_and_reason(server: Server) -> None:
    address = f"taken-{time.time_ns()}@example.test"
    made = twofactor_try("create-account", "--no-password", "--server", server.address, address)
    assert made.status == 0, made.err
    done = demo(server, "--email", address)
    assert done.status == 1
    assert done.err == (
        "Step 1, Create the account: the server unexpectedly answered ALREADY_EXISTS EMAIL_TAKEN, field email.\n"
    )


def test_without_a_server_one_sentence(tmp_path: Path) -> None:
    done = twofactor_try("demo", "--server", "127.0.0.1:1", "--data-dir", str(tmp_path))
    assert (done.status, done.out) == (2, "")
    assert done.err == ("No server answers at 127.0.0.1:1: start one with `make run`, or name another with --server.\n")


def test_without_mail_folder_and_terminal_one_sentence(server: Server, tmp_path: Path) -> None:
    done = twofactor_try("demo", "--server", server.address, "--data-dir", str(tmp_path))
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"There is no mail folder {tmp_path}/mail to read the codes from, and no terminal")
    assert done.err.count("\n") == 1


def test_with_the_mail_folder_of_another_server_one_sentence(server: Server, tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    done = twofactor_try("demo", "--server", server.address, "--data-dir", str(tmp_path))
    assert done.status == 2
    assert done.err.startswith("No code came into the mail folder within 5 seconds, and there is no terminal")
    assert done.err.count("\n") == 1


def test_at_a_terminal_without_mail_folder_the_person_is_asked(server: Server, tmp_path: Path) -> None:
    address = f"person-{time.time_ns()}@example.test"
    inbox = Mailbox(server.data_dir / "mail", address)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "twofactor_try", "demo", "--server", server.address]
    with subprocess.Popen(
        [*command, "--data-dir", str(tmp_path), "--email", address],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"},
    ) as process:
        os.close(theirs)
        shown = ""
        for _ in range(2):
            shown += read_until(ours, "Type it:")
            code = inbox.wait_for_code(5)
            assert code is not None
            os.write(ours, f"{code}\n".encode())
        shown += read_until(ours, "promises kept")
        assert process.wait(timeout=10) == 0
    os.close(ours)
    assert "\x1b[1;32m✓" in shown
    assert "look into the inbox yourself" in shown


def read_until(terminal: int, text: str) -> str:
    """What the terminal shows, up to and with `text`."""
    shown = b""
    last_moment = time.monotonic() + TTY_SECONDS
    while text.encode() not in shown:
        ready, _, _ = select.select([terminal], [], [], max(0, last_moment - time.monotonic()))
        assert ready, shown.decode(errors="replace")
        shown += os.read(terminal, 65536)
    return shown.decode(errors="replace")
