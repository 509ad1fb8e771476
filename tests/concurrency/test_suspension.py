"""Concurrent second-factor failures and unlocks: each counts once, and the suspension happens once."""

from google.protobuf.message import Message

from tests.concurrency.client_pool import ClientPool, reasons
from tests.concurrency.steps import another_session, challenges_for
from tests.support.clock import Clock
from tests.support.db_snapshot import SnapshotReader
from tests.support.factories import AccountFactory, Owner
from tests.support.rpc import Rpc, build
from tests.support.steps import unlock_token

NEW = "a password chosen by the owner"


async def guesses(factory: AccountFactory, owner: Owner, challenges: int) -> list[Message]:
    """Build five wrong backup codes on each of this many challenges."""
    opened = await challenges_for(factory, owner, challenges)
    return [
        build.UseBackupCode(challenge_token=opened[number // 5], backup_code=f"{number:04} aaaa bbbb cccc")
        for number in range(5 * challenges)
    ]


async def test_25_wrong_codes_on_5_challenges(factory: AccountFactory, clients: ClientPool, db: SnapshotReader) -> None:
    """All 25 are counted, the 5th to the 19th are notified, and the 20th suspends, once.

    Seen to fail without the row lock: 13 were notified. Without the check whether the first factor is suspended
    nothing fails, because of the guard of the suspension; without the guard as well: 6 suspensions, 6 notices.
    """
    owner = await factory.account_with_authenticator()
    before = (await db.snapshot(owner.account_id)).mails
    outcomes = await clients.call_at_once(await guesses(factory, owner, 5))
    assert reasons(outcomes) == {"CODE_MISMATCH": 25}
    snapshot = await db.snapshot(owner.account_id)
    assert (snapshot.failures, snapshot.suspended) == (25, True)
    assert snapshot.mails - before == {"second-factor-failed": 15, "sign-in-suspended": 1}
    assert snapshot.events["suspend_first_factor", "success"] == 1


async def test_wrong_codes_of_two_methods_and_sign_ins(
    factory: AccountFactory, clock: Clock, clients: ClientPool, db: SnapshotReader
) -> None:
    """Of 24 wrong codes 20 count: the app's wait limits its codes to five. Concurrent sign-ins either succeed or
    are refused.

    Seen to fail without the row lock: 23 were verified.
    """
    owner = await factory.account_with_authenticator()
    wrong = await guesses(factory, owner, 3)
    opened = await challenges_for(factory, owner, 9)
    wrong += [
        build.VerifyAuthenticatorCode(challenge_token=one, code=owner.wrong_code_at(clock.now)) for one in opened[:-1]
    ]
    right = build.UseBackupCode(challenge_token=opened[-1], backup_code=owner.backup_code)
    starts = [build.StartSignIn(password=owner.credential) for _ in range(4)]
    outcomes = await clients.call_at_once([*wrong, right, *starts])
    assert reasons(outcomes[: len(wrong)]) == {"CODE_MISMATCH": 20, "ATTEMPTS_THROTTLED": 3}
    assert outcomes[len(wrong)].succeeded
    assert reasons(outcomes[len(wrong) + 1 :]).keys() <= {"", "FIRST_FACTOR_SUSPENDED"}
    snapshot = await db.snapshot(owner.account_id)
    assert (snapshot.failures, snapshot.suspended) == (20, True)
    (after,) = await clients.call_at_once([build.StartSignIn(password=owner.credential)])
    assert after.reason == "FIRST_FACTOR_SUSPENDED"


async def test_one_wrong_code_16_times(factory: AccountFactory, clients: ClientPool, db: SnapshotReader) -> None:
    """One code on one challenge is one failure.

    Seen to fail without the check whether another call has set the verdict: 13 failures.
    """
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    outcomes = await clients.call_at_once(
        [build.UseBackupCode(challenge_token=challenge, backup_code="0000 aaaa bbbb cccc") for _ in range(16)]
    )
    assert reasons(outcomes) == {"CODE_MISMATCH": 16}
    assert (await db.snapshot(owner.account_id)).failures == 1


async def test_one_link_for_two_passwords(factory: AccountFactory, clients: ClientPool, db: SnapshotReader) -> None:
    """The link is used once: one password is set by all calls with it, and the other one is LINK_INVALID.

    Seen to fail without the row lock: 9 LINK_INVALID from the guard of the use. Without that guard as well: 10
    INTERNAL from the guard of the password.
    """
    owner = await factory.account_with_authenticator()
    await clients.call_at_once(await guesses(factory, owner, 4))
    token = await unlock_token(factory, owner)
    passwords = [NEW, f"{NEW}, or not"]
    outcomes = await clients.call_at_once(
        [build.ConfirmFirstFactor(token=token, new_password=passwords[number % 2]) for number in range(12)]
    )
    assert reasons(outcomes) == {"": 6, "LINK_INVALID": 6}
    winners = {passwords[number % 2] for number, outcome in enumerate(outcomes) if outcome.succeeded}
    (owner.password,) = winners
    snapshot = await db.snapshot(owner.account_id)
    assert (snapshot.failures, snapshot.suspended, snapshot.events["confirm_first_factor", "success"]) == (0, False, 1)
    await factory.challenge_for(owner)


async def test_two_sessions_revoke_each_other(factory: AccountFactory, rpc: Rpc, clients: ClientPool) -> None:
    """One session stays; the other call is refused.

    Seen to fail without the row lock: a deadlock.
    """
    for _ in range(5):
        owner = await factory.account_with_authenticator()
        sessions = [owner.session_token, await another_session(factory, owner)]
        outcomes = await clients.call_at_once([build.RevokeOtherSessions(session_token=one) for one in sessions])
        assert reasons(outcomes) == {"": 1, "SESSION_ENDED": 1}
        (left,) = [one for one, outcome in zip(sessions, outcomes, strict=True) if outcome.succeeded]
        assert len((await rpc.ListSessions(session_token=left)).sessions) == 1
