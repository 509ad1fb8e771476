"""One backup code in many concurrent calls: one sign-in succeeds, and the owner has the next code.

Several mechanisms enforce this. They were removed from a copy of the server, one by one and together, until a test
failed. The docstrings say what was removed and what was seen. In all files of this folder, "the row lock" is that
of second_factors, and "the guard" of a change is the WHERE clause that names the expected state and whose row count
is checked.
"""

import os
from uuid import uuid4

import pytest

from tests.concurrency.client_pool import ClientPool, reasons, responses
from tests.concurrency.steps import challenges_for
from tests.support.clock import Clock
from tests.support.db_snapshot import SnapshotReader
from tests.support.factories import AccountFactory
from tests.support.rpc import Rpc, build, refused

ROUNDS = int(os.environ.get("RACE_ROUNDS", "3"))
"""Fresh accounts in a row; more of them for a longer look."""


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_64_uses_of_one_code_on_64_challenges(
    number: int, factory: AccountFactory, rpc: Rpc, clients: ClientPool, db: SnapshotReader
) -> None:
    """1 success, 63 CODE_ALREADY_USED. Afterwards there is no wait, and the new code works at once.

    Seen to fail without the row lock: 1 success, but the primary key of spent codes refused some, which is logged
    as an error. Without row lock and key: 1 success, 15 INTERNAL from the guard of the generation. Without row
    lock, key and guard: 16 successes. Without the second read of the generation under the lock: as without the
    lock; without key and guard as well: 7 successes. Without writing the spent code: 63 CODE_MISMATCH. Without
    looking it up before hashing: up to 62 CODE_MISMATCH. Without settling a refusal of the second transaction: 15
    attempts stayed pending. Without sharing the hashing slot: OVERLOADED.
    """
    owner = await factory.account_with_authenticator()
    challenges = await challenges_for(factory, owner, 64)
    outcomes = await clients.call_at_once(
        [build.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code) for challenge in challenges]
    )
    assert reasons(outcomes) == {"": 1, "CODE_ALREADY_USED": 63}
    assert all("used_at" in outcome.metadata for outcome in outcomes if not outcome.succeeded)
    # All calls share one slot in the hashing queue of their server process, so none is OVERLOADED.
    assert not any(outcome.overloaded for outcome in outcomes)
    snapshot = await db.snapshot(owner.account_id)
    assert (snapshot.generation, snapshot.spent) == (2, [1])
    assert snapshot.sessions["backup_code"] == snapshot.mails["backup-code-used"] == 1
    assert snapshot.verdicts == {"right": 1, "used": 63}
    (winner,) = responses(outcomes)
    assert not (await rpc.GetTwoFactor(session_token=winner.session_token)).waits
    fresh, other = await challenges_for(factory, owner, 2)
    signed_in = await rpc.UseBackupCode(challenge_token=fresh, backup_code=winner.new_backup_code.code)
    assert signed_in.new_backup_code.generation == 3
    with refused("CODE_ALREADY_USED"):
        await rpc.UseBackupCode(challenge_token=other, backup_code=owner.backup_code)


async def test_8_retries_of_one_use(factory: AccountFactory, clients: ClientPool, db: SnapshotReader) -> None:
    """One request_id on one challenge: eight equal answers, 7 of them replayed.

    Seen to fail without the look-up of a stored reply in the second transaction: 7 CODE_ALREADY_USED. Without the
    look-up of an earlier attempt with this code on this challenge: 7 INTERNAL; without the key of attempts as well:
    3 CHALLENGE_EXHAUSTED. Without both row locks (second_factors and challenges), the challenge's guard and the
    uniqueness of its session: 4 successes with sessions of their own.
    """
    owner = await factory.account_with_authenticator()
    challenge, request_id = await factory.challenge_for(owner), str(uuid4())
    outcomes = await clients.call_at_once(
        [build.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code, request_id=request_id)] * 8
    )
    assert reasons(outcomes) == {"": 8}
    assert sorted(answer.replayed for answer in responses(outcomes)) == [False] + [True] * 7
    assert len({(a.session_token, a.new_backup_code.code) for a in responses(outcomes)}) == 1
    assert {a.new_backup_code.generation for a in responses(outcomes)} == {2}
    snapshot = await db.snapshot(owner.account_id)
    assert (snapshot.spent, snapshot.charged, snapshot.sessions["backup_code"]) == ([1], 1, 1)
    assert snapshot.events["replay", "success"] == 7


async def test_8_different_calls_on_one_challenge(
    factory: AccountFactory, clients: ClientPool, db: SnapshotReader
) -> None:
    """Different request_ids are different calls: 1 success, 7 CHALLENGE_CONSUMED, and one attempt is charged.

    Seen to fail without the check whether the challenge is completed: 7 CODE_ALREADY_USED. Without both row locks:
    1 success, and CODE_ALREADY_USED and INTERNAL instead of CHALLENGE_CONSUMED.
    """
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    outcomes = await clients.call_at_once(
        [
            build.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code, request_id=str(uuid4()))
            for _ in range(8)
        ]
    )
    assert reasons(outcomes) == {"": 1, "CHALLENGE_CONSUMED": 7}
    snapshot = await db.snapshot(owner.account_id)
    assert (snapshot.spent, snapshot.charged, snapshot.sessions["backup_code"]) == ([1], 1, 1)


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_backup_code_and_authenticator_on_one_challenge(
    number: int, factory: AccountFactory, rpc: Rpc, clock: Clock, clients: ClientPool, db: SnapshotReader
) -> None:
    """One challenge opens one session, and the proof that lost is not spent: it completes the next challenge.

    Seen to fail without the check whether the challenge is completed: INTERNAL from the challenge's guard, and
    without the guard from the uniqueness of the challenge's session; without all three: 2 successes on one
    challenge. Without both row locks, guard and uniqueness: 2 successes. Without guard or uniqueness alone nothing
    fails: they are redundant.
    """
    owner = await factory.account_with_authenticator()
    first, second = await challenges_for(factory, owner, 2)
    digits = owner.code_at(clock.now, steps=1)
    by_code, by_phone = await clients.call_at_once(
        [
            build.UseBackupCode(challenge_token=first, backup_code=owner.backup_code),
            build.VerifyAuthenticatorCode(challenge_token=first, code=digits),
        ]
    )
    assert reasons([by_code, by_phone]) == {"": 1, "CHALLENGE_CONSUMED": 1}
    if by_code.succeeded:
        await rpc.VerifyAuthenticatorCode(challenge_token=second, code=digits)
    else:
        await rpc.UseBackupCode(challenge_token=second, backup_code=owner.backup_code)
    snapshot = await db.snapshot(owner.account_id)
    assert (snapshot.generation, snapshot.spent) == (2, [1])
    assert snapshot.sessions == {"authenticator": 2, "backup_code": 1}
