"""The account by hand: its address, its end, and "this wasn't me", by the links in the server's mail folder."""

from pathlib import Path

import pytest

from tests.clients_cli.commands import PASSWORD, Hand, phone_by, unused_address
from tests.servers import Server
from twofactor_try.mailbox import Mailbox

NEW = "an even better horse"


@pytest.fixture
def hand(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hand:
    monkeypatch.setenv("TWOFACTOR_TRY_PASSWORD", PASSWORD)
    monkeypatch.setenv("TWOFACTOR_TRY_NEW_PASSWORD", NEW)
    return Hand(server.address, tmp_path / "tokens.json")


def signed_in(hand: Hand, server: Server, address: str = "", *options: str, stdin: str = "") -> str:
    """Sign the owner in by mail; without an address, of a new account. Gives the address."""
    if not address:
        address = unused_address()
        hand.says("create-account", address)
    inbox = Mailbox(server.data_dir / "mail", address)
    hand.says("sign-in", *options, address, stdin=stdin)
    code = inbox.wait_for_code(5)
    assert code is not None
    hand.says("verify-code", code)
    return address


def mailed(server: Server, address: str, kind: str) -> None:
    """Wait for the mail."""
    assert Mailbox(server.data_dir / "mail", address, since_now=False).wait_for_token(kind, 5)


def test_another_address_and_back(hand: Hand, server: Server) -> None:
    old, new = signed_in(hand, server), unused_address()
    folder = ("--data-dir", str(server.data_dir))
    assert f"twofactor-try confirm-email {new}" in hand.says("change-email", new)
    mailed(server, new, "email-change")
    assert hand.json("confirm-email", *folder, new)["account"]["email"] == new
    assert f"of          {new}" in hand.says("session")
    mailed(server, old, "email-changed")
    said = hand.says("not-me", "--kind", "email-changed", "--new-password", *folder, old)
    assert said.splitlines() == [
        "Everybody is signed out, and nobody's sign-in under way can be completed.",
        "The new password works.",
        "The address is the account's again.",
    ]
    assert hand.run("session").status == 2
    signed_in(hand, server, old, "--password-stdin", stdin=f"{NEW}\n")


def test_a_strangers_authenticator(hand: Hand, server: Server) -> None:
    address = signed_in(hand, server)
    hand.says("confirm-setup", phone_by(server, hand.json("setup")["secret"]).fresh_code())
    mailed(server, address, "authenticator-on")
    said = hand.says("not-me", "--data-dir", str(server.data_dir), address)
    assert "Signing in is suspended" in said
    assert "The authenticator is removed" in said
    inbox = Mailbox(server.data_dir / "mail", address, since_now=False)
    link = f"http://localhost/not-me?token={inbox.wait_for_token('authenticator-on', 5)}"
    assert hand.says("not-me", link) == said
    refused = hand.refused("not-me", link, "--new-password")
    assert refused == "FAILED_PRECONDITION LINK_INVALID"


def test_the_end(hand: Hand, server: Server, tmp_path: Path) -> None:
    address = signed_in(hand, server)
    assert hand.says("close-account") == "The account is closed.\n"
    assert hand.refused("sign-in", address) == "INVALID_ARGUMENT CREDENTIALS_MISMATCH"
    other = hand.json("create-account", address)["account"]["account_id"]
    for _ in range(2):
        assert hand.says("close-account", "--account-id", other) == "The account is closed.\n"
    missing = hand.run("not-me", "--data-dir", str(tmp_path), address)
    assert missing.status == 2
    assert missing.err.startswith(f"No such mail to {address} is in ")
