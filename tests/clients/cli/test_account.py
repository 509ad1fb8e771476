"""Commands that change or close the account, with links from the server's mail folder."""

from pathlib import Path

from tests.clients.cli.cli import NEW_PASSWORD, Cli
from tests.support.servers import PATIENCE


def wait_for_link(cli: Cli, email: str, kind: str) -> str:
    """The token in the link of the first e-mail of this kind."""
    token = cli.mailbox(email, since_now=False).wait_for_token(kind, PATIENCE)
    assert token is not None, cli.server.log
    return token


def test_email_change_is_confirmed_and_reverted(cli: Cli) -> None:
    old, new = cli.create_account(), "cli-changed@example.test"
    cli.sign_in(old)
    assert f"twofactor-try confirm-email {new}" in cli.output("change-email", new)
    wait_for_link(cli, new, "email-change")
    assert cli.json("confirm-email", *cli.data_dir, new)["account"]["email"] == new
    assert f"account      {new}" in cli.output("session")

    wait_for_link(cli, old, "email-changed")
    output = cli.output("not-me", "--kind", "email-changed", "--new-password", *cli.data_dir, old)
    assert output.splitlines() == [
        "All sessions and all sign-ins in progress are ended.",
        "The new password is set.",
        "The previous e-mail address is restored.",
    ]
    assert cli.run("session").status == 2
    cli.sign_in(old, "--password-stdin", old, stdin=f"{NEW_PASSWORD}\n")


def test_authenticator_setup_is_reverted(cli: Cli) -> None:
    email = cli.create_account()
    cli.sign_in(email)
    cli.set_up_authenticator()
    token = wait_for_link(cli, email, "authenticator-on")
    output = cli.output("not-me", *cli.data_dir, email)
    assert "Sign-in is suspended" in output
    assert "The authenticator is removed" in output
    link = f"http://localhost/not-me?token={token}"
    assert cli.output("not-me", link) == output
    assert cli.error("not-me", link, "--new-password")["reason"] == "LINK_INVALID"


def test_closed_account_rejects_sign_in(cli: Cli) -> None:
    email = cli.create_account()
    cli.sign_in(email)
    assert cli.output("close-account") == "The account is closed.\n"
    assert cli.error("sign-in", email)["reason"] == "CREDENTIALS_MISMATCH"


def test_provisioning_service_closes_account_by_id(cli: Cli) -> None:
    account_id = cli.json("get-account", cli.create_account())["account"]["account_id"]
    for _ in range(2):
        assert cli.output("close-account", "--account-id", account_id) == "The account is closed.\n"


def test_missing_email_is_reported(cli: Cli, tmp_path: Path) -> None:
    result = cli.run("not-me", "--data-dir", str(tmp_path), "somebody@example.test")
    assert result.status == 2
    assert result.err.startswith(f"error: No such e-mail to somebody@example.test in {tmp_path}/mail. Pass the link")
