"""Concurrent codes: one code opens one sign-in, and of any number of wrong codes five are verified."""

from collections.abc import Callable
from datetime import UTC, timedelta
from uuid import uuid4

from tests.concurrency.client_pool import ClientPool, Outcome, reasons, responses
from tests.concurrency.steps import challenges_for
from tests.support.clock import Clock
from tests.support.db_snapshot import SnapshotReader
from tests.support.factories import AccountFactory
from tests.support.mailbox import Mailbox
from tests.support.rpc import Rpc, build

GUESSES = 40


def _assert_five_verified(outcomes: list[Outcome]) -> None:
    """Five are wrong and return attempts_left; the others reveal nothing about their code."""
    assert reasons(outcomes) == {"CODE_MISMATCH": 5, "CHALLENGE_EXHAUSTED": GUESSES - 5}
    left = [outcome.metadata["attempts_left"] for outcome in outcomes if outcome.reason == "CODE_MISMATCH"]
    assert sorted(left) == ["0", "1", "2", "3", "4"]


async def test_40_wrong_backup_codes(factory: AccountFactory, clients: ClientPool, db: SnapshotReader) -> None:
    """The charge of an attempt is committed before its verdict is known.

    Seen to fail without the guard of the charge, attempts < 5: 35 INTERNAL from the table's CHECK. Without the
    CHECK as well: 30 were verified, and 10 were ATTEMPTS_THROTTLED by the hourly budget. Without both row locks
    nothing fails: the guard alone counts correctly.
    """
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    wrong = [f"{number:04} aaaa bbbb cccc" for number in range(GUESSES)]
    _assert_five_verified(
        await clients.call_at_once([build.UseBackupCode(challenge_token=challenge, backup_code=code) for code in wrong])
    )
    snapshot = await db.snapshot(owner.account_id)
    assert (snapshot.charged, snapshot.verdicts) == (5, {"wrong": 5})


async def test_40_wrong_authenticator_codes(
    factory: AccountFactory, rpc: Rpc, clock: Clock, clients: ClientPool, db: SnapshotReader
) -> None:
    """The fifth failure also starts a wait of the account; on this challenge the exhausted attempts decide.

    Seen to fail without the row lock: 5 were verified, but no wait started, because the counter lost failures.
    Without both row locks: 23 were verified. Without the check of the exhausted attempts: 35 ATTEMPTS_THROTTLED.
    """
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    wrong = _wrong_digits(lambda steps: owner.code_at(clock.now, steps))
    _assert_five_verified(
        await clients.call_at_once(
            [build.VerifyAuthenticatorCode(challenge_token=challenge, code=digits) for digits in wrong]
        )
    )
    assert (await db.snapshot(owner.account_id)).charged == 5
    (wait,) = (await rpc.GetTwoFactor(session_token=owner.session_token)).waits
    assert timedelta(seconds=29) < wait.until_time.ToDatetime(UTC) - clock.now <= timedelta(seconds=30)
    await rpc.UseBackupCode(challenge_token=await factory.challenge_for(owner), backup_code=owner.backup_code)


async def test_40_wrong_email_codes(
    factory: AccountFactory, mailbox: Mailbox, clients: ClientPool, db: SnapshotReader
) -> None:
    """Seen to fail without both row locks: 24 were verified."""
    owner = await factory.account()
    challenge = await factory.challenge_for(owner)
    right = await mailbox.code(owner.email)
    wrong = _wrong_digits(lambda steps: right)
    _assert_five_verified(
        await clients.call_at_once([build.VerifyEmailCode(challenge_token=challenge, code=digits) for digits in wrong])
    )
    assert (await db.snapshot(owner.account_id)).charged == 5


