"""The audit trail, and housekeeping: what is erased when it is over, what is purged, and what stays for good."""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from uuid import uuid4

import pytest_asyncio

from tests.storage import states
from tests.storage.databases import ask, migrated_database, rows
from tests.storage.states import HOUR, MINUTE, NOON, SECOND
from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage import (
    audit,
    authenticator_setups,
    backup_codes,
    first_factor_failures,
    housekeeping,
    outbox,
    replies,
    sessions,
)
from twofactor_server.storage.audit import AuditEvent
from twofactor_server.storage.backup_codes import AttemptVerdict
from twofactor_server.storage.database import Database

KEPT = housekeeping.KEPT


@pytest_asyncio.fixture
async def database_url(postgres: EmbeddedPostgres) -> str:
    """A database of each test's own: housekeeping looks at all of it."""
    return await migrated_database(postgres)


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, pool_size=2)
    yield database
    await database.close()


async def counts(url: str, *tables: str) -> dict[str, int]:
    return {table: await ask(url, f"SELECT count(*) FROM {table}") for table in tables}  # noqa: S608 - our tables


async def test_an_event_says_who_what_when_from_where_and_how_it_came_out(
    database: Database, database_url: str
) -> None:
    event = AuditEvent(
        account_id=audit.NOBODY,  # of a sign-in to an address that nobody has: no account is needed
        event_id=uuid4(),
        time=NOON,
        action="start_sign_in",
        outcome="CREDENTIALS_MISMATCH",
        factor="password",
        caller="local",
        call_id="c0ffee",
        ip_address="192.0.2.10",
        user_agent="Firefox",
        details={"method": "x", "count": 2},
    )
    await database.transact(partial(audit.record, event=event))
    names = ", ".join(name for name in AuditEvent.__slots__ if name != "details")
    values = tuple(getattr(event, name) for name in AuditEvent.__slots__ if name != "details")
    assert await rows(database_url, f"SELECT {names} FROM audit_events") == [values]  # noqa: S608 - our columns
    assert await ask(database_url, "SELECT details ->> 'count' FROM audit_events") == "2"


async def test_what_is_over_is_emptied_and_its_row_stays(database: Database, database_url: str) -> None:
    owner = await states.account(database)
    reply = states.reply(owner)
    setup = states.setup(owner)
    await database.transact(partial(replies.keep, reply=reply))
    await database.transact(partial(authenticator_setups.create, account_id=owner.account_id, setup=setup, now=NOON))

    async def secrets(now: Any) -> list[object]:
        await database.transact(partial(housekeeping.erase_expired, now=now))
        setups = await rows(database_url, "SELECT totp_secret, end_time FROM authenticator_setups")
        return [await ask(database_url, "SELECT sealed FROM replies"), *setups[0]]

    assert await secrets(setup.expire_time - SECOND) == [b"sealed", b"sealed", None]
    assert await secrets(setup.expire_time) == [b"sealed", None, setup.expire_time]
    assert await secrets(reply.expire_time - SECOND) == [b"sealed", None, setup.expire_time]
    assert await secrets(reply.expire_time) == [None, None, setup.expire_time]
    assert await counts(database_url, "replies", "authenticator_setups") == {"replies": 1, "authenticator_setups": 1}


async def test_a_setup_that_ended_before_its_time_keeps_the_time_of_its_end(
    database: Database, database_url: str
) -> None:
    owner = await states.account(database)
    setup = states.setup(owner)
    account_id = owner.account_id
    await database.transact(partial(authenticator_setups.create, account_id=account_id, setup=setup, now=NOON))
    await database.transact(partial(authenticator_setups.end_all, account_id=account_id, now=NOON + MINUTE))
    await database.transact(partial(housekeeping.erase_expired, now=NOON + 24 * HOUR))
    assert await ask(database_url, "SELECT end_time FROM authenticator_setups") == NOON + MINUTE


