"""Authenticator codes at sign-in: each 30-second step is accepted once, and time goes one way."""

import pytest

from tests.article.steps import STEP
from tests.conftest import Refusing
from tests.people import People


@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_the_window_is_one_step_either_side(people: People, steps: int) -> None:
    """ "TOTP window: the current 30 s step ± 1." """
    owner = await people.with_authenticator()
    people.clock.advance(3 * STEP)
    challenge = await people.challenge_for(owner)
    session = (await people.verify_authenticator_code(challenge, owner.code_at(people.clock.now, steps))).session
    assert list(session.methods) == ["pwd", "otp", "mfa"]


async def test_two_steps_away_is_wrong(people: People, refused: Refusing) -> None:
    """T-2 and T+2 are refused, and are guesses."""
    owner = await people.with_authenticator()
    people.clock.advance(5 * STEP)
    challenge = await people.challenge_for(owner)
    window = {owner.code_at(people.clock.now, steps) for steps in (-1, 0, 1)}
    for steps, left in ((-2, "4"), (2, "3")):
        code = owner.code_at(people.clock.now, steps)
        assert code not in window, "one in a million: two steps show the same code"
        with refused("CODE_MISMATCH") as said:
            await people.verify_authenticator_code(challenge, code)
        assert said[0].metadata == {"attempts_left": left}


async def test_a_step_is_accepted_once(people: People, refused: Refusing) -> None:
    """ "A step at or before the last accepted one is never accepted again, and costs nothing" (RFC 6238 section 5.2),
    on whatever challenge."""
    owner = await people.with_authenticator()
    people.clock.advance(2 * STEP)
    code = owner.code_at(people.clock.now)
    other = await people.challenge_for(owner)
    await people.verify_authenticator_code(await people.challenge_for(owner), code)
    for _ in range(7):
        with refused("CODE_ALREADY_USED") as said:
            await people.verify_authenticator_code(other, code)
        assert said[0].metadata == {}
    shown = await people.challenge(other)
    assert shown.attempts_left == 5
    assert not shown.waits


async def test_no_older_code_after_a_newer_one(people: People, refused: Refusing) -> None:
    """An older code that is still in the window is not accepted once a newer one was."""
    owner = await people.with_authenticator()
    people.clock.advance(3 * STEP)
    await people.verify_authenticator_code(await people.challenge_for(owner), owner.code_at(people.clock.now, 1))
    challenge = await people.challenge_for(owner)
    for steps in (0, -1, 1):
        with refused("CODE_ALREADY_USED"):
            await people.verify_authenticator_code(challenge, owner.code_at(people.clock.now, steps))


async def test_previous_current_previous_current(people: People, refused: Refusing) -> None:
    """Previous, current, previous, current: yes, yes, no, no. It fails when only the last accepted step is refused."""
    owner = await people.with_authenticator()
    people.clock.advance(3 * STEP)
    for steps in (-1, 0):
        challenge = await people.challenge_for(owner)
        await people.verify_authenticator_code(challenge, owner.code_at(people.clock.now, steps))
    for steps in (-1, 0):
        challenge = await people.challenge_for(owner)
        with refused("CODE_ALREADY_USED"):
            await people.verify_authenticator_code(challenge, owner.code_at(people.clock.now, steps))


async def test_spaces_in_the_code_do_not_matter(people: People) -> None:
    """Six digits as typed; spaces do not matter, and full-width digits are digits."""
    owner = await people.with_authenticator()
    for spelt in ("{0}{1}{2} {3}{4}{5}", " {0} {1} {2} {3} {4} {5}\t", "{0}{1}{2}-{3}{4}{5}"):
        people.clock.advance(STEP)
        challenge = await people.challenge_for(owner)
        await people.verify_authenticator_code(challenge, spelt.format(*owner.code_at(people.clock.now)))
    people.clock.advance(STEP)
    full_width = "".join(chr(ord(digit) + 0xFEE0) for digit in owner.code_at(people.clock.now))
    await people.verify_authenticator_code(await people.challenge_for(owner), full_width)
