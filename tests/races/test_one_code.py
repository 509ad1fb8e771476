"""One backup code, many requests at once: one sign-in comes of it, and the owner is left with the next code.

What keeps the promises is redundant by intent. So mechanisms were taken out of a copy of the server, first one by one
and then several together, until the promise itself broke. "Taken out" in a docstring says which, and what was seen;
here and in the other files, "the row lock" is that of second_factors, and "the guard" of a change the WHERE that names
the state it expects, whose row count is looked at.
"""

import os
from uuid import uuid4

import pytest

from tests.conftest import Refusing
from tests.people import People
from tests.races import calls
from tests.races.ledger import Ledger
from tests.races.racers import Racers, answers, reasons
from tests.races.stories import challenges_for

ROUNDS = int(os.environ.get("RACE_ROUNDS", "3"))
"""Fresh accounts in a row; more of them for a longer look."""


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_64_uses_of_one_code_on_64_challenges(
    number: int, people: People, racers: Racers, ledger: Ledger, refused: Refusing
) -> None:
    """1 success, 63 CODE_ALREADY_USED; then no wait is in force, and the new code works at once.

    Taken out: the row lock - 1 success, but the primary key of spent codes had to refuse some, which alarms. Row lock
    and that key - 1 success, 15 INTERNAL from the guard of the generation. Row lock, key and guard - 16 successes.
    The generation not read again under the lock - as without the lock; key and guard gone as well - 7 successes.
    The spent code not written - 63 CODE_MISMATCH. Not looked up before hashing - up to 62 CODE_MISMATCH. A refusal of
    the second transaction not settled - 15 attempts still pending. The hashing place not shared - OVERLOADED.
    """
    owner = await people.with_authenticator()
    challenges = await challenges_for(people, owner, 64)
    outcomes = await racers.race([calls.use(challenge, owner.backup_code) for challenge in challenges])
    assert reasons(outcomes) == {"": 1, "CODE_ALREADY_USED": 63}
    assert all("used_at" in outcome.metadata for outcome in outcomes if not outcome.succeeded)
    # They all share one place in the hashing queue of their server process: not one was turned away by it.
    assert not any(outcome.overloaded for outcome in outcomes)
    facts = await ledger.of(owner.account_id)
    assert (facts.generation, facts.spent) == (2, [1])
    assert facts.sessions["backup_code"] == facts.mails["backup-code-used"] == 1
    assert facts.verdicts == {"right": 1, "used": 63}
    (winner,) = answers(outcomes)
    assert not (await people.status(winner.session_token)).waits
    fresh, other = await challenges_for(people, owner, 2)
    signed_in = await people.use_backup_code(fresh, winner.new_backup_code.code)
    assert signed_in.new_backup_code.generation == 3
    with refused("CODE_ALREADY_USED"):
        await people.use_backup_code(other, owner.backup_code)


async def test_8_repeats_of_one_logical_call(people: People, racers: Racers, ledger: Ledger) -> None:
    """One request_id on one challenge, a double click eight times over: eight equal answers, 7 of them replayed.

    Taken out: the look for a kept answer in the second transaction - 7 CODE_ALREADY_USED. "This code on this challenge
    before?" - 7 INTERNAL; and the key of attempts as well - 3 CHALLENGE_EXHAUSTED. Both row locks (second_factors and
    challenges), the challenge's guard and the uniqueness of its session - 4 successes with sessions of their own.
    """
    owner = await people.with_authenticator()
    challenge, request_id = await people.challenge_for(owner), str(uuid4())
    outcomes = await racers.race([calls.use(challenge, owner.backup_code, request_id)] * 8)
    assert reasons(outcomes) == {"": 8}
    assert sorted(answer.replayed for answer in answers(outcomes)) == [False] + [True] * 7
    assert len({(a.session_token, a.new_backup_code.code) for a in answers(outcomes)}) == 1
    assert {a.new_backup_code.generation for a in answers(outcomes)} == {2}
    facts = await ledger.of(owner.account_id)
    assert (facts.spent, facts.charged, facts.sessions["backup_code"]) == ([1], 1, 1)
    assert facts.events["replay", "success"] == 7


async def test_8_different_calls_on_one_challenge(people: People, racers: Racers, ledger: Ledger) -> None:
    """Different request_ids are different calls: 1 success, 7 CHALLENGE_CONSUMED, and one attempt charged.

    Taken out: the look whether the challenge is completed - 7 CODE_ALREADY_USED. Both row locks - 1 success, and
    CODE_ALREADY_USED and INTERNAL instead of CHALLENGE_CONSUMED.
    """
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    outcomes = await racers.race([calls.use(challenge, owner.backup_code, str(uuid4())) for _ in range(8)])
    assert reasons(outcomes) == {"": 1, "CHALLENGE_CONSUMED": 7}
    facts = await ledger.of(owner.account_id)
    assert (facts.spent, facts.charged, facts.sessions["backup_code"]) == ([1], 1, 1)


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_backup_code_and_phone_on_one_challenge(
    number: int, people: People, racers: Racers, ledger: Ledger
) -> None:
    """One challenge opens one session, and whichever proof lost is not spent: it opens the next sign-in.

    Taken out: the look whether the challenge is completed - the other call got INTERNAL from the challenge's guard, and
    without the guard from the uniqueness of the challenge's session. All three - 2 successes on one challenge. Both row
    locks, guard and uniqueness - 2 successes. Guard or uniqueness alone: nothing, they are second lines.
    """
    owner = await people.with_authenticator()
    first, second = await challenges_for(people, owner, 2)
    digits = owner.code_at(people.clock.now, steps=1)
    by_code, by_phone = await racers.race(
        [calls.use(first, owner.backup_code), calls.authenticator_code(first, digits)]
    )
    assert reasons([by_code, by_phone]) == {"": 1, "CHALLENGE_CONSUMED": 1}
    if by_code.succeeded:
        await people.verify_authenticator_code(second, digits)
    else:
        await people.use_backup_code(second, owner.backup_code)
    facts = await ledger.of(owner.account_id)
    assert (facts.generation, facts.spent) == (2, [1])
    assert facts.sessions == {"authenticator": 2, "backup_code": 1}