async def test_a_challenge_is_not_purged_before_its_reply(database: Database, database_url: str) -> None:
    """ "A challenge is not purged before its reply": the look-up of a repeated call begins at the challenge."""
    owner = await states.account(database)
    challenge = await states.challenge(database, owner)
    lone = await states.challenge(database, owner)
    reply = states.reply(owner, scope_id=challenge.challenge_id)
    await database.transact(partial(replies.keep, reply=reply))
    wrong = partial(backup_codes.add_attempt, challenge=lone, fingerprint=b"code", verdict=AttemptVerdict.WRONG)
    await database.transact(partial(wrong, network_prefix="", now=NOON))
    left = []
    for now in (lone.expire_time - SECOND, lone.expire_time, reply.expire_time - SECOND, reply.expire_time):
        await database.transact(partial(housekeeping.purge, now=now + KEPT))
        left.append(await rows(database_url, "SELECT challenge_id FROM challenges ORDER BY challenge_id"))
    both = sorted([(challenge.challenge_id,), (lone.challenge_id,)])
    assert left == [both, [(challenge.challenge_id,)], [(challenge.challenge_id,)], []]
    assert await counts(database_url, "replies", "backup_code_attempts") == {"replies": 0, "backup_code_attempts": 0}


async def test_sessions_setups_and_mails_go_after_thirty_days(database: Database, database_url: str) -> None:
    owner = await states.account(database)
    session = await states.session(database, owner)
    await database.transact(
        partial(sessions.charge_reauthentication, session=session, fingerprint=b"x", password_version=1)
    )
    setup = states.setup(owner)
    await database.transact(partial(authenticator_setups.create, account_id=owner.account_id, setup=setup, now=NOON))
    done, waiting = states.mail(owner), states.mail(owner)
    for mail in (done, waiting):
        await database.transact(partial(outbox.add, message=mail))
    await database.transact(partial(outbox.mark_done, message=done, sent=NOON))
    tables = ("sessions", "reauthentication_attempts", "authenticator_setups", "outbox")
    await database.transact(partial(housekeeping.purge, now=NOON + KEPT - SECOND))
    assert await counts(database_url, *tables) == dict(zip(tables, (1, 1, 1, 2), strict=True))
    await database.transact(partial(housekeeping.purge, now=session.expire_time + KEPT))
    # A mail that still waits is not purged: it is expired first.
    assert await counts(database_url, *tables) == dict(zip(tables, (0, 0, 0, 1), strict=True))
    assert await ask(database_url, "SELECT message_id FROM outbox") == waiting.message_id


async def test_failed_first_factors_go_after_thirty_days(database: Database, database_url: str) -> None:
    await database.transact(lambda tx: first_factor_failures.count(tx, b"subject", "", NOON))
    await database.transact(lambda tx: first_factor_failures.add_to_total(tx, b"subject", NOON))
    tables = ("first_factor_failures", "first_factor_totals")
    for now, left in ((NOON + KEPT - SECOND, 1), (NOON + KEPT, 0)):
        await database.transact(partial(housekeeping.purge, now=now))
        assert await counts(database_url, *tables) == dict.fromkeys(tables, left)


async def test_a_session_is_not_purged_before_the_replies_that_belong_to_it(
    database: Database, database_url: str
) -> None:
    owner = await states.account(database)
    session = await states.session(database, owner)
    reply = states.reply(owner, session_id=session.session_id, create_time=NOON + 23 * HOUR)
    await database.transact(partial(replies.keep, reply=reply))
    await database.transact(partial(housekeeping.purge, now=session.expire_time + KEPT))
    assert await counts(database_url, "sessions", "replies") == {"sessions": 1, "replies": 1}
    await database.transact(partial(housekeeping.purge, now=reply.expire_time + KEPT))
    assert await counts(database_url, "sessions", "replies") == {"sessions": 0, "replies": 0}


async def test_spent_codes_accounts_and_the_audit_trail_stay_for_good(database: Database, database_url: str) -> None:
    """A code of ten years ago is still recognised as used."""
    owner = await states.account_with_authenticator(database)
    spend = partial(backup_codes.spend, account_id=owner.account_id, generation=1, fingerprint=b"code", now=NOON)
    await database.transact(spend)
    tables = ("accounts", "account_emails", "second_factors", "spent_backup_codes")
    await database.transact(partial(housekeeping.purge, now=NOON + 3650 * 24 * HOUR))
    assert await counts(database_url, *tables) == dict.fromkeys(tables, 1)
