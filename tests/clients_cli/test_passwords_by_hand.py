"""Passwords by hand: changed, set, and reset by the link in the server's mail folder."""

from pathlib import Path

import pytest

from tests.clients_cli.commands import PASSWORD, Hand, unused_address
from tests.servers import Server
from twofactor.v1.types_pb2 import AssertedFirstFactor
from twofactor_try.by_hand import signing_in, step
from twofactor_try.mailbox import Mailbox

NEW = "an even better horse"


@pytest.fixture
def hand(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hand:
    monkeypatch.setenv("TWOFACTOR_TRY_PASSWORD", PASSWORD)
    monkeypatch.setenv("TWOFACTOR_TRY_NEW_PASSWORD", NEW)
    return Hand(server.address, tmp_path / "tokens.json")


def sign_in(hand: Hand, server: Server, who: str, address: str, *options: str, stdin: str = "") -> None:
    inbox = Mailbox(server.data_dir / "mail", address)
    hand.says("sign-in", *options, who, stdin=stdin)
    code = inbox.wait_for_code(5)
    assert code is not None
    hand.says("verify-code", code)


def test_a_change(hand: Hand, server: Server) -> None:
    address = unused_address()
    hand.says("create-account", address)
    sign_in(hand, server, address, address)
    assert hand.says("change-password").startswith("The password is changed.")
    assert hand.refused("sign-in", address) == "INVALID_ARGUMENT CREDENTIALS_MISMATCH"
    hand.says("sign-in", "--password-stdin", address, stdin=f"{NEW}\n")
    said = hand.refused("change-password", "--password-stdin", stdin=f"{NEW}\npassword1\n")
    assert said.startswith("INVALID_ARGUMENT PASSWORD_REJECTED")
    assert "not a well-known password" in said
    assert hand.refused("change-password") == "INVALID_ARGUMENT REAUTHENTICATION_FAILED"


def test_a_first_password(hand: Hand, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def by_the_clock_of_the_server(account_id: str) -> AssertedFirstFactor:
        asserted = AssertedFirstFactor(account_id=account_id)
        asserted.auth_time.FromDatetime(server.clock.now)
        return asserted

    for module in (signing_in, step):
        monkeypatch.setattr(module, "asserted_now", by_the_clock_of_the_server)
    address = unused_address()
    account_id = hand.json("create-account", "--no-password", address)["account"]["account_id"]
    sign_in(hand, server, account_id, address, "--asserted")
    assert hand.says("set-password", "--asserted").startswith("The account has a password.")
    assert hand.refused("set-password", "--asserted") == "ABORTED CONFLICT"
    hand.says("sign-in", "--password-stdin", address, stdin=f"{NEW}\n")


def test_a_reset(hand: Hand, server: Server) -> None:
    address = unused_address()
    hand.says("create-account", address)
    assert hand.says("reset-password", "--data-dir", str(server.data_dir), address).startswith("The new password works")
    hand.says("sign-in", "--password-stdin", address, stdin=f"{NEW}\n")


def test_a_reset_where_the_mail_is_elsewhere(hand: Hand, server: Server, tmp_path: Path) -> None:
    address = unused_address()
    hand.says("create-account", address)
    inbox = Mailbox(server.data_dir / "mail", address)
    assert "a link is on its way" in hand.says("reset-password", "--data-dir", str(tmp_path), address)
    token = inbox.wait_for_token("password-reset", 5)
    assert token is not None
    for _ in range(2):
        assert hand.says("reset-password", token).startswith("The new password works")
    refused = hand.refused("reset-password", token, "--password-stdin", stdin="something else\n")
    assert refused == "FAILED_PRECONDITION LINK_INVALID"
