"""Passwords typed at once: all right ones are let in, and of wrong ones one is judged for each wait."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from tests.conftest import Refusing
from tests.people import People, Person
from tests.races import calls
from tests.races.ledger import Ledger
from tests.races.racers import Racers, reasons
from twofactor_server.domain.first_factor_waits import subject_of

_ROWS = "SELECT failures FROM first_factor_failures WHERE subject = $1"
_TOTAL = "SELECT cardinality(times) FROM first_factor_totals WHERE subject = $1"


async def fail(people: People, owner: Person, times: int, refused: Refusing) -> Person:
    """After so many wrong passwords; the owner as a guesser."""
    guesser = replace(owner, password="not the password")
    for _ in range(times):
        with refused("CREDENTIALS_MISMATCH"):
            await people.challenge_for(guesser)
    return guesser


async def failures(ledger: Ledger, owner: Person) -> Sequence[int]:
    """What is counted: consecutive ones of the network, if any, and all of the address."""
    rows = await ledger.connection.fetch(_ROWS, subject_of(owner.email))
    return [*(row[0] for row in rows), await ledger.connection.fetchval(_TOTAL, subject_of(owner.email)) or 0]


async def test_64_right_ones(people: People, racers: Racers, ledger: Ledger, refused: Refusing) -> None:
    """None is refused, not even with three failures before them; and they leave nothing behind.

    Taken out: judging before counting where fewer than four have failed - ATTEMPTS_THROTTLED for a right one.
    """
    owner = await people.with_authenticator()
    for failed in (0, 3):
        await fail(people, owner, failed, refused)
        outcomes = await racers.race([calls.start_sign_in(owner)] * 64)
        assert reasons(outcomes) == {"": 64}
        assert await failures(ledger, owner) == [failed]


async def test_40_wrong_ones_of_a_network_that_has_failed(
    people: People, racers: Racers, ledger: Ledger, refused: Refusing
) -> None:
    """From the fourth failure on, one is judged for each wait, however many come when it ends.

    Taken out: the number of failures that the charge expects - 12 judged; the charge before the judgement, so that each
    is counted after it - 4 judged.
    """
    owner = await people.with_authenticator()
    guesser = await fail(people, owner, 4, refused)
    for number, wait in enumerate((30, 60, 120), 5):
        outcomes = await racers.race([calls.start_sign_in(guesser)] * 40)
        assert reasons(outcomes) == {"CREDENTIALS_MISMATCH": 1, "ATTEMPTS_THROTTLED": 39}
        assert await failures(ledger, owner) == [number, number]
        people.clock.advance(timedelta(seconds=wait))


async def test_40_wrong_ones_of_a_network_that_has_not(people: People, racers: Racers, ledger: Ledger) -> None:
    """Those that were judged are counted, each; the places for hashing bound how many that are.

    Taken out: the count in the database, one read and written by the server instead - 4 counted of 14 judged.
    """
    owner = await people.with_authenticator()
    guesser = replace(owner, password="not the password")
    outcomes = await racers.race([calls.start_sign_in(guesser)] * 40)
    judged = reasons(outcomes)["CREDENTIALS_MISMATCH"]
    assert reasons(outcomes) == {"CREDENTIALS_MISMATCH": judged, "ATTEMPTS_THROTTLED": 40 - judged}
    assert judged >= 4
    assert await failures(ledger, owner) == [judged, judged]


async def test_right_and_wrong_ones_of_a_network_that_has_failed(
    people: People, racers: Racers, ledger: Ledger, refused: Refusing
) -> None:
    """One is admitted; if it is right, the network's failures are forgiven and others follow."""
    owner = await people.with_authenticator()
    guesser = await fail(people, owner, 4, refused)
    outcomes = await racers.race([calls.start_sign_in(owner), calls.start_sign_in(guesser)] * 10)
    assert reasons(outcomes).keys() <= {"", "CREDENTIALS_MISMATCH", "ATTEMPTS_THROTTLED"}
    people.clock.advance(timedelta(hours=1))
    await people.challenge_for(owner)
    assert len(await failures(ledger, owner)) == 1
