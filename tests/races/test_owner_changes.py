"""Changes of one account's second factor from several sessions, and one change made twice."""

from uuid import uuid4

import pyotp
import pytest

from tests.conftest import Refusing
from tests.people import People
from tests.races import calls
from tests.races.ledger import Ledger
from tests.races.racers import Racers, answers, reasons
from tests.races.stories import another_session, check_working_code, confirmation, shown_codes

ROUNDS = 3


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_regenerate_from_two_sessions(
    number: int, people: People, racers: Racers, ledger: Ledger, refused: Refusing
) -> None:
    """Each is answered with a generation of its own, a right password is never refused, and only the highest works.

    Taken out: the row lock - 6 INTERNAL from the guard of the generation; and the guard as well - two answers with one
    generation and different codes. Superseded answers not erased - answers with dead codes were kept.
    """
    owner = await people.with_authenticator()
    sessions = [owner.session_token, await another_session(people, owner)]
    outcomes = await racers.race([calls.regenerate(session, owner.password, str(uuid4())) for session in sessions * 4])
    assert reasons(outcomes) == {"": 8}
    shown = shown_codes(outcomes)
    assert sorted(shown) == list(range(2, 10))
    facts = await ledger.of(owner.account_id)
    assert (facts.generation, facts.spent, facts.mails["backup-code-regenerated"]) == (9, [], 8)
    await check_working_code(people, owner, shown)
    challenge = await people.challenge_for(owner)
    for dead in (owner.backup_code, shown[2], shown[8]):
        with refused("CODE_MISMATCH"):
            await people.use_backup_code(challenge, dead)


async def test_8_repeats_of_one_regeneration(people: People, racers: Racers, ledger: Ledger) -> None:
    """With one request_id it is one regeneration, answered eight times.

    Taken out: the look for a kept answer in the second transaction - 5 INTERNAL from the key of kept answers. The locks
    of the row and of the session - 2 INTERNAL.
    """
    owner = await people.with_authenticator()
    outcomes = await racers.race([calls.regenerate(owner.session_token, owner.password, str(uuid4()))] * 8)
    assert reasons(outcomes) == {"": 8}
    assert sorted(answer.replayed for answer in answers(outcomes)) == [False] + [True] * 7
    shown, facts = shown_codes(outcomes), await ledger.of(owner.account_id)
    assert (list(shown), facts.generation, facts.mails["backup-code-regenerated"]) == ([2], 2, 1)
    await check_working_code(people, owner, shown)


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_regenerate_and_sign_out(number: int, people: People, racers: Racers, ledger: Ledger) -> None:
    """Regenerated while the session lasted, or refused because it is over: it leaves no kept answer behind.

    Taken out: the session's end not read again under the lock - answers were kept for the session that had ended. The
    session locked before the row, instead of after it - deadlocks.
    """
    owner = await people.with_authenticator()
    other = await another_session(people, owner)
    *regenerations, sign_out = await racers.race(
        [*(calls.regenerate(other, owner.password, str(uuid4())) for _ in range(4)), calls.sign_out(other)]
    )
    assert sign_out.succeeded
    assert reasons(regenerations).keys() <= {"", "SESSION_ENDED"}
    shown, facts = {1: owner.backup_code} | shown_codes(regenerations), await ledger.of(owner.account_id)
    assert sorted(shown) == list(range(1, facts.generation + 1))
    await check_working_code(people, owner, shown)


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_remove_and_regenerate(number: int, people: People, racers: Racers, ledger: Ledger) -> None:
    """Regenerated before the removal, or refused after it: no backup code outlives its authenticator.

    Taken out: the row lock - INTERNAL from the guards for removals and regenerations. The method not read again in the
    second transaction - INTERNAL from the guard of the code; without the guard, INTERNAL from the table's CHECK;
    without that, an account on e-mail codes had a backup code.
    """
    owner = await people.with_authenticator()
    other = await another_session(people, owner)
    *regenerations, first, second = await racers.race(
        [*[calls.regenerate(other, owner.password)] * 3, *[calls.remove(owner)] * 2]
    )
    assert reasons([first, second]) == {"": 2}
    assert reasons(regenerations).keys() <= {"", "METHOD_NOT_ACTIVE"}
    shown, facts = shown_codes(regenerations), await ledger.of(owner.account_id)
    assert (facts.method, facts.generation) == ("email", 1 + len(shown))
    assert facts.mails["authenticator-off"] == 1


async def test_one_setup_confirmed_by_8_calls(people: People, racers: Racers, ledger: Ledger) -> None:
    """Without a request_id the first turns it on and the others find it over; with one, all get the same code.

    Taken out: the locks of the row and of the session - INTERNAL from the guard of the generation; and the guard as
    well - 6 of 8 turned it on, each with a code of its own.
    """
    for request_id, expected in (("", {"": 1, "SETUP_EXPIRED": 7}), (str(uuid4()), {"": 8})):
        owner = await people.signed_in()
        outcomes = await racers.race([await confirmation(people, owner, request_id)] * 8)
        assert reasons(outcomes) == expected
        shown, facts = shown_codes(outcomes), await ledger.of(owner.account_id)
        assert (list(shown), facts.generation, facts.mails["authenticator-on"]) == ([1], 1, 1)
        await check_working_code(people, owner, shown)


@pytest.mark.parametrize("number", range(6))
async def test_two_sessions_turn_the_authenticator_on(number: int, people: People, racers: Racers) -> None:
    """A session that passed an e-mail code may turn the authenticator on, not take it over. If the other session's
    confirmation came first, this one has to prove the authenticator; if its setup came first, the other's is void.

    Taken out: what the session has to have passed not looked at again under the lock, after the password's hash - in 9
    of 20 rounds both succeeded, and the session of the e-mail code then replaced the authenticator. The row lock - so
    in 5 of 6.
    """
    owner = await people.signed_in()
    challenge = await people.challenge_for(owner)
    other = await people.verify_email_code(challenge, await people.mailbox.code(owner.email, count=2))
    confirmed, started = await racers.race(
        [await confirmation(people, owner), calls.start_setup(owner, other.session_token)]
    )
    assert (confirmed.reason, started.reason) in (("", "REAUTHENTICATION_REQUIRED"), ("SETUP_EXPIRED", ""))


async def test_8_setups_started(people: People, racers: Racers, refused: Refusing) -> None:
    """Starting again voids the older setup: of eight, one can be confirmed.

    Taken out: ending the older ones - 7 INTERNAL from the unique index of open setups; and the index - 8 confirmed. The
    locks of the row and of the session - 3 started; and the index - 3 confirmed.
    """
    owner = await people.signed_in()
    started = answers(await racers.race([calls.start_setup(owner)] * 8))
    assert len(started) == 8
    digits = {
        one.setup_id: pyotp.TOTP(one.secret.replace(" ", "")).at(int(people.clock.now.timestamp())) for one in started
    }
    outcomes = await racers.race([calls.confirm_setup(owner.session_token, *one) for one in digits.items()])
    assert reasons(outcomes) == {"": 1, "SETUP_EXPIRED": 7}
