"""Commands for the authenticator app and the backup code."""

from tests.clients.cli.cli import Cli


def test_backup_code_from_setup_to_removal(cli: Cli) -> None:
    cli.sign_in(cli.create_account())
    assert cli.output("status").startswith("Second factor: e-mail codes.")
    cli.set_up_authenticator()
    status = cli.output("status")
    assert "Backup code no. 1: created " in status
    assert "NOT SAVED" in status
    assert cli.output("saved") == "Backup code no. 1 is marked as saved.\n"
    assert cli.error("saved", "7")["reason"] == "GENERATION_SUPERSEDED"
    assert "Save your backup code (no. 2)" in cli.output("regenerate")
    assert cli.output("remove").startswith("The authenticator and the backup code are removed.")
    error = cli.error("regenerate")
    assert error["reason"] == "METHOD_NOT_ACTIVE"
    assert error["metadata"] == {"active_method": "EMAIL_CODE"}


def test_setup_can_be_cancelled_and_started_again(cli: Cli) -> None:
    email = cli.create_account()
    cli.sign_in(email)
    cli.set_up_authenticator()
    assert "or enter the secret:" in cli.output("setup")
    assert cli.output("cancel-setup").startswith("The setup is cancelled.")
    result = cli.run("confirm-setup", "123456")
    assert (result.status, result.err) == (2, "error: No setup is in progress. Run `twofactor-try setup` first.\n")
    app = cli.app(cli.json("setup")["secret"])
    assert "Save your backup code (no. 2)" in cli.output("confirm-setup", app.next_code())
    assert "a code from the authenticator app, or the backup code" in cli.output("sign-in", email)
    assert "pwd, otp, mfa" in cli.output("verify-code", app.next_code())
