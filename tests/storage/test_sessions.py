"""Sessions, and the re-authentications tried in them."""

from dataclasses import replace
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError

from tests.storage import states
from tests.storage.databases import ask
from tests.storage.states import HOUR, MINUTE, NOON
from twofactor_server.domain.second_factors import Proof
from twofactor_server.domain.sessions import Session
from twofactor_server.storage import sessions
from twofactor_server.storage.database import Database


async def by_id(database: Database, session: Session) -> Session:
    found = await database.read(lambda tx: sessions.by_id(tx, session.account_id, session.session_id))
    assert found is not None
    return found


async def test_a_session_is_found_by_its_token_live_or_not(database: Database) -> None:
    owner, stranger = await states.account(database), await states.account(database)
    session = await states.session(database, owner, digest=b"token")
    for look in (sessions.find, sessions.lock):
        assert await database.transact(partial(look, account_id=owner.account_id, digest=b"token")) == session
        for account_id, digest in ((owner.account_id, b"other"), (stranger.account_id, b"token")):
            assert await database.transact(partial(look, account_id=account_id, digest=digest)) is None
    assert await by_id(database, session) == session
    assert await database.read(lambda tx: sessions.by_id(tx, owner.account_id, uuid4())) is None
    await database.transact(lambda tx: sessions.end(tx, session, NOON))
    assert await by_id(database, session) == replace(session, end_time=NOON)


async def test_a_session_shows_the_accounts_address_of_today(database: Database, database_url: str) -> None:
    owner = await states.account(database)
    session = await states.session(database, owner)
    await ask(database_url, "UPDATE accounts SET email = 'new@example.test' WHERE account_id = $1", owner.account_id)
    assert (await by_id(database, session)).email == "new@example.test"


async def test_one_challenge_opens_one_session(database: Database) -> None:
    owner = await states.account(database)
    challenge_id = uuid4()
    first, second = [states.session_record(owner) for _ in range(2)]
    await database.transact(lambda tx: sessions.create(tx, first, challenge_id, b"one token"))
    with pytest.raises(IntegrityError, match="uq_sessions_account_id_challenge_id"):
        await database.transact(lambda tx: sessions.create(tx, second, challenge_id, b"another"))


async def test_an_ended_session_stays_as_it_ended(database: Database) -> None:
    """It ends once; nothing that comes late touches or proves it."""
    session = await states.session(database, await states.account(database))
    ends = [await database.transact(lambda tx: sessions.end(tx, session, NOON + HOUR)) for _ in range(2)]
    assert ends == [True, False]
    await database.transact(lambda tx: sessions.touch(tx, session, NOON + 2 * HOUR))
    await database.transact(lambda tx: sessions.prove(tx, session, Proof.AUTHENTICATOR, NOON + 2 * HOUR))
    assert await by_id(database, session) == replace(session, end_time=NOON + HOUR)


async def test_a_live_session_is_touched_and_proved(database: Database) -> None:
    session = await states.session(database, await states.account(database))
    await database.transact(lambda tx: sessions.touch(tx, session, NOON + MINUTE))
    await database.transact(lambda tx: sessions.prove(tx, session, Proof.AUTHENTICATOR, NOON + 2 * MINUTE))
    assert await by_id(database, session) == replace(
        session, last_active_time=NOON + MINUTE, proof=Proof.AUTHENTICATOR, proof_time=NOON + 2 * MINUTE
    )


async def test_the_others_end_and_the_kept_one_goes_on(database: Database) -> None:
    """The ids are those that this call ended: not the one ended before, nor another account's."""
    owner, stranger = await states.account(database), await states.account(database)
    kept, live, live_too, ended = [await states.session(database, owner) for _ in range(4)]
    other = await states.session(database, stranger)
    await database.transact(lambda tx: sessions.end(tx, ended, NOON))
    later = NOON + HOUR
    found = await database.transact(lambda tx: sessions.end_others(tx, owner.account_id, kept.session_id, later))
    assert sorted(found) == sorted([live.session_id, live_too.session_id])
    assert [(await by_id(database, one)).end_time for one in (kept, live, live_too, ended, other)] == [
        None, later, later, NOON, None
    ]  # fmt: skip
    again = await database.transact(lambda tx: sessions.end_others(tx, owner.account_id, kept.session_id, later))
    assert again == []


