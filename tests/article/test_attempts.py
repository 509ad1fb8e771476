"""Limits: what one challenge bears, and for how long."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from tests.article.steps import STEP, sign_in_by_backup_code, wrong_backup_codes, wrong_digits
from tests.conftest import Refusing
from tests.people import People, Person
from twofactor.v1 import types_pb2

Guess = Callable[[People, Person, str], Awaitable[object]]


async def guess_mail(people: People, owner: Person, challenge: str) -> object:
    code = await people.mailbox.code(owner.email)
    return await people.verify_email_code(challenge, wrong_digits(code))


async def guess_app(people: People, owner: Person, challenge: str) -> object:
    return await people.verify_authenticator_code(challenge, owner.wrong_code_at(people.clock.now))


GUESSES = wrong_backup_codes()


async def guess_backup_code(people: People, owner: Person, challenge: str) -> object:
    return await people.use_backup_code(challenge, next(GUESSES))


@pytest.mark.parametrize("guess", [guess_mail, guess_app, guess_backup_code])
async def test_five_wrong_codes_void_the_challenge(people: People, refused: Refusing, guess: Guess) -> None:
    """ "Attempts on one challenge: 5; then the challenge is void." attempts_left 4, 3, 2, 1, 0; CHALLENGE_EXHAUSTED."""
    owner = await people.with_account() if guess is guess_mail else await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    for left in ("4", "3", "2", "1", "0"):
        with refused("CODE_MISMATCH") as said:
            await guess(people, owner, challenge)
        assert said[0].metadata == {"attempts_left": left}
        assert (await people.challenge(challenge)).attempts_left == int(left)
    for _ in range(2):
        with refused("CHALLENGE_EXHAUSTED"):
            await guess(people, owner, challenge)
    assert (await people.challenge(challenge)).state == types_pb2.CHALLENGE_STATE_EXHAUSTED


async def test_the_five_are_counted_over_all_methods(people: People, refused: Refusing) -> None:
    """ "5, all methods together". Then the right codes come too late, and a new challenge takes them."""
    owner = await people.with_authenticator()
    people.clock.advance(STEP)
    challenge = await people.challenge_for(owner)
    for left, guess in zip(
        "43210", (guess_app, guess_backup_code, guess_app, guess_backup_code, guess_app), strict=True
    ):
        with refused("CODE_MISMATCH") as said:
            await guess(people, owner, challenge)
        assert said[0].metadata["attempts_left"] == left
    with refused("CHALLENGE_EXHAUSTED"):
        await people.verify_authenticator_code(challenge, owner.code_at(people.clock.now))
    with refused("CHALLENGE_EXHAUSTED"):
        await people.use_backup_code(challenge, owner.backup_code)
    assert (await sign_in_by_backup_code(people, owner)).session.account_id == owner.account_id


async def test_a_malformed_code_is_not_an_attempt(people: People, refused: Refusing) -> None:
    """ "A malformed code is not an attempt": a clear error, which names the field and not its value."""
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    for typed in ("", "abcd 1234 ef56 789", "abcd 1234 ef56 7890 1", "ubcd 1234 ef56 7890", "!bcd 1234 ef56 7890"):
        with refused("INVALID_FIELD") as said:
            await people.use_backup_code(challenge, typed)
        assert said[0].fields == ("backup_code",)
    for typed in ("", "12345", "1234567", "12345a", "abcdef"):
        with refused("INVALID_FIELD") as said:
            await people.verify_authenticator_code(challenge, typed)
        assert said[0].fields == ("code",)
    assert (await people.challenge(challenge)).attempts_left == 5


async def test_a_challenge_lives_ten_minutes(people: People, refused: Refusing) -> None:
    """ "Life of a challenge: 10 minutes", whatever happens on it."""
    owner = await people.with_authenticator()
    challenge, other = [await people.challenge_for(owner) for _ in range(2)]
    shown = await people.challenge(challenge)
    assert shown.expire_time.ToSeconds() == int(people.clock.now.timestamp()) + 600
    people.clock.advance(timedelta(seconds=599))
    await people.verify_authenticator_code(challenge, owner.code_at(people.clock.now))
    people.clock.advance(timedelta(seconds=1))
    with refused("CHALLENGE_EXPIRED"):
        await people.use_backup_code(other, owner.backup_code)
    with refused("CHALLENGE_EXPIRED"):
        await people.verify_authenticator_code(other, owner.code_at(people.clock.now))
    assert (await people.challenge(other)).state == types_pb2.CHALLENGE_STATE_EXPIRED


async def test_a_used_backup_code_costs_an_attempt_once(people: People, refused: Refusing) -> None:
    """ "An old code typed again … costs an attempt of the challenge, none of the account's budget." It fails when a
    spent code is charged before this challenge's own attempts are looked at."""
    owner = await people.with_authenticator()
    old = owner.backup_code
    await sign_in_by_backup_code(people, owner)
    challenge = await people.challenge_for(owner)
    for _ in range(3):
        with refused("CODE_ALREADY_USED"):
            await people.use_backup_code(challenge, old)
        assert (await people.challenge(challenge)).attempts_left == 4


async def test_the_same_wrong_backup_code_costs_one_attempt(people: People, refused: Refusing) -> None:
    """ "One code on one challenge is charged once, so an honest retry costs nothing", however it is spelt."""
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    for typed in ("abcd 1234 ef56 7890", "ABCD1234EF567890", "abcd-i234-ef56-789o"):
        with refused("CODE_MISMATCH") as said:
            await people.use_backup_code(challenge, typed)
        assert said[0].metadata == {"attempts_left": "4"}
    with refused("CODE_MISMATCH") as said:
        await people.use_backup_code(challenge, "bbcd 1234 ef56 7890")
    assert said[0].metadata == {"attempts_left": "3"}


async def test_a_completed_challenge_is_consumed(people: People, refused: Refusing) -> None:
    """A challenge completes once: afterwards every code on it, right or wrong, is CHALLENGE_CONSUMED."""
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    signed_in = await people.use_backup_code(challenge, owner.backup_code)
    for code in (owner.backup_code, signed_in.new_backup_code.code, "abcd 1234 ef56 7890"):
        with refused("CHALLENGE_CONSUMED"):
            await people.use_backup_code(challenge, code)
    people.clock.advance(timedelta(minutes=20))
    with refused("CHALLENGE_CONSUMED"):
        await people.verify_authenticator_code(challenge, owner.code_at(people.clock.now))
    assert (await people.challenge(challenge)).state == types_pb2.CHALLENGE_STATE_COMPLETED
