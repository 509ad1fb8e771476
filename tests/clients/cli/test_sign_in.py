"""Commands of a sign-in, from the first factor to the session."""

import re

import pytest

from tests.clients.cli.cli import Cli, wait_for_code


def test_sign_in_with_email_code(cli: Cli) -> None:
    email = cli.create_account()
    mailbox = cli.mailbox(email)
    output = cli.output("sign-in", email.upper())
    assert "requires       the code sent to c•••@example.test" in output
    assert output.endswith("Next, run: twofactor-try verify-code CODE\n")
    first = wait_for_code(mailbox)
    assert cli.output("send-code").startswith("A new code was sent.")
    second = wait_for_code(mailbox)

    error = cli.error("verify-code", first)
    assert (error["status"], error["reason"]) == ("INVALID_ARGUMENT", "CODE_SUPERSEDED")
    assert error["metadata"] == {"attempts_left": "4"}
    error = cli.error("verify-code", "12345")
    assert (error["reason"], error["fields"]) == ("INVALID_FIELD", {"code": "six digits"})
    assert "attempts left  4" in cli.output("get-challenge")

    assert cli.output("verify-code", second).startswith("Signed in.\n")
    assert cli.output("verify-code", second).startswith("Signed in by an earlier request; this is the same response.")
    assert cli.output("get-challenge") == "Challenge: completed\n"
    assert f"{email} (verified)" in cli.output("get-account", email)
    assert "methods      pwd, otp, urn:twofactor:email" in cli.output("session")


def test_sign_in_with_backup_code_is_repeatable_until_saved(cli: Cli) -> None:
    email = cli.create_account()
    cli.sign_in(email)
    code = cli.set_up_authenticator()
    cli.output("saved")
    assert "or twofactor-try use-backup-code" in cli.output("sign-in", email)
    response = cli.json("use-backup-code", code.upper())
    assert not response["replayed"]
    assert cli.json("use-backup-code", *code.split()) == response | {"replayed": True}
    cli.output("saved")
    assert cli.error("use-backup-code", code)["reason"] == "REQUEST_ID_EXPIRED"
    cli.output("sign-in", email)
    error = cli.error("use-backup-code", code)
    assert error["reason"] == "CODE_ALREADY_USED"
    assert "used_at" in error["metadata"]


def test_link_lifts_suspension(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    email = cli.create_account()
    cli.sign_in(email)
    mailbox = cli.mailbox(email)
    code = cli.set_up_authenticator()
    for number in range(20):
        if number % 5 == 0:
            cli.output("sign-in", email)
        assert cli.error("use-backup-code", f"{number:016d}")["reason"] == "CODE_MISMATCH"
    assert cli.error("sign-in", email)["reason"] == "FIRST_FACTOR_SUSPENDED"
    # One for the authenticator, fifteen for wrong codes, one for the suspension.
    assert mailbox.wait_for_notices(17, 5)["sign-in-suspended"] == 1
    link = re.search(r"http://\S+/confirm-sign-in\?token=[\w-]+", mailbox.text())
    assert link is not None

    assert "new_password" in cli.error("confirm-sign-in", "--no-password", link[0])["fields"]
    monkeypatch.setenv("TWOFACTOR_TRY_PASSWORD", "a password that nobody else knows")
    assert cli.output("confirm-sign-in", link[0]).startswith("Sign-in works again, with the new password.")
    token = link[0].rpartition("=")[2]
    cli.output("confirm-sign-in", token)
    cli.output("sign-in", email)
    cli.output("use-backup-code", code)


def test_account_without_password_needs_assertion(cli: Cli, server_time: None) -> None:
    account = cli.json("create-account", "--no-password", "cli-no-password@example.test")["account"]
    assert cli.error("sign-in", account["email"])["reason"] == "CREDENTIALS_MISMATCH"
    assert "Challenge: open" in cli.output("sign-in", "--asserted", account["account_id"])


@pytest.mark.parametrize("command", ["create-account", "sign-in"])
def test_account_argument_is_required_without_provider(cli: Cli, command: str) -> None:
    result = cli.run(command)
    assert (result.status, result.out) == (2, "")
    assert "or --provider" in result.err