async def test_40_wrong_codes_for_a_setup(factory: AccountFactory, rpc: Rpc, clients: ClientPool) -> None:
    """Five wrong codes void a setup. Seen to fail without the check whether it is void: 40 were verified."""
    owner = await factory.signed_in_account()
    started = await rpc.StartAuthenticatorSetup(**owner.by_password())
    wrong = [f"{number:06}" for number in range(GUESSES)]
    outcomes = await clients.call_at_once(
        [
            build.ConfirmAuthenticatorSetup(session_token=owner.session_token, setup_id=started.setup_id, code=c)
            for c in wrong
        ]
    )
    assert reasons(outcomes) == {"CODE_MISMATCH": 5, "SETUP_EXPIRED": GUESSES - 5}


async def test_16_wrong_passwords_in_one_session(
    factory: AccountFactory, clients: ClientPool, db: SnapshotReader
) -> None:
    """Five wrong re-authentications end the session. Each is charged before it is verified.

    Seen to fail without the count at the charge: 12 were charged and verified.
    """
    owner = await factory.account_with_authenticator()
    outcomes = await clients.call_at_once(
        [build.RegenerateBackupCode(**owner.by_password(password=f"wrong {n}")) for n in range(16)]
    )
    counts = reasons(outcomes)
    assert counts.keys() <= {"REAUTHENTICATION_FAILED", "SESSION_ENDED"}
    assert counts["REAUTHENTICATION_FAILED"] <= 5
    assert (await db.snapshot(owner.account_id)).reauthentications == 5
    (after,) = await clients.call_at_once([build.RegenerateBackupCode(**owner.by_password())])
    assert after.reason == "SESSION_ENDED"


async def test_one_authenticator_code_on_16_challenges(
    factory: AccountFactory, clock: Clock, clients: ClientPool, db: SnapshotReader
) -> None:
    """A time step is accepted once: 1 success, 15 CODE_ALREADY_USED.

    Seen to fail without the comparison with the last accepted step: 15 INTERNAL from the guard of the step. Without
    the guard as well: 16 successes. Without the row lock: 6 INTERNAL from the guard. Without both row locks and the
    guard: 6 successes.
    """
    owner = await factory.account_with_authenticator()
    challenges = await challenges_for(factory, owner, 16)
    digits = owner.code_at(clock.now, steps=1)
    outcomes = await clients.call_at_once(
        [build.VerifyAuthenticatorCode(challenge_token=challenge, code=digits) for challenge in challenges]
    )
    assert reasons(outcomes) == {"": 1, "CODE_ALREADY_USED": 15}
    snapshot = await db.snapshot(owner.account_id)
    assert (snapshot.charged, snapshot.sessions["authenticator"]) == (0, 2)


async def test_one_email_code_8_times(
    factory: AccountFactory, mailbox: Mailbox, clients: ClientPool, db: SnapshotReader
) -> None:
    """One challenge opens one session; the same logical call gets the same answer.

    Seen to fail without the check whether the challenge is completed: 7 INTERNAL. Without the challenge's guard and
    the uniqueness of its session as well: 8 successes. Without both row locks, guard and uniqueness: 5 successes.
    """
    for same in (False, True):
        owner = await factory.account()
        challenge = await factory.challenge_for(owner)
        digits = await mailbox.code(owner.email)
        ids = [str(uuid4())] * 8 if same else [str(uuid4()) for _ in range(8)]
        outcomes = await clients.call_at_once(
            [build.VerifyEmailCode(challenge_token=challenge, code=digits, request_id=one) for one in ids]
        )
        assert reasons(outcomes) == ({"": 8} if same else {"": 1, "CHALLENGE_CONSUMED": 7})
        assert len({answer.session_token for answer in responses(outcomes)}) == 1
        assert (await db.snapshot(owner.account_id)).sessions == {"email_code": 1}


def _wrong_digits(right: Callable[[int], str]) -> list[str]:
    near = {right(steps) for steps in range(-2, 3)}
    return [digits for digits in (f"{number:06}" for number in range(GUESSES + len(near))) if digits not in near][
        :GUESSES
    ]