async def test_all_of_them_end_when_none_is_kept(database: Database) -> None:
    """Also those that are out of time, which nobody ended: it is for good now."""
    owner = await states.account(database)
    live, over = [await states.session(database, owner, create_time=NOON - days * HOUR) for days in (0, 48)]
    found = await database.transact(lambda tx: sessions.end_others(tx, owner.account_id, None, NOON))
    assert sorted(found) == sorted([live.session_id, over.session_id])


async def test_those_that_are_not_over_the_newest_first(database: Database) -> None:
    """Neither ended nor out of time; whether one is idle too long is for the rules to say."""
    owner, stranger = await states.account(database), await states.account(database)
    for one in (owner, stranger):
        older, ended, _out_of_time, newer = [
            await states.session(database, one, create_time=NOON - hours * HOUR) for hours in (9, 5, 24, 1)
        ]
        await database.transact(partial(sessions.end, session=ended, now=NOON))
    found = await database.read(partial(sessions.not_over, account_id=stranger.account_id, now=NOON))
    assert found == [newer, older]


async def test_a_remembered_session_says_so(database: Database) -> None:
    record = replace(states.session_record(await states.account(database)), remembered=True)
    await database.transact(lambda tx: sessions.create(tx, record, uuid4(), b"a token"))
    assert await by_id(database, record) == record


class Tries:
    """The re-authentications of one session, asked one by one."""

    def __init__(self, database: Database, session: Session) -> None:
        self._transact = database.transact
        self._session = session

    async def charge(self, fingerprint: bytes, version: int = 1) -> None:
        await self._transact(lambda tx: sessions.charge_reauthentication(tx, self._session, fingerprint, version))

    async def refuse(self, fingerprint: bytes) -> None:
        await self._transact(lambda tx: sessions.refuse_reauthentication(tx, self._session, fingerprint))

    async def clear(self) -> None:
        await self._transact(lambda tx: sessions.clear_reauthentications(tx, self._session))

    async def verdict(self, fingerprint: bytes, version: int = 1) -> str | None:
        return await self._transact(
            lambda tx: sessions.reauthentication_verdict(tx, self._session, fingerprint, version)
        )

    async def counts(self) -> tuple[int, int]:
        """How many are pending or wrong, and how many are wrong."""
        return (
            await self._transact(lambda tx: sessions.count_reauthentications(tx, self._session)),
            await self._transact(lambda tx: sessions.count_wrong_reauthentications(tx, self._session)),
        )


async def test_one_password_tried_again_is_one_attempt(database: Database) -> None:
    tries = Tries(database, await states.session(database, await states.account(database)))
    assert await tries.verdict(b"first") is None
    await tries.charge(b"first")
    await tries.charge(b"first")
    await tries.charge(b"second")
    assert await tries.verdict(b"first") == "pending"
    assert await tries.counts() == (2, 0)
    await tries.refuse(b"first")
    assert await tries.verdict(b"first") == "wrong"
    assert await tries.counts() == (2, 1)


async def test_a_password_tried_against_an_older_one_is_charged_anew(database: Database) -> None:
    """It was wrong then; the password has been changed since, perhaps to this one."""
    tries = Tries(database, await states.session(database, await states.account(database)))
    await tries.charge(b"first", version=1)
    await tries.refuse(b"first")
    assert await tries.verdict(b"first", version=2) is None
    await tries.charge(b"first", version=2)
    assert await tries.verdict(b"first", version=2) == "pending"
    assert await tries.counts() == (1, 0)


async def test_a_right_one_forgives_those_of_its_own_session(database: Database) -> None:
    owner = await states.account(database)
    tries, elsewhere = [Tries(database, await states.session(database, owner)) for _ in range(2)]
    for one in (tries, elsewhere):
        await one.charge(b"wrong")
    await tries.clear()
    assert await tries.counts() == (0, 0)
    assert await elsewhere.counts() == (1, 0)
