"""Commands that set, change and reset the password, and where they read passwords from."""

from pathlib import Path

import pytest

from tests.clients.cli.cli import NEW_PASSWORD, Cli
from tests.support.servers import PATIENCE

NEW_PASSWORD_LINE = f"{NEW_PASSWORD}\n"


def test_change_password(cli: Cli) -> None:
    email = cli.create_account()
    cli.sign_in(email)
    assert cli.output("change-password").startswith("The password is changed.")
    assert cli.error("sign-in", email)["reason"] == "CREDENTIALS_MISMATCH"
    cli.output("sign-in", "--password-stdin", email, stdin=NEW_PASSWORD_LINE)
    error = cli.error("change-password", "--password-stdin", stdin=f"{NEW_PASSWORD_LINE}password1\n")
    assert error["reason"] == "PASSWORD_REJECTED"
    assert error["fields"]["new_password"].startswith("not a common password")
    assert cli.error("change-password")["reason"] == "REAUTHENTICATION_FAILED"


def test_set_first_password(cli: Cli, server_time: None) -> None:
    email = "cli-first-password@example.test"
    account_id = cli.json("create-account", "--no-password", email)["account"]["account_id"]
    cli.sign_in(email, "--asserted", account_id)
    assert cli.output("set-password", "--asserted").startswith("The password is set.")
    assert cli.error("set-password", "--asserted")["reason"] == "CONFLICT"
    cli.output("sign-in", "--password-stdin", email, stdin=NEW_PASSWORD_LINE)


def test_reset_password_reads_link_from_mail_folder(cli: Cli) -> None:
    email = cli.create_account()
    assert cli.output("reset-password", *cli.data_dir, email).startswith("The new password is set.")
    cli.output("sign-in", "--password-stdin", email, stdin=NEW_PASSWORD_LINE)


def test_reset_password_takes_link_from_command_line(cli: Cli, tmp_path: Path) -> None:
    email = cli.create_account()
    mailbox = cli.mailbox(email)
    assert "a link was sent to it" in cli.output("reset-password", "--data-dir", str(tmp_path), email)
    token = mailbox.wait_for_token("password-reset", PATIENCE)
    assert token is not None
    for _ in range(2):
        assert cli.output("reset-password", token).startswith("The new password is set.")
    error = cli.error("reset-password", token, "--password-stdin", stdin="something else\n")
    assert error["reason"] == "LINK_INVALID"


def test_password_is_read_from_standard_input(cli: Cli) -> None:
    email = "cli-stdin@example.test"
    cli.output("create-account", "--password-stdin", email, stdin="another password\n")
    assert cli.error("sign-in", email)["reason"] == "CREDENTIALS_MISMATCH"
    cli.output("sign-in", "--password-stdin", email, stdin="another password\n")


def test_missing_password_without_terminal_is_reported(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWOFACTOR_TRY_PASSWORD")
    result = cli.run("sign-in", "somebody@example.test")
    assert result.status == 2
    assert result.err == (
        "error: No terminal to ask for the password. Pass --password-stdin, or set TWOFACTOR_TRY_PASSWORD.\n"
    )
