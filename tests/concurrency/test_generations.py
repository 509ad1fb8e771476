"""Generations of backup codes never start again, whatever happens to the authenticator."""

from tests.concurrency.client_pool import ClientPool, reasons
from tests.concurrency.steps import challenges_for
from tests.support.db_snapshot import SnapshotReader
from tests.support.factories import AccountFactory
from tests.support.rpc import Rpc, build, refused


async def test_set_up_use_remove_set_up_use(
    factory: AccountFactory, rpc: Rpc, clients: ClientPool, db: SnapshotReader
) -> None:
    """The count continues with the next setup, and a code of a previous authenticator never works.

    Seen to fail if the removal sets the generation to 0: the second setup started at 1 again. If the spent code is
    not written, or not looked up: CODE_MISMATCH instead of CODE_ALREADY_USED.
    """
    owner = await factory.account_with_authenticator()
    first = owner.backup_code
    second = (
        await rpc.UseBackupCode(challenge_token=await factory.challenge_for(owner), backup_code=first)
    ).new_backup_code
    on_email = await factory.challenge_for(owner)
    await rpc.RemoveAuthenticator(**owner.by_password())
    for code in (first, second.code):
        with refused("METHOD_NOT_ACTIVE"):
            await rpc.UseBackupCode(challenge_token=on_email, backup_code=code)
    await factory.set_up_authenticator(owner)
    assert (second.generation, owner.generation) == (2, 3)
    challenges = await challenges_for(factory, owner, 12)
    codes = [first, second.code, owner.backup_code] * 4
    outcomes = await clients.call_at_once(
        [
            build.UseBackupCode(challenge_token=challenge, backup_code=code)
            for challenge, code in zip(challenges, codes, strict=True)
        ]
    )
    assert reasons(outcomes[0::3]) == {"CODE_ALREADY_USED": 4}
    assert reasons(outcomes[1::3]) == {"CODE_MISMATCH": 4}
    assert reasons(outcomes[2::3]) == {"": 1, "CODE_ALREADY_USED": 3}
    snapshot = await db.snapshot(owner.account_id)
    assert (snapshot.generation, snapshot.spent) == (4, [1, 3])
