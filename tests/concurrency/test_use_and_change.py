"""Concurrent uses and changes of a backup code: the result is one that some sequential order produces.

A correct code is refused only because of an earlier change, and the newest code that was shown works.
"""

from uuid import uuid4

import pytest

from tests.concurrency.client_pool import ClientPool, Outcome, reasons, responses
from tests.concurrency.steps import (
    another_session,
    challenges_for,
    check_working_code,
    setup_confirmation,
    shown_codes,
)
from tests.support.db_snapshot import SnapshotReader
from tests.support.factories import AccountFactory
from tests.support.rpc import Rpc, build, refused

ROUNDS = 4


def _assert_sequential(uses: list[Outcome]) -> None:
    """One use succeeded and the others came later, or a change of the code came before all of them."""
    assert reasons(uses) in ({"": 1, "CODE_ALREADY_USED": len(uses) - 1}, {"CODE_MISMATCH": len(uses)})


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_use_and_regenerate(
    number: int, factory: AccountFactory, clients: ClientPool, db: SnapshotReader
) -> None:
    """Both replace the code: the generations in the answers have no gap, and the highest works.

    Seen to fail without the row lock: regenerations ended in INTERNAL; without the guard of the generation as well:
    two answers with one generation and different codes; without the key of spent codes as well: 4 successes of 4
    uses. Without the second read of the generation: INTERNAL from the guard; without guard and key: 4 successes.
    Without erasing superseded replies: they stayed.
    """
    owner = await factory.account_with_authenticator()
    challenges = await challenges_for(factory, owner, 4)
    outcomes = await clients.call_at_once(
        [
            *(
                build.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code, request_id=str(uuid4()))
                for challenge in challenges
            ),
            *(build.RegenerateBackupCode(**owner.by_password(), request_id=str(uuid4())) for _ in range(2)),
        ]
    )
    uses, regenerations = outcomes[:4], outcomes[4:]
    _assert_sequential(uses)
    assert reasons(regenerations) == {"": 2}
    shown, snapshot = shown_codes(outcomes), await db.snapshot(owner.account_id)
    assert sorted(shown) == list(range(2, snapshot.generation + 1))
    assert snapshot.spent == [generation - 1 for generation in shown_codes(uses)]
    await check_working_code(factory, owner, shown)


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_use_and_remove(
    number: int, factory: AccountFactory, rpc: Rpc, clients: ClientPool, db: SnapshotReader
) -> None:
    """The code is used before the removal, or it is void. Afterwards no code works.

    Seen to fail without the row lock, or without the second read of the method in the second transaction: INTERNAL
    from the guards. Without the second read of the generation, its guard, and the key of spent codes: 2 successes.
    """
    owner = await factory.account_with_authenticator()
    first, second, last = await challenges_for(factory, owner, 3)
    *uses, removal = await clients.call_at_once(
        [
            build.UseBackupCode(challenge_token=first, backup_code=owner.backup_code),
            build.UseBackupCode(challenge_token=second, backup_code=owner.backup_code),
            build.RemoveAuthenticator(**owner.by_password()),
        ]
    )
    assert removal.succeeded
    assert reasons(uses) in (
        {"METHOD_NOT_ACTIVE": 2},
        {"": 1, "METHOD_NOT_ACTIVE": 1},
        {"": 1, "CODE_ALREADY_USED": 1},
    )
    shown, snapshot = shown_codes(uses), await db.snapshot(owner.account_id)
    assert (snapshot.method, snapshot.generation, len(snapshot.spent)) == ("email", 1 + len(shown), len(shown))
    for code in [owner.backup_code, *shown.values()]:
        with refused("METHOD_NOT_ACTIVE"):
            await rpc.UseBackupCode(challenge_token=last, backup_code=code)


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_use_and_move_to_a_new_device(
    number: int, factory: AccountFactory, clients: ClientPool, db: SnapshotReader
) -> None:
    """Secret and backup code change together: the old code is used before that, or it is wrong.

    Seen to fail without the row lock and the key of spent codes: 3 INTERNAL from the guard of the generation;
    without the guard: 3 successes of 3 uses. Without the second read of the generation and the guard: the old code
    was used after the move.
    """
    owner = await factory.account_with_authenticator()
    challenges = await challenges_for(factory, owner, 3)
    confirming = await setup_confirmation(factory, owner)
    *uses, confirmed = await clients.call_at_once(
        [
            *(
                build.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code)
                for challenge in challenges
            ),
            confirming,
        ]
    )
    assert confirmed.succeeded
    _assert_sequential(uses)
    shown = shown_codes([*uses, confirmed])
    assert confirmed.response.backup_code.generation == max(shown) == (await db.snapshot(owner.account_id)).generation
    await check_working_code(factory, owner, shown)


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_use_and_confirm_saved(number: int, factory: AccountFactory, rpc: Rpc, clients: ClientPool) -> None:
    """The confirmation applies to the old code or is refused; it never blocks the use, and never marks the
    new code."""
    owner = await factory.account_with_authenticator()
    used, *sayings = await clients.call_at_once(
        [
            build.UseBackupCode(
                challenge_token=await factory.challenge_for(owner),
                backup_code=owner.backup_code,
                request_id=str(uuid4()),
            ),
            *[build.ConfirmBackupCodeSaved(session_token=owner.session_token, generation=owner.generation)] * 3,
        ]
    )
    assert used.succeeded
    assert reasons(sayings).keys() <= {"", "GENERATION_SUPERSEDED"}
    end = (await rpc.GetTwoFactor(session_token=owner.session_token)).backup_code
    assert (end.generation, end.HasField("save_time"), end.must_regenerate) == (2, False, False)
    await check_working_code(factory, owner, shown_codes([used]))


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_use_and_status(number: int, factory: AccountFactory, rpc: Rpc, clients: ClientPool) -> None:
    """A concurrent reader sees the state before or after the use. At every moment a stored reply has the current
    code: first that of the regeneration, then that of the use.

    Seen to fail if the code's state and its reply are read in two statements: must_regenerate of the old
    generation, whose reply was just erased.
    """
    owner = await factory.account_with_authenticator()
    code = (await rpc.RegenerateBackupCode(**owner.by_password(), request_id=str(uuid4()))).backup_code.code
    for generation in (2, 3):
        used, *looks = await clients.call_at_once(
            [
                build.UseBackupCode(
                    challenge_token=await factory.challenge_for(owner), backup_code=code, request_id=str(uuid4())
                ),
                *[build.GetTwoFactor(session_token=owner.session_token)] * 80,
            ]
        )
        assert used.succeeded
        assert reasons(looks) == {"": 80}
        assert {look.backup_code.generation for look in responses(looks)} <= {generation, generation + 1}
        assert not any(look.backup_code.must_regenerate for look in responses(looks))
        code = used.response.new_backup_code.code


