"""Concurrent password changes and resets: one of the passwords is set."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from tests.concurrency.client_pool import ClientPool, Outcome, reasons
from tests.concurrency.steps import another_session
from tests.support.db_snapshot import SnapshotReader
from tests.support.factories import AccountFactory, Owner
from tests.support.rpc import build, refused
from tests.support.steps import request_reset_token

ROUNDS = 3
_LIVE = "SELECT count(*) FROM sessions WHERE account_id = $1 AND end_time IS NULL"
_LINKS = """SELECT count(*) FILTER (WHERE void_time IS NULL), count(*) FROM mailed_links
WHERE account_id = $1 AND purpose = 'reset-password'"""


async def assert_only_winner_works(
    factory: AccountFactory, owner: Owner, outcomes: Sequence[Outcome], passwords: Sequence[str]
) -> None:
    """The password of the successful call works, and no other."""
    (winner,) = [password for outcome, password in zip(outcomes, passwords, strict=True) if outcome.succeeded]
    await factory.challenge_for(replace(owner, password=winner))
    for loser in (owner.password, next(one for one in passwords if one != winner)):
        with refused("CREDENTIALS_MISMATCH"):
            await factory.challenge_for(replace(owner, password=loser))


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_8_changes_of_one_password(
    number: int, factory: AccountFactory, clients: ClientPool, db: SnapshotReader
) -> None:
    """From two sessions: one change succeeds and its session stays; for the others the current password is wrong by
    then.

    Seen to fail without the check of the password's version when a re-authentication is confirmed: up to 4 changes
    succeeded, all but the first with a password that was no longer current.
    """
    owner = await factory.account_with_authenticator()
    sessions = [owner.session_token, await another_session(factory, owner)] * 4
    passwords = [f"an even better horse {count}" for count in range(8)]
    outcomes = await clients.call_at_once(
        [
            build.ChangePassword(session_token=session, current_password=owner.password, new_password=new)
            for new, session in zip(passwords, sessions, strict=True)
        ]
    )
    assert sum(outcome.succeeded for outcome in outcomes) == 1
    assert reasons(outcomes).keys() <= {"", "REAUTHENTICATION_FAILED", "SESSION_ENDED"}
    snapshot, account = await db.snapshot(owner.account_id), UUID(owner.account_id)
    assert snapshot.mails["password-changed"] == snapshot.events["change_password", "success"] == 1
    assert await db.connection.fetchval(_LIVE, account) == 1
    await assert_only_winner_works(factory, owner, outcomes, passwords)


async def test_8_retries_of_one_change(factory: AccountFactory, clients: ClientPool, db: SnapshotReader) -> None:
    """One request_id is one change with eight equal answers.

    Seen to fail without the look-up of a stored reply in the second transaction: 6 REAUTHENTICATION_FAILED.
    """
    owner = await factory.signed_in_account()
    outcomes = await clients.call_at_once(
        [
            build.ChangePassword(
                session_token=owner.session_token,
                current_password=owner.password,
                new_password="an even better horse",
                request_id=str(uuid4()),
            )
        ]
        * 8
    )
    assert reasons(outcomes) == {"": 8}
    snapshot = await db.snapshot(owner.account_id)
    assert snapshot.mails["password-changed"] == snapshot.events["change_password", "success"] == 1


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_8_uses_of_one_link(
    number: int, factory: AccountFactory, clients: ClientPool, db: SnapshotReader
) -> None:
    """With different passwords one is set and the others are LINK_INVALID; with one password all calls succeed.

    Seen to fail without the row lock at the second check: 2 to 7 retries with one password were LINK_INVALID. The
    guard of the link's use alone admits one of different passwords.
    """
    owner = await factory.signed_in_account()
    token = await request_reset_token(factory, owner.email)
    passwords = [f"an even better horse {count}" for count in range(8)]
    outcomes = await clients.call_at_once(
        [build.CompletePasswordReset(reset_token=token, new_password=new) for new in passwords]
    )
    assert reasons(outcomes) == {"": 1, "LINK_INVALID": 7}
    await assert_only_winner_works(factory, owner, outcomes, passwords)
    again = await request_reset_token(factory, owner.email, 2)
    outcomes = await clients.call_at_once(
        [build.CompletePasswordReset(reset_token=again, new_password="the best horse of all")] * 8
    )
    assert reasons(outcomes) == {"": 8}
    assert (await db.snapshot(owner.account_id)).mails["password-changed"] == 2


async def test_8_requests_for_a_reset_link(factory: AccountFactory, clients: ClientPool, db: SnapshotReader) -> None:
    """Three are sent, and the newest works.

    Seen to fail without the row lock: 5 were sent.
    """
    owner = await factory.account()
    outcomes = await clients.call_at_once([build.StartPasswordReset(email=owner.email)] * 8)
    assert reasons(outcomes) == {"": 8}
    snapshot = await db.snapshot(owner.account_id)
    assert snapshot.events["start_password_reset", "success"] == 3
    assert tuple(await db.connection.fetchrow(_LINKS, UUID(owner.account_id))) == (1, 3)
