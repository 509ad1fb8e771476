"""A backup code in use while its owner changes things elsewhere: the end is one that taking turns could have had.

A right code is refused only for a change that came before it, and whoever was shown the newest code holds the one
that works.
"""

from uuid import uuid4

import pytest

from tests.conftest import Refusing
from tests.people import People
from tests.races import calls
from tests.races.ledger import Ledger
from tests.races.racers import Outcome, Racers, answers, reasons
from tests.races.stories import another_session, challenges_for, check_working_code, confirmation, shown_codes

ROUNDS = 4


def _took_turns(uses: list[Outcome]) -> None:
    """One use succeeded and the others came too late, or a change of the code came before all of them."""
    assert reasons(uses) in ({"": 1, "CODE_ALREADY_USED": len(uses) - 1}, {"CODE_MISMATCH": len(uses)})


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_use_and_regenerate(number: int, people: People, racers: Racers, ledger: Ledger) -> None:
    """Both replace the code: the answers' generations follow each other without a gap, and the highest works.

    Taken out: the row lock - regenerations refused with INTERNAL; and the guard of the generation - two answers with
    one generation and different codes; and the key of spent codes - 4 successes of 4 uses. The generation not read
    again - INTERNAL from the guard; guard and key gone as well - 4 successes. Superseded answers not erased - they were
    kept.
    """
    owner = await people.with_authenticator()
    challenges = await challenges_for(people, owner, 4)
    outcomes = await racers.race(
        [
            *(calls.use(challenge, owner.backup_code, str(uuid4())) for challenge in challenges),
            *(calls.regenerate(owner.session_token, owner.password, str(uuid4())) for _ in range(2)),
        ]
    )
    uses, regenerations = outcomes[:4], outcomes[4:]
    _took_turns(uses)
    assert reasons(regenerations) == {"": 2}
    shown, facts = shown_codes(outcomes), await ledger.of(owner.account_id)
    assert sorted(shown) == list(range(2, facts.generation + 1))
    assert facts.spent == [generation - 1 for generation in shown_codes(uses)]
    await check_working_code(people, owner, shown)


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_use_and_remove(number: int, people: People, racers: Racers, ledger: Ledger, refused: Refusing) -> None:
    """The code was used before the removal, or it died with the authenticator. Afterwards no code works.

    Taken out: the row lock, or the method not read again in the second transaction - INTERNAL from the guards. The
    generation not read again, the guard of it and the key of spent codes - 2 successes.
    """
    owner = await people.with_authenticator()
    first, second, last = await challenges_for(people, owner, 3)
    *uses, removal = await racers.race(
        [calls.use(first, owner.backup_code), calls.use(second, owner.backup_code), calls.remove(owner)]
    )
    assert removal.succeeded
    assert reasons(uses) in (
        {"METHOD_NOT_ACTIVE": 2},
        {"": 1, "METHOD_NOT_ACTIVE": 1},
        {"": 1, "CODE_ALREADY_USED": 1},
    )
    shown, facts = shown_codes(uses), await ledger.of(owner.account_id)
    assert (facts.method, facts.generation, len(facts.spent)) == ("email", 1 + len(shown), len(shown))
    for code in [owner.backup_code, *shown.values()]:
        with refused("METHOD_NOT_ACTIVE"):
            await people.use_backup_code(last, code)


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_use_and_move_to_a_new_phone(number: int, people: People, racers: Racers, ledger: Ledger) -> None:
    """Secret and backup code change together: the old code was used before that, or it is a wrong one.

    Taken out: the row lock and the key of spent codes - 3 INTERNAL from the guard of the generation; and the guard - 3
    successes of 3 uses. The generation not read again and no guard - the old code was used after the move.
    """
    owner = await people.with_authenticator()
    challenges = await challenges_for(people, owner, 3)
    confirming = await confirmation(people, owner)
    *uses, confirmed = await racers.race(
        [*(calls.use(challenge, owner.backup_code) for challenge in challenges), confirming]
    )
    assert confirmed.succeeded
    _took_turns(uses)
    shown = shown_codes([*uses, confirmed])
    assert confirmed.answer.backup_code.generation == max(shown) == (await ledger.of(owner.account_id)).generation
    await check_working_code(people, owner, shown)


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_use_and_saved(number: int, people: People, racers: Racers) -> None:
    """ "Saved" is said of the old code or comes too late; it never stands in the way, nor says it of the new code."""
    owner = await people.with_authenticator()
    used, *sayings = await racers.race(
        [
            calls.use(await people.challenge_for(owner), owner.backup_code, str(uuid4())),
            *[calls.saved(owner.session_token, owner.generation)] * 3,
        ]
    )
    assert used.succeeded
    assert reasons(sayings).keys() <= {"", "GENERATION_SUPERSEDED"}
    end = (await people.status(owner.session_token)).backup_code
    assert (end.generation, end.HasField("save_time"), end.must_regenerate) == (2, False, False)
    await check_working_code(people, owner, shown_codes([used]))


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_use_and_status(number: int, people: People, racers: Racers) -> None:
    """Whoever looks meanwhile sees the state before the use or the one after it, and none that never was. At every
    moment a kept answer shows the current code: the regeneration's, then the use's.

    Taken out: the code's state and its kept answer read in two statements instead of one - must_regenerate was shown,
    of the old generation whose answer had just been erased.
    """
    owner = await people.with_authenticator()
    code = (await people.regenerate(owner, request_id=str(uuid4()))).backup_code.code
    for generation in (2, 3):
        used, *looks = await racers.race(
            [
                calls.use(await people.challenge_for(owner), code, str(uuid4())),
                *[calls.status(owner.session_token)] * 80,
            ]
        )
        assert used.succeeded
        assert reasons(looks) == {"": 80}
        assert {look.backup_code.generation for look in answers(looks)} <= {generation, generation + 1}
        assert not any(look.backup_code.must_regenerate for look in answers(looks))
        code = used.answer.new_backup_code.code