async def test_replay_and_sign_out(factory: AccountFactory, rpc: Rpc, clients: ClientPool) -> None:
    """A reply is erased with the session that it opened: a retry gets all of it, or REQUEST_ID_EXPIRED.

    Seen to fail if signing out does not erase it: it was replayed afterwards.
    """
    owner = await factory.account_with_authenticator()
    challenge, request_id = await factory.challenge_for(owner), str(uuid4())
    first = await rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code, request_id=request_id)
    repeats = [
        build.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code, request_id=request_id)
    ] * 10
    outcomes = await clients.call_at_once([*repeats, *[build.SignOut(session_token=first.session_token)] * 2])
    assert reasons(outcomes[10:]) == {"": 2}
    assert reasons(outcomes[:10]).keys() <= {"", "REQUEST_ID_EXPIRED"}
    assert all(a.replayed and a.new_backup_code == first.new_backup_code for a in responses(outcomes[:10]))
    with refused("REQUEST_ID_EXPIRED"):
        await rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code, request_id=request_id)
    with refused("SESSION_ENDED"):
        await rpc.GetSession(session_token=first.session_token)
    await check_working_code(factory, owner, {2: first.new_backup_code.code})


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_all_changes_at_once(
    number: int, factory: AccountFactory, clients: ClientPool, db: SnapshotReader
) -> None:
    """Uses, regenerations, a move, a removal, confirmations and reads: every code shown has its own generation, and
    the account has the newest code or none.

    Seen to fail without the row lock: INTERNAL in every round.
    """
    owner = await factory.account_with_authenticator()
    other = await another_session(factory, owner)
    challenges = await challenges_for(factory, owner, 4)
    outcomes = await clients.call_at_once(
        [
            *(
                build.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code, request_id=str(uuid4()))
                for challenge in challenges
            ),
            *(
                build.RegenerateBackupCode(**owner.by_password(session_token=session), request_id=str(uuid4()))
                for session in (owner.session_token, other)
            ),
            await setup_confirmation(factory, owner),
            build.RemoveAuthenticator(**owner.by_password(session_token=other)),
            build.StartAuthenticatorSetup(**owner.by_password(session_token=other)),
            *[build.ConfirmBackupCodeSaved(session_token=other, generation=1), build.GetTwoFactor(session_token=other)]
            * 3,
        ]
    )
    uses, regenerations, confirmed, removal, started, looks = (
        outcomes[:4], outcomes[4:6], outcomes[6], outcomes[7], outcomes[8], outcomes[9:]
    )  # fmt: skip
    assert reasons(uses).keys() <= {"", "CODE_ALREADY_USED", "CODE_MISMATCH", "METHOD_NOT_ACTIVE"}
    # CONFLICT: another authenticator replaced the one that the call was made for.
    assert reasons(regenerations).keys() <= {"", "METHOD_NOT_ACTIVE", "CONFLICT"}
    assert removal.reason in ("", "CONFLICT")
    assert confirmed.reason in ("", "SETUP_EXPIRED")
    assert started.succeeded
    assert reasons(looks).keys() <= {"", "GENERATION_SUPERSEDED", "METHOD_NOT_ACTIVE"}
    shown, snapshot = shown_codes(outcomes), await db.snapshot(owner.account_id)
    assert sorted(shown) == list(range(2, snapshot.generation + 1))
    assert len(shown) == len(responses([*uses, *regenerations, confirmed]))
    if snapshot.method == "authenticator":
        await check_working_code(factory, owner, shown)
