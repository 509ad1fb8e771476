"""The attempts on one challenge, and the lifetime of a challenge."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner
from tests.support.rpc import Rpc, refused
from tests.support.steps import STEP, sign_in_by_backup_code, wrong_backup_codes, wrong_digits
from twofactor.v1 import types_pb2

Guess = Callable[[AccountFactory, Owner, str], Awaitable[object]]


async def guess_email_code(factory: AccountFactory, owner: Owner, challenge: str) -> object:
    code = await factory.mailbox.code(owner.email)
    return await factory.rpc.VerifyEmailCode(challenge_token=challenge, code=wrong_digits(code))


async def guess_app_code(factory: AccountFactory, owner: Owner, challenge: str) -> object:
    return await factory.rpc.VerifyAuthenticatorCode(
        challenge_token=challenge, code=owner.wrong_code_at(factory.clock.now)
    )


GUESSES = wrong_backup_codes()


async def guess_backup_code(factory: AccountFactory, owner: Owner, challenge: str) -> object:
    return await factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=next(GUESSES))


@pytest.mark.parametrize("guess", [guess_email_code, guess_app_code, guess_backup_code])
async def test_five_wrong_codes_exhaust_a_challenge(factory: AccountFactory, rpc: Rpc, guess: Guess) -> None:
    """ "Attempts on one challenge: 5; then the challenge is void." attempts_left counts down from 4 to 0, then
    CHALLENGE_EXHAUSTED."""
    owner = await factory.account() if guess is guess_email_code else await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    for left in ("4", "3", "2", "1", "0"):
        with refused("CODE_MISMATCH") as refusal:
            await guess(factory, owner, challenge)
        assert refusal.value.metadata == {"attempts_left": left}
        assert (await rpc.GetChallenge(challenge_token=challenge)).challenge.attempts_left == int(left)
    for _ in range(2):
        with refused("CHALLENGE_EXHAUSTED"):
            await guess(factory, owner, challenge)
    assert (await rpc.GetChallenge(challenge_token=challenge)).challenge.state == types_pb2.CHALLENGE_STATE_EXHAUSTED


async def test_attempts_are_counted_over_all_methods(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "5, all methods together". Afterwards the correct codes are refused too, and a new challenge accepts them."""
    owner = await factory.account_with_authenticator()
    clock.advance(STEP)
    challenge = await factory.challenge_for(owner)
    for left, guess in zip(
        "43210", (guess_app_code, guess_backup_code, guess_app_code, guess_backup_code, guess_app_code), strict=True
    ):
        with refused("CODE_MISMATCH") as refusal:
            await guess(factory, owner, challenge)
        assert refusal.value.metadata["attempts_left"] == left
    with refused("CHALLENGE_EXHAUSTED"):
        await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.code_at(clock.now))
    with refused("CHALLENGE_EXHAUSTED"):
        await rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code)
    assert (await sign_in_by_backup_code(factory, owner)).session.account_id == owner.account_id


async def test_a_malformed_code_is_not_an_attempt(factory: AccountFactory, rpc: Rpc) -> None:
    """A malformed code is INVALID_FIELD. The refusal names the field and does not repeat its value."""
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    for typed in ("", "abcd 1234 ef56 789", "abcd 1234 ef56 7890 1", "ubcd 1234 ef56 7890", "!bcd 1234 ef56 7890"):
        with refused("INVALID_FIELD") as refusal:
            await rpc.UseBackupCode(challenge_token=challenge, backup_code=typed)
        assert refusal.value.fields == ("backup_code",)
    for typed in ("", "12345", "1234567", "12345a", "abcdef"):
        with refused("INVALID_FIELD") as refusal:
            await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=typed)
        assert refusal.value.fields == ("code",)
    assert (await rpc.GetChallenge(challenge_token=challenge)).challenge.attempts_left == 5


async def test_a_challenge_expires_after_ten_minutes(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "Life of a challenge: 10 minutes", whatever calls are made on it."""
    owner = await factory.account_with_authenticator()
    challenge, other = [await factory.challenge_for(owner) for _ in range(2)]
    shown = (await rpc.GetChallenge(challenge_token=challenge)).challenge
    assert shown.expire_time.ToSeconds() == int(clock.now.timestamp()) + 600
    clock.advance(timedelta(seconds=599))
    await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.code_at(clock.now))
    clock.advance(timedelta(seconds=1))
    with refused("CHALLENGE_EXPIRED"):
        await rpc.UseBackupCode(challenge_token=other, backup_code=owner.backup_code)
    with refused("CHALLENGE_EXPIRED"):
        await rpc.VerifyAuthenticatorCode(challenge_token=other, code=owner.code_at(clock.now))
    assert (await rpc.GetChallenge(challenge_token=other)).challenge.state == types_pb2.CHALLENGE_STATE_EXPIRED


async def test_a_used_backup_code_costs_an_attempt_once(factory: AccountFactory, rpc: Rpc) -> None:
    """ "An old code typed again … costs an attempt of the challenge, none of the account's budget." Fails if a spent
    code is charged before this challenge's own attempts are looked up."""
    owner = await factory.account_with_authenticator()
    old = owner.backup_code
    await sign_in_by_backup_code(factory, owner)
    challenge = await factory.challenge_for(owner)
    for _ in range(3):
        with refused("CODE_ALREADY_USED"):
            await rpc.UseBackupCode(challenge_token=challenge, backup_code=old)
        assert (await rpc.GetChallenge(challenge_token=challenge)).challenge.attempts_left == 4


async def test_the_same_wrong_backup_code_costs_one_attempt(factory: AccountFactory, rpc: Rpc) -> None:
    """ "One code on one challenge is charged once, so an honest retry costs nothing", however the code is spelt."""
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    for typed in ("abcd 1234 ef56 7890", "ABCD1234EF567890", "abcd-i234-ef56-789o"):
        with refused("CODE_MISMATCH") as refusal:
            await rpc.UseBackupCode(challenge_token=challenge, backup_code=typed)
        assert refusal.value.metadata == {"attempts_left": "4"}
    with refused("CODE_MISMATCH") as refusal:
        await rpc.UseBackupCode(challenge_token=challenge, backup_code="bbcd 1234 ef56 7890")
    assert refusal.value.metadata == {"attempts_left": "3"}


async def test_a_completed_challenge_is_consumed(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """After a challenge is completed, every code on it, correct or wrong, is refused with CHALLENGE_CONSUMED."""
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    signed_in = await rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code)
    for code in (owner.backup_code, signed_in.new_backup_code.code, "abcd 1234 ef56 7890"):
        with refused("CHALLENGE_CONSUMED"):
            await rpc.UseBackupCode(challenge_token=challenge, backup_code=code)
    clock.advance(timedelta(minutes=20))
    with refused("CHALLENGE_CONSUMED"):
        await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.code_at(clock.now))
    assert (await rpc.GetChallenge(challenge_token=challenge)).challenge.state == types_pb2.CHALLENGE_STATE_COMPLETED
