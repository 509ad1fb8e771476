"""The single steps, each a process of its own that remembers the tokens of the one before."""

import re
import stat
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.clients_cli.commands import PASSWORD, Hand, phone_by, unused_address
from tests.servers import Server
from twofactor.v1.types_pb2 import AssertedFirstFactor
from twofactor_try.arguments import parser
from twofactor_try.by_hand import signing_in
from twofactor_try.mailbox import Mailbox


@pytest.fixture
def hand(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hand:
    monkeypatch.setenv("TWOFACTOR_TRY_PASSWORD", PASSWORD)
    return Hand(server.address, tmp_path / "state" / "tokens.json")


def signed_in(hand: Hand, server: Server) -> str:
    """An account on e-mail codes whose owner is signed in. Gives the address."""
    address = unused_address()
    inbox = Mailbox(server.data_dir / "mail", address)
    hand.says("create-account", address)
    hand.says("sign-in", address)
    code = inbox.wait_for_code(5)
    assert code is not None
    assert hand.says("verify-code", code).startswith("Signed in.\n")
    return address


def with_authenticator(hand: Hand, server: Server) -> str:
    """Sets an authenticator up for whoever is signed in. Gives the backup code."""
    setup = hand.json("setup")
    code: str = hand.json("confirm-setup", phone_by(server, setup["secret"]).fresh_code())["backup_code"]["code"]
    return code


def test_a_sign_in_by_mail(hand: Hand, server: Server) -> None:
    address = unused_address()
    inbox = Mailbox(server.data_dir / "mail", address)
    assert f"{address}, not verified yet" in hand.says("create-account", address)
    assert "asked for       the code mailed to h" in hand.says("sign-in", address.upper())
    first = inbox.wait_for_code(5)
    assert first is not None
    assert hand.says("send-code").startswith("A new code is on its way")
    second = inbox.wait_for_code(5)
    assert second is not None
    assert hand.refused("verify-code", first) == "INVALID_ARGUMENT CODE_SUPERSEDED, 4 attempts left"
    assert hand.refused("verify-code", "12345") == "INVALID_ARGUMENT INVALID_FIELD, code: six digits"
    assert "attempts left   4" in hand.says("get-challenge")
    assert hand.says("verify-code", second).startswith("Signed in.\n")
    assert hand.says("verify-code", second).startswith("Signed in already by this very call")
    assert "the challenge is completed" in hand.says("get-challenge")
    assert f"{address}, verified" in hand.says("get-account", address)
    assert "proven by   pwd, otp, urn:twofactor:email" in hand.says("session")
    assert hand.says("status").startswith("Second factor: e-mail codes.")
    assert hand.says("sign-out") == "Signed out.\n"
    done = hand.run("session")
    assert done.status == 2
    assert done.err == f"Nobody is signed in at {server.address}: begin with `twofactor-try sign-in`.\n"


def test_a_backup_code_from_setup_to_removal(hand: Hand, server: Server) -> None:
    address = signed_in(hand, server)
    first = with_authenticator(hand, server)
    assert "Backup code no. 1, " in hand.says("status")
    assert "NOT SAVED" in hand.says("status")
    assert hand.says("saved") == "Backup code no. 1 is marked as saved.\n"
    assert hand.refused("saved", "7") == "FAILED_PRECONDITION GENERATION_SUPERSEDED"
    hand.says("sign-in", address)
    # The same command again is the same logical call: the same answer, until the code is saved.
    answer = hand.json("use-backup-code", first.upper())
    again = hand.json("use-backup-code", *first.split())
    assert not answer["replayed"]
    assert again == answer | {"replayed": True}
    hand.says("saved")
    assert hand.refused("use-backup-code", first) == "FAILED_PRECONDITION REQUEST_ID_EXPIRED"
    hand.says("sign-in", address)
    assert hand.refused("use-backup-code", first).startswith("FAILED_PRECONDITION CODE_ALREADY_USED, used ")
    assert "Save your new backup code (no. 3)" in hand.says("regenerate")
    assert hand.says("remove").startswith("The account is on e-mail codes.")
    assert hand.refused("regenerate") == "FAILED_PRECONDITION METHOD_NOT_ACTIVE, active method EMAIL_CODE"


def test_a_new_phone_and_a_setup_that_is_cancelled(hand: Hand, server: Server) -> None:
    address = signed_in(hand, server)
    with_authenticator(hand, server)
    assert "or type the secret:" in hand.says("setup")
    assert hand.says("cancel-setup").startswith("No setup is pending")
    assert hand.run("confirm-setup", "123456").status == 2
    phone = phone_by(server, hand.json("setup")["secret"])
    assert "Save your backup code (no. 2)" in hand.says("confirm-setup", phone.fresh_code())
    assert "the authenticator app's code, or the backup code" in hand.says("sign-in", address)
    assert "pwd, otp, mfa" in hand.says("verify-code", phone.fresh_code())


def another_sign_in(hand: Hand, server: Server, address: str, *options: str) -> dict[str, Any]:
    """One more session of an account on e-mail codes, which is then the remembered one."""
    inbox = Mailbox(server.data_dir / "mail", address)
    hand.says("sign-in", address, *options)
    code = inbox.wait_for_code(5)
    assert code is not None
    answer: dict[str, Any] = hand.json("verify-code", code)["session"]
    return answer


def test_the_sessions_and_their_end(hand: Hand, server: Server) -> None:
    address = signed_in(hand, server)
    first = hand.json("session")["session"]["session_id"]
    second = another_sign_in(hand, server, address)["session_id"]
    remembered = another_sign_in(hand, server, address, "--remember-me")
    lived = [remembered[name] for name in ("create_time", "expire_time")]
    assert datetime.fromisoformat(lived[1]) - datetime.fromisoformat(lived[0]) == timedelta(days=7)
    third = remembered["session_id"]
    head, *lines = hand.says("sessions").splitlines()
    assert head.split() == ["Session", "Opened", "Last", "active", "From", "Proven", "by"]
    assert sorted(line[2:38] for line in lines) == sorted([first, second, third])
    assert [line[2:38] for line in lines if line.startswith("* ")] == [third]
    assert all(line.endswith("127.0.0.1  pwd, otp, urn:twofactor:email") for line in lines)
    assert hand.says("revoke", first) == f"Session {first} is over.\n"
    assert len(hand.json("sessions")["sessions"]) == 2
    assert hand.says("sign-out-others") == "Signed out everywhere but here.\n"
    assert hand.says("revoke", third) == "That was this session: signed out.\n"
    assert hand.run("sessions").status == 2
    another_sign_in(hand, server, address)
    assert hand.says("sign-out-others", "--everywhere") == "Signed out everywhere.\n"
    assert hand.run("sign-out").status == 2


def test_a_suspension_is_lifted_by_the_link(hand: Hand, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    address = signed_in(hand, server)
    inbox = Mailbox(server.data_dir / "mail", address)
    code = with_authenticator(hand, server)
    for number in range(20):
        if number % 5 == 0:
            hand.says("sign-in", address)
        assert hand.refused("use-backup-code", f"{number:016d}").startswith("INVALID_ARGUMENT CODE_MISMATCH")
    assert hand.refused("sign-in", address) == "FAILED_PRECONDITION FIRST_FACTOR_SUSPENDED"
    notices = inbox.wait_for_notices(17, 5)  # authenticator on, fifteen of wrong codes, the suspension
    assert notices["sign-in-suspended"] == 1
    link = re.search(r"http://\S+/confirm-sign-in\?token=[\w-]+", inbox.text())
    assert link is not None
    assert "new_password" in hand.refused("confirm-sign-in", "--no-password", link[0])
    monkeypatch.setenv("TWOFACTOR_TRY_PASSWORD", "a password that nobody else knows")
    assert hand.says("confirm-sign-in", link[0]).startswith("Sign-ins can begin again, with the new password.")
    hand.says("confirm-sign-in", link[0].rpartition("=")[2])
    hand.says("sign-in", address)
    hand.says("use-backup-code", code)


def test_an_account_without_a_password(hand: Hand, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def by_the_clock_of_the_server(account_id: str) -> AssertedFirstFactor:
        asserted = AssertedFirstFactor(account_id=account_id)
        asserted.auth_time.FromDatetime(server.clock.now)
        return asserted

    monkeypatch.setattr(signing_in, "asserted_now", by_the_clock_of_the_server)
    address = unused_address()
    account_id = hand.json("create-account", "--no-password", address)["account"]["account_id"]
    assert hand.refused("sign-in", address) == "INVALID_ARGUMENT CREDENTIALS_MISMATCH"
    assert "the challenge is open" in hand.says("sign-in", "--asserted", account_id)


def test_tokens_lie_in_a_file_for_their_owner_only_and_in_no_plain_answer(hand: Hand, server: Server) -> None:
    address = unused_address()
    hand.says("create-account", address)
    said = hand.says("sign-in", address)
    assert stat.S_IMODE(hand.state.stat().st_mode) == 0o600
    assert "tfc_" in hand.state.read_text()
    assert "tfc_" not in said
    # A token is no business of another server's.
    elsewhere = Hand("127.0.0.1:1", hand.state).run("get-challenge")
    assert (elsewhere.status, elsewhere.err[:32]) == (2, "No server answers at 127.0.0.1:1")


def test_a_password_from_standard_input(hand: Hand) -> None:
    address = unused_address()
    hand.says("create-account", "--password-stdin", address, stdin="another password\n")
    assert hand.refused("sign-in", address) == "INVALID_ARGUMENT CREDENTIALS_MISMATCH"
    hand.says("sign-in", "--password-stdin", address, stdin="another password\n")


def test_nobody_is_asked_without_a_terminal(hand: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TWOFACTOR_TRY_PASSWORD")
    done = hand.run("sign-in", unused_address())
    assert done.status == 2
    assert done.err == (
        "There is no terminal to ask for the password at: use --password-stdin, or set TWOFACTOR_TRY_PASSWORD.\n"
    )


def test_refusals_for_machines(hand: Hand) -> None:
    done = hand.run("get-account", "--json", unused_address())
    assert done.status == 1
    assert done.err == ""
    assert '"status": "NOT_FOUND"' in done.out
    assert '"reason": "ACCOUNT_NOT_FOUND"' in done.out


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--help"])
    commands = re.findall(r"^    ([a-z-]+)", capsys.readouterr().out, re.MULTILINE)
    assert len(commands) == 31
    for command in commands:
        with pytest.raises(SystemExit) as end:
            parser().parse_args([command, "--help"])
        assert end.value.code == 0
        assert "Exit status: 0 done" in capsys.readouterr().out
