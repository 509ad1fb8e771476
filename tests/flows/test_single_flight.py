"""Uses that race with one code in one process: one verifies, all learn the verdict."""

import asyncio
import contextlib

from tests.flows.house import THREADS, House
from twofactor_server.crypto.hashing import QUEUED
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.flows.completion import SignedIn

RACERS = 32
WRONG_CODE = "0000 0000 0000 0000"


async def outcome(house: House, challenge: str, code: str) -> SignedIn | Reason:
    """What one racer is told."""
    try:
        return await house.backup_codes.use(house.call(), challenge, code, None)
    except Refusal as refusal:
        return refusal.reason


async def test_of_32_uses_at_once_one_succeeds_for_four_hashes_at_most(house: House) -> None:
    """One challenge each. None is refused for the queue's bound (six places here): they share one.

    A verification and a replacement are two operations; they may be needed twice, when a racer charges its attempt
    after the first job ended and before the code was spent. With a place of its own for each racer, most were refused
    as OVERLOADED.
    """
    owner = await house.owner_with_authenticator()
    challenges = [await house.challenge(owner) for _ in range(RACERS)]
    before = house.hashing.argon2id.operations
    outcomes = await asyncio.gather(*(outcome(house, challenge, owner.backup_code) for challenge in challenges))
    winners = [one for one in outcomes if isinstance(one, SignedIn)]
    assert len(winners) == 1
    assert outcomes.count(Reason.CODE_ALREADY_USED) == RACERS - 1
    assert house.hashing.argon2id.operations - before <= 4
    issued = winners[0].new_backup_code
    assert issued is not None
    again = await outcome(house, await house.challenge(owner), issued.code)
    assert isinstance(again, SignedIn), "no wait is in force, and the new code works at once"


async def test_20_equal_guesses_on_one_challenge_are_one_attempt_and_one_hash(house: House) -> None:
    """So often a charged code is judged again for free."""
    owner = await house.owner_with_authenticator()
    challenge = await house.challenge(owner)
    before = house.hashing.argon2id.operations
    outcomes = await asyncio.gather(*(outcome(house, challenge, WRONG_CODE) for _ in range(20)))
    assert outcomes == [Reason.CODE_MISMATCH] * 20
    assert house.hashing.argon2id.operations - before == 1
    statement = "SELECT max(attempts) FROM challenges WHERE account_id = :id"
    assert await house.first(statement, owner) == 1


async def test_two_accounts_never_share_a_place(house: House) -> None:
    """One text typed for two accounts has two fingerprints: neither learns the other's verdict."""
    first, second = await house.owner_with_authenticator(), await house.owner_with_authenticator()
    challenges = [await house.challenge(first), await house.challenge(second)]
    outcomes = await asyncio.gather(*(outcome(house, challenge, first.backup_code) for challenge in challenges))
    assert isinstance(outcomes[0], SignedIn)
    assert outcomes[1] is Reason.CODE_MISMATCH


async def test_an_overloaded_use_is_charged_nothing(house: House) -> None:
    """ "Reserve a place in the hashing queue (none → OVERLOADED, nothing charged)"."""
    owner = await house.owner_with_authenticator()
    challenge = await house.challenge(owner)
    with contextlib.ExitStack() as taken:
        for _ in range(THREADS + QUEUED):
            taken.enter_context(house.hashing.place())
        assert await outcome(house, challenge, owner.backup_code) is Reason.OVERLOADED
    for table in ("backup_code_attempts", "spent_backup_codes"):
        assert await house.first(f"SELECT count(*) FROM {table} WHERE account_id = :id", owner) == 0  # noqa: S608
    assert await house.first("SELECT max(attempts) FROM challenges WHERE account_id = :id", owner) == 0
    assert isinstance(await outcome(house, challenge, owner.backup_code), SignedIn)
