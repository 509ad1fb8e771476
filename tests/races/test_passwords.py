"""Passwords changed at once, by the owner and by mailed links, while others sign in: one of them is the password."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from tests.article.password_steps import reset_token
from tests.conftest import Refusing
from tests.people import People, Person
from tests.races import calls
from tests.races.ledger import Ledger
from tests.races.racers import Outcome, Racers, reasons
from tests.races.stories import another_session

ROUNDS = 3
_LIVE = "SELECT count(*) FROM sessions WHERE account_id = $1 AND end_time IS NULL"
_LINKS = """SELECT count(*) FILTER (WHERE void_time IS NULL), count(*) FROM mailed_links
WHERE account_id = $1 AND purpose = 'reset-password'"""


async def only_works(
    people: People, owner: Person, outcomes: Sequence[Outcome], passwords: Sequence[str], refused: Refusing
) -> None:
    """The password of the one that succeeded, and none of the others."""
    (winner,) = [password for outcome, password in zip(outcomes, passwords, strict=True) if outcome.succeeded]
    await people.challenge_for(replace(owner, password=winner))
    for loser in (owner.password, next(one for one in passwords if one != winner)):
        with refused("CREDENTIALS_MISMATCH"):
            await people.challenge_for(replace(owner, password=loser))


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_8_changes_of_one_password(
    number: int, people: People, racers: Racers, ledger: Ledger, refused: Refusing
) -> None:
    """From two sessions: one is made, its session stays, and for the others the current password is another by then.

    Taken out: the look at the password's version when a re-authentication is confirmed - up to 4 changes made, all but
    the first for a password that was not the current one any more.
    """
    owner = await people.with_authenticator()
    sessions = [owner.session_token, await another_session(people, owner)] * 4
    passwords = [f"an even better horse {count}" for count in range(8)]
    outcomes = await racers.race(
        [calls.change_password(owner, new, session=session) for new, session in zip(passwords, sessions, strict=True)]
    )
    assert sum(outcome.succeeded for outcome in outcomes) == 1
    assert reasons(outcomes).keys() <= {"", "REAUTHENTICATION_FAILED", "SESSION_ENDED"}
    facts, account = await ledger.of(owner.account_id), UUID(owner.account_id)
    assert facts.mails["password-changed"] == facts.events["change_password", "success"] == 1
    assert await ledger.connection.fetchval(_LIVE, account) == 1
    await only_works(people, owner, outcomes, passwords, refused)


async def test_8_repeats_of_one_change(people: People, racers: Racers, ledger: Ledger) -> None:
    """With one request_id it is one change, answered eight times.

    Taken out: the look for a kept answer in the second transaction - 6 REAUTHENTICATION_FAILED.
    """
    owner = await people.signed_in()
    outcomes = await racers.race([calls.change_password(owner, "an even better horse", str(uuid4()))] * 8)
    assert reasons(outcomes) == {"": 8}
    facts = await ledger.of(owner.account_id)
    assert facts.mails["password-changed"] == facts.events["change_password", "success"] == 1


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_8_uses_of_one_link(
    number: int, people: People, racers: Racers, ledger: Ledger, refused: Refusing
) -> None:
    """For different passwords one of them is set, the others are LINK_INVALID; for one password all are answered.

    Taken out: the row lock at the second look - repeats for one password LINK_INVALID, 2 to 7 of them; the guard of the
    link's use alone lets one of different ones through.
    """
    owner = await people.signed_in()
    token = await reset_token(people, owner.email)
    passwords = [f"an even better horse {count}" for count in range(8)]
    outcomes = await racers.race([calls.complete_password_reset(token, new) for new in passwords])
    assert reasons(outcomes) == {"": 1, "LINK_INVALID": 7}
    await only_works(people, owner, outcomes, passwords, refused)
    again = await reset_token(people, owner.email, 2)
    outcomes = await racers.race([calls.complete_password_reset(again, "the best horse of all")] * 8)
    assert reasons(outcomes) == {"": 8}
    assert (await ledger.of(owner.account_id)).mails["password-changed"] == 2


async def test_8_links_asked_for(people: People, racers: Racers, ledger: Ledger) -> None:
    """Three are mailed, and the newest of them works.

    Taken out: the row lock - 5 mailed.
    """
    owner = await people.with_account()
    outcomes = await racers.race([calls.start_password_reset(owner.email)] * 8)
    assert reasons(outcomes) == {"": 8}
    facts = await ledger.of(owner.account_id)
    assert facts.events["start_password_reset", "success"] == 3
    assert tuple(await ledger.connection.fetchrow(_LINKS, UUID(owner.account_id))) == (1, 3)
