"""Authenticator codes at sign-in: each time step is accepted once, and never an older one after a newer one."""

import pytest

from tests.support.clock import Clock
from tests.support.factories import AccountFactory
from tests.support.rpc import Rpc, refused
from tests.support.steps import STEP


@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_the_adjacent_time_steps_are_accepted(
    factory: AccountFactory, rpc: Rpc, clock: Clock, steps: int
) -> None:
    """ "TOTP window: the current 30 s step ± 1." """
    owner = await factory.account_with_authenticator()
    clock.advance(3 * STEP)
    challenge = await factory.challenge_for(owner)
    session = (
        await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.code_at(clock.now, steps))
    ).session
    assert list(session.methods) == ["pwd", "otp", "mfa"]


async def test_a_code_two_steps_away_is_wrong(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """The codes of T-2 and T+2 are refused and count as failures."""
    owner = await factory.account_with_authenticator()
    clock.advance(5 * STEP)
    challenge = await factory.challenge_for(owner)
    window = {owner.code_at(clock.now, steps) for steps in (-1, 0, 1)}
    for steps, left in ((-2, "4"), (2, "3")):
        code = owner.code_at(clock.now, steps)
        assert code not in window, "one in a million: two steps show the same code"
        with refused("CODE_MISMATCH") as refusal:
            await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=code)
        assert refusal.value.metadata == {"attempts_left": left}


async def test_a_time_step_is_accepted_once(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "A step at or before the last accepted one is never accepted again, and costs nothing" (RFC 6238 section 5.2),
    on any challenge."""
    owner = await factory.account_with_authenticator()
    clock.advance(2 * STEP)
    code = owner.code_at(clock.now)
    other = await factory.challenge_for(owner)
    await rpc.VerifyAuthenticatorCode(challenge_token=await factory.challenge_for(owner), code=code)
    for _ in range(7):
        with refused("CODE_ALREADY_USED") as refusal:
            await rpc.VerifyAuthenticatorCode(challenge_token=other, code=code)
        assert refusal.value.metadata == {}
    shown = (await rpc.GetChallenge(challenge_token=other)).challenge
    assert shown.attempts_left == 5
    assert not shown.waits


async def test_an_older_code_is_refused_after_a_newer_one(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """An older code inside the window is refused once a newer one was accepted."""
    owner = await factory.account_with_authenticator()
    clock.advance(3 * STEP)
    await rpc.VerifyAuthenticatorCode(
        challenge_token=await factory.challenge_for(owner), code=owner.code_at(clock.now, 1)
    )
    challenge = await factory.challenge_for(owner)
    for steps in (0, -1, 1):
        with refused("CODE_ALREADY_USED"):
            await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.code_at(clock.now, steps))


async def test_previous_current_previous_current(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """Previous, current, previous, current: accepted, accepted, refused, refused. Fails if only the last accepted step
    is refused."""
    owner = await factory.account_with_authenticator()
    clock.advance(3 * STEP)
    for steps in (-1, 0):
        challenge = await factory.challenge_for(owner)
        await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.code_at(clock.now, steps))
    for steps in (-1, 0):
        challenge = await factory.challenge_for(owner)
        with refused("CODE_ALREADY_USED"):
            await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.code_at(clock.now, steps))


async def test_spaces_in_a_code_are_ignored(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """Six digits as typed; spaces are ignored, and full-width digits count as digits."""
    owner = await factory.account_with_authenticator()
    for spelt in ("{0}{1}{2} {3}{4}{5}", " {0} {1} {2} {3} {4} {5}\t", "{0}{1}{2}-{3}{4}{5}"):
        clock.advance(STEP)
        challenge = await factory.challenge_for(owner)
        await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=spelt.format(*owner.code_at(clock.now)))
    clock.advance(STEP)
    full_width = "".join(chr(ord(digit) + 0xFEE0) for digit in owner.code_at(clock.now))
    await rpc.VerifyAuthenticatorCode(challenge_token=await factory.challenge_for(owner), code=full_width)