async def test_repeat_and_sign_out(people: People, racers: Racers, refused: Refusing) -> None:
    """A kept answer is erased with the session that it opened: a repeat gets all of it, or is told that it is gone.

    Taken out: the erasing at sign-out - the answer was given again afterwards.
    """
    owner = await people.with_authenticator()
    challenge, request_id = await people.challenge_for(owner), str(uuid4())
    first = await people.use_backup_code(challenge, owner.backup_code, request_id)
    repeats = [calls.use(challenge, owner.backup_code, request_id)] * 10
    outcomes = await racers.race([*repeats, *[calls.sign_out(first.session_token)] * 2])
    assert reasons(outcomes[10:]) == {"": 2}
    assert reasons(outcomes[:10]).keys() <= {"", "REQUEST_ID_EXPIRED"}
    assert all(a.replayed and a.new_backup_code == first.new_backup_code for a in answers(outcomes[:10]))
    with refused("REQUEST_ID_EXPIRED"):
        await people.use_backup_code(challenge, owner.backup_code, request_id)
    with refused("SESSION_ENDED"):
        await people.session(first.session_token)
    await check_working_code(people, owner, {2: first.new_backup_code.code})


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_everything_at_once(number: int, people: People, racers: Racers, ledger: Ledger) -> None:
    """Uses, regenerations, a move, a removal, "saved" and looks together: each answer is one of its turn's, every code
    shown has its own generation, and the account ends with the newest or without any.

    Taken out: the row lock - INTERNAL in every round.
    """
    owner = await people.with_authenticator()
    other = await another_session(people, owner)
    challenges = await challenges_for(people, owner, 4)
    outcomes = await racers.race(
        [
            *(calls.use(challenge, owner.backup_code, str(uuid4())) for challenge in challenges),
            *(calls.regenerate(session, owner.password, str(uuid4())) for session in (owner.session_token, other)),
            await confirmation(people, owner),
            calls.remove(owner, other),
            calls.start_setup(owner, other),
            *[calls.saved(other, 1), calls.status(other)] * 3,
        ]
    )
    uses, regenerations, confirmed, removal, started, looks = (
        outcomes[:4], outcomes[4:6], outcomes[6], outcomes[7], outcomes[8], outcomes[9:]
    )  # fmt: skip
    assert reasons(uses).keys() <= {"", "CODE_ALREADY_USED", "CODE_MISMATCH", "METHOD_NOT_ACTIVE"}
    # CONFLICT: another authenticator took the place of the one it was asked for; "repeat the call".
    assert reasons(regenerations).keys() <= {"", "METHOD_NOT_ACTIVE", "CONFLICT"}
    assert removal.reason in ("", "CONFLICT")
    assert confirmed.reason in ("", "SETUP_EXPIRED")
    assert started.succeeded
    assert reasons(looks).keys() <= {"", "GENERATION_SUPERSEDED", "METHOD_NOT_ACTIVE"}
    shown, facts = shown_codes(outcomes), await ledger.of(owner.account_id)
    assert sorted(shown) == list(range(2, facts.generation + 1))
    assert len(shown) == len(answers([*uses, *regenerations, confirmed]))
    if facts.method == "authenticator":
        await check_working_code(people, owner, shown)
