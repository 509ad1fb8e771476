"""Concurrent passwords: all correct ones are accepted, and one wrong one is verified per wait."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from tests.concurrency.client_pool import ClientPool, reasons
from tests.support.clock import Clock
from tests.support.db_snapshot import SnapshotReader
from tests.support.factories import AccountFactory, Owner
from tests.support.rpc import build, refused
from twofactor_server.domain.throttling import subject_of

_ROWS = "SELECT failures FROM first_factor_failures WHERE subject = $1"
_TOTAL = "SELECT cardinality(times) FROM first_factor_totals WHERE subject = $1"


async def fail_first_factor(factory: AccountFactory, owner: Owner, times: int) -> Owner:
    """Try wrong passwords; returns the owner with a wrong password."""
    guesser = replace(owner, password="not the password")
    for _ in range(times):
        with refused("CREDENTIALS_MISMATCH"):
            await factory.challenge_for(guesser)
    return guesser


async def failure_counts(db: SnapshotReader, owner: Owner) -> Sequence[int]:
    """The consecutive failures of the network, if any, and all failures of the address."""
    rows = await db.connection.fetch(_ROWS, subject_of(owner.email))
    return [*(row[0] for row in rows), await db.connection.fetchval(_TOTAL, subject_of(owner.email)) or 0]


async def test_64_correct_passwords(factory: AccountFactory, clients: ClientPool, db: SnapshotReader) -> None:
    """None is refused, not even after three failures, and they leave no counts.

    Seen to fail if attempts are counted before they are verified where fewer than four have failed:
    ATTEMPTS_THROTTLED for a correct one.
    """
    owner = await factory.account_with_authenticator()
    for failed in (0, 3):
        await fail_first_factor(factory, owner, failed)
        outcomes = await clients.call_at_once([build.StartSignIn(password=owner.credential)] * 64)
        assert reasons(outcomes) == {"": 64}
        assert await failure_counts(db, owner) == [failed]


async def test_40_wrong_passwords_after_failures(
    factory: AccountFactory, clock: Clock, clients: ClientPool, db: SnapshotReader
) -> None:
    """From the fourth failure on, one attempt is verified per wait, however many arrive when it ends.

    Seen to fail without the expected number of failures in the charge: 12 were verified. Without the charge before
    the verification: 4 were verified.
    """
    owner = await factory.account_with_authenticator()
    guesser = await fail_first_factor(factory, owner, 4)
    for number, wait in enumerate((30, 60, 120), 5):
        outcomes = await clients.call_at_once([build.StartSignIn(password=guesser.credential)] * 40)
        assert reasons(outcomes) == {"CREDENTIALS_MISMATCH": 1, "ATTEMPTS_THROTTLED": 39}
        assert await failure_counts(db, owner) == [number, number]
        clock.advance(timedelta(seconds=wait))


async def test_40_wrong_passwords_without_failures(
    factory: AccountFactory, clients: ClientPool, db: SnapshotReader
) -> None:
    """Every verified attempt is counted. The slots of the hashing queue limit how many are verified.

    Seen to fail with a count that the server reads and writes, instead of counting in the database: 4 counted of 14
    verified.
    """
    owner = await factory.account_with_authenticator()
    guesser = replace(owner, password="not the password")
    outcomes = await clients.call_at_once([build.StartSignIn(password=guesser.credential)] * 40)
    verified = reasons(outcomes)["CREDENTIALS_MISMATCH"]
    assert reasons(outcomes) == {"CREDENTIALS_MISMATCH": verified, "ATTEMPTS_THROTTLED": 40 - verified}
    assert verified >= 4
    assert await failure_counts(db, owner) == [verified, verified]


async def test_correct_and_wrong_passwords_after_failures(
    factory: AccountFactory, clock: Clock, clients: ClientPool, db: SnapshotReader
) -> None:
    """One attempt is admitted; if it is correct, the network's failures are cleared and others follow."""
    owner = await factory.account_with_authenticator()
    guesser = await fail_first_factor(factory, owner, 4)
    outcomes = await clients.call_at_once(
        [build.StartSignIn(password=owner.credential), build.StartSignIn(password=guesser.credential)] * 10
    )
    assert reasons(outcomes).keys() <= {"", "CREDENTIALS_MISMATCH", "ATTEMPTS_THROTTLED"}
    clock.advance(timedelta(hours=1))
    await factory.challenge_for(owner)
    assert len(await failure_counts(db, owner)) == 1
