"""Codes typed at once: one code opens one sign-in, and however many wrong ones come together, five are judged."""

from collections.abc import Callable
from datetime import UTC, timedelta
from uuid import uuid4

from tests.people import People
from tests.races import calls
from tests.races.ledger import Ledger
from tests.races.racers import Outcome, Racers, answers, reasons
from tests.races.stories import challenges_for

GUESSES = 40


def _five_judged(outcomes: list[Outcome]) -> None:
    """Five learn that they were wrong and how many attempts are left; the others learn nothing of their code."""
    assert reasons(outcomes) == {"CODE_MISMATCH": 5, "CHALLENGE_EXHAUSTED": GUESSES - 5}
    left = [outcome.metadata["attempts_left"] for outcome in outcomes if outcome.reason == "CODE_MISMATCH"]
    assert sorted(left) == ["0", "1", "2", "3", "4"]


async def test_40_wrong_backup_codes(people: People, racers: Racers, ledger: Ledger) -> None:
    """A guess costs an attempt, committed before its verdict is known to anyone.

    Taken out: the guard of the charge, attempts < 5 - 35 INTERNAL from the table's CHECK; and the CHECK as well - 30
    judged, and 10 ATTEMPTS_THROTTLED by the hour's budget. Both row locks: nothing, the guard alone counts right.
    """
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    wrong = [f"{number:04} aaaa bbbb cccc" for number in range(GUESSES)]
    _five_judged(await racers.race([calls.use(challenge, code) for code in wrong]))
    facts = await ledger.of(owner.account_id)
    assert (facts.charged, facts.verdicts) == (5, {"wrong": 5})


async def test_40_wrong_authenticator_codes(people: People, racers: Racers, ledger: Ledger) -> None:
    """The fifth failure also begins a wait of the account; on this challenge the spent attempts are what counts.

    Taken out: the row lock - 5 judged, but no wait came of them: the counter had lost failures. Both row locks - 23
    judged. The look at the spent attempts - 35 ATTEMPTS_THROTTLED.
    """
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    wrong = _wrong_digits(lambda steps: owner.code_at(people.clock.now, steps))
    _five_judged(await racers.race([calls.authenticator_code(challenge, digits) for digits in wrong]))
    assert (await ledger.of(owner.account_id)).charged == 5
    (wait,) = (await people.status(owner.session_token)).waits
    assert timedelta(seconds=29) < wait.until_time.ToDatetime(UTC) - people.clock.now <= timedelta(seconds=30)
    await people.use_backup_code(await people.challenge_for(owner), owner.backup_code)


async def test_40_wrong_email_codes(people: People, racers: Racers, ledger: Ledger) -> None:
    """As with the authenticator's. Taken out: both row locks - 24 judged."""
    owner = await people.with_account()
    challenge = await people.challenge_for(owner)
    right = await people.mailbox.code(owner.email)
    wrong = _wrong_digits(lambda steps: right)
    _five_judged(await racers.race([calls.email_code(challenge, digits) for digits in wrong]))
    assert (await ledger.of(owner.account_id)).charged == 5


async def test_40_wrong_codes_for_a_setup(people: People, racers: Racers) -> None:
    """Five wrong codes void a setup. Taken out: the look whether it is void - 40 judged."""
    owner = await people.signed_in()
    started = await people.start_setup(owner)
    wrong = [f"{number:06}" for number in range(GUESSES)]
    outcomes = await racers.race([calls.confirm_setup(owner.session_token, started.setup_id, c) for c in wrong])
    assert reasons(outcomes) == {"CODE_MISMATCH": 5, "SETUP_EXPIRED": GUESSES - 5}


async def test_16_wrong_passwords_in_one_session(people: People, racers: Racers, ledger: Ledger) -> None:
    """Five wrong re-authentications end the session. They are charged before they are judged, so no sixth is.

    Taken out: the count at the charge - 12 were charged and judged.
    """
    owner = await people.with_authenticator()
    outcomes = await racers.race([calls.regenerate(owner.session_token, f"wrong {n}") for n in range(16)])
    said = reasons(outcomes)
    assert said.keys() <= {"REAUTHENTICATION_FAILED", "SESSION_ENDED"}
    assert said["REAUTHENTICATION_FAILED"] <= 5
    assert (await ledger.of(owner.account_id)).reauthentications == 5
    (after,) = await racers.race([calls.regenerate(owner.session_token, owner.password)])
    assert after.reason == "SESSION_ENDED"


async def test_one_authenticator_code_on_16_challenges(people: People, racers: Racers, ledger: Ledger) -> None:
    """A step is accepted once: 1 success, 15 CODE_ALREADY_USED.

    Taken out: the comparison with the last accepted step - 15 INTERNAL from the guard of the step; and the guard as
    well - 16 successes. The row lock - 6 INTERNAL from the guard; both row locks and the guard - 6 successes.
    """
    owner = await people.with_authenticator()
    challenges = await challenges_for(people, owner, 16)
    digits = owner.code_at(people.clock.now, steps=1)
    outcomes = await racers.race([calls.authenticator_code(challenge, digits) for challenge in challenges])
    assert reasons(outcomes) == {"": 1, "CODE_ALREADY_USED": 15}
    facts = await ledger.of(owner.account_id)
    assert (facts.charged, facts.sessions["authenticator"]) == (0, 2)


async def test_one_email_code_8_times(people: People, racers: Racers, ledger: Ledger) -> None:
    """One challenge opens one session; the same logical call is answered the same.

    Taken out: the look whether the challenge is completed - 7 INTERNAL; the challenge's guard and the uniqueness of its
    session as well - 8 successes. Both row locks, guard and uniqueness - 5 successes.
    """
    for same in (False, True):
        owner = await people.with_account()
        challenge = await people.challenge_for(owner)
        digits = await people.mailbox.code(owner.email)
        ids = [str(uuid4())] * 8 if same else [str(uuid4()) for _ in range(8)]
        outcomes = await racers.race([calls.email_code(challenge, digits, one) for one in ids])
        assert reasons(outcomes) == ({"": 8} if same else {"": 1, "CHALLENGE_CONSUMED": 7})
        assert len({answer.session_token for answer in answers(outcomes)}) == 1
        assert (await ledger.of(owner.account_id)).sessions == {"email_code": 1}


def _wrong_digits(right: Callable[[int], str]) -> list[str]:
    near = {right(steps) for steps in range(-2, 3)}
    return [digits for digits in (f"{number:06}" for number in range(GUESSES + len(near))) if digits not in near][
        :GUESSES
    ]
