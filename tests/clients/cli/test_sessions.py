"""Commands for sessions."""

from datetime import datetime, timedelta

from tests.clients.cli.cli import Cli


def test_sessions_are_listed_and_ended(cli: Cli) -> None:
    email = cli.create_account()
    first = cli.sign_in(email)["session_id"]
    second = cli.sign_in(email)["session_id"]
    third = cli.sign_in(email)["session_id"]
    header, *rows = cli.output("sessions").splitlines()
    assert header.split() == ["Session", "Started", "Last", "active", "From", "Methods"]
    assert sorted(row[2:38] for row in rows) == sorted([first, second, third])
    assert [row[2:38] for row in rows if row.startswith("* ")] == [third]
    assert all(row.endswith("127.0.0.1  pwd, otp, urn:twofactor:email") for row in rows)

    assert cli.output("revoke", first) == f"Session {first} is ended.\n"
    assert len(cli.json("sessions")["sessions"]) == 2
    assert cli.output("sign-out-others") == "All other sessions are ended.\n"
    assert cli.output("revoke", third) == "The current session is ended. Signed out.\n"
    assert cli.run("sessions").status == 2
    cli.sign_in(email)
    assert cli.output("sign-out-others", "--everywhere") == "All sessions are ended. Signed out.\n"
    assert cli.run("sign-out").status == 2


def test_sign_out_removes_stored_session(cli: Cli) -> None:
    cli.sign_in(cli.create_account())
    assert cli.output("sign-out") == "Signed out.\n"
    result = cli.run("session")
    assert result.status == 2
    assert result.err == f"error: Not signed in on {cli.server.address}. Run `twofactor-try sign-in` first.\n"


def test_remembered_session_lives_longer(cli: Cli) -> None:
    email = cli.create_account()
    session = cli.sign_in(email, "--remember-me", email)
    created, expires = (datetime.fromisoformat(session[name]) for name in ("create_time", "expire_time"))
    assert expires - created == timedelta(days=7)
