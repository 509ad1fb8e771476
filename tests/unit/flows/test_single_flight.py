"""Concurrent uses of one code in one process: it is verified once, and all get the verdict."""

import asyncio
import contextlib

from tests.unit.flows.harness import HASHING_THREADS, FlowHarness, new_code
from twofactor_server.crypto.hashing import QUEUED
from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.flows.two_factor.complete_sign_in import SignedIn

USES = 32
WRONG_CODE = "0" * 16


async def outcome(harness: FlowHarness, challenge: Token, code: str) -> SignedIn | Reason:
    """The answer, or the reason of the refusal."""
    try:
        return await harness.backup_codes.use(harness.call(), challenge, code, None)
    except Refusal as refusal:
        return refusal.reason


async def test_of_32_concurrent_uses_one_succeeds_with_at_most_four_hashes(harness: FlowHarness) -> None:
    """One challenge each. They share one of the queue's six slots, so none is refused as OVERLOADED.

    A verification and a replacement are two operations. They are needed twice if a use charges its attempt after the
    first job ended and before the code was spent. Without shared slots, most uses were refused as OVERLOADED.
    """
    owner = await harness.account_with_authenticator()
    challenges = [await harness.challenge(owner) for _ in range(USES)]
    before = harness.hashing.argon2id.operations
    outcomes = await asyncio.gather(*(outcome(harness, challenge, owner.backup_code) for challenge in challenges))
    winners = [one for one in outcomes if isinstance(one, SignedIn)]
    assert len(winners) == 1
    assert outcomes.count(Reason.CODE_ALREADY_USED) == USES - 1
    assert harness.hashing.argon2id.operations - before <= 4
    again = await outcome(harness, await harness.challenge(owner), new_code(winners[0]))
    assert isinstance(again, SignedIn), "no wait is in force, and the new code works at once"


async def test_20_equal_guesses_on_one_challenge_are_one_attempt_and_one_hash(harness: FlowHarness) -> None:
    """20 is how often a charged code is verified again for free."""
    owner = await harness.account_with_authenticator()
    challenge = await harness.challenge(owner)
    before = harness.hashing.argon2id.operations
    outcomes = await asyncio.gather(*(outcome(harness, challenge, WRONG_CODE) for _ in range(20)))
    assert outcomes == [Reason.CODE_MISMATCH] * 20
    assert harness.hashing.argon2id.operations - before == 1
    statement = "SELECT max(attempts) FROM challenges WHERE account_id = :p_id"
    assert await harness.query_value(statement, owner) == 1


async def test_two_accounts_never_share_a_slot(harness: FlowHarness) -> None:
    """The same text typed for two accounts has two fingerprints: neither gets the other's verdict."""
    first, second = await harness.account_with_authenticator(), await harness.account_with_authenticator()
    challenges = [await harness.challenge(first), await harness.challenge(second)]
    outcomes = await asyncio.gather(*(outcome(harness, challenge, first.backup_code) for challenge in challenges))
    assert isinstance(outcomes[0], SignedIn)
    assert outcomes[1] is Reason.CODE_MISMATCH


async def test_an_overloaded_use_is_charged_nothing(harness: FlowHarness) -> None:
    owner = await harness.account_with_authenticator()
    challenge = await harness.challenge(owner)
    with contextlib.ExitStack() as taken:
        for _ in range(HASHING_THREADS + QUEUED):
            taken.enter_context(harness.hashing.reserve())
        assert await outcome(harness, challenge, owner.backup_code) is Reason.OVERLOADED
    for table in ("backup_code_attempts", "spent_backup_codes"):
        assert await harness.query_value(f"SELECT count(*) FROM {table} WHERE account_id = :p_id", owner) == 0  # noqa: S608
    assert await harness.query_value("SELECT max(attempts) FROM challenges WHERE account_id = :p_id", owner) == 0
    assert isinstance(await outcome(harness, challenge, owner.backup_code), SignedIn)
