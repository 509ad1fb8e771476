"""The saved state of a backup code."""

from datetime import timedelta
from typing import Any

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner
from tests.support.rpc import Rpc, refused
from tests.support.steps import sign_in_by_app, sign_in_by_backup_code

REQUEST = "3f0a8d5e-6f0f-4d7e-9f0e-8f7f3a0d1b11"


async def status_of(factory: AccountFactory, owner: Owner) -> Any:
    return (await factory.rpc.GetTwoFactor(session_token=owner.session_token)).backup_code


async def test_a_code_is_unsaved_until_confirmed(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "Until the owner says "I've saved it", the account's status is *not saved*." Confirming twice keeps the first
    time. Every new code is unsaved again."""
    owner = await factory.account_with_authenticator()
    assert not (await status_of(factory, owner)).HasField("save_time")
    saved_at = int(clock.now.timestamp())
    for _ in range(2):
        await rpc.ConfirmBackupCodeSaved(session_token=owner.session_token, generation=1)
        assert (await status_of(factory, owner)).save_time.ToSeconds() == saved_at
        clock.advance(timedelta(minutes=5))
    created_at = int(clock.now.timestamp())
    await rpc.RegenerateBackupCode(**owner.by_password())
    status = await status_of(factory, owner)
    assert (status.generation, status.create_time.ToSeconds()) == (2, created_at)
    assert not status.HasField("save_time")
    await rpc.ConfirmBackupCodeSaved(session_token=owner.session_token, generation=2)
    await sign_in_by_code(factory, owner)
    assert not (await status_of(factory, owner)).HasField("save_time")


async def sign_in_by_code(factory: AccountFactory, owner: Owner) -> None:
    owner.backup_code = (await factory.rpc.RegenerateBackupCode(**owner.by_password())).backup_code.code
    await sign_in_by_backup_code(factory, owner)


async def test_only_the_current_generation_can_be_saved(factory: AccountFactory, rpc: Rpc) -> None:
    """GENERATION_SUPERSEDED: the owner must save the newest code."""
    owner = await factory.account_with_authenticator()
    await rpc.RegenerateBackupCode(**owner.by_password())
    for generation in (1, 3):
        with refused("GENERATION_SUPERSEDED"):
            await rpc.ConfirmBackupCodeSaved(session_token=owner.session_token, generation=generation)
    assert not (await status_of(factory, owner)).HasField("save_time")


async def test_there_is_nothing_to_save_on_email_codes(factory: AccountFactory, rpc: Rpc) -> None:
    """Accounts on e-mail codes have no backup code."""
    owner = await factory.signed_in_account()
    with refused("METHOD_NOT_ACTIVE") as refusal:
        await rpc.ConfirmBackupCodeSaved(session_token=owner.session_token, generation=1)
    assert refusal.value.metadata == {"active_method": "EMAIL_CODE"}
    owner = await factory.account_with_authenticator()
    await rpc.RemoveAuthenticator(**owner.by_password())
    with refused("METHOD_NOT_ACTIVE"):
        await rpc.ConfirmBackupCodeSaved(session_token=owner.session_token, generation=1)


async def test_must_regenerate_without_a_stored_reply(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """The code is unsaved and no stored reply contains it: only regenerating helps. It is not set while a retry would
    return the code, or once it is saved."""
    owner = await factory.account_with_authenticator()
    assert (await status_of(factory, owner)).must_regenerate
    await rpc.ConfirmBackupCodeSaved(session_token=owner.session_token, generation=1)
    assert not (await status_of(factory, owner)).must_regenerate
    await rpc.RegenerateBackupCode(**owner.by_password(), request_id=REQUEST)
    assert not (await status_of(factory, owner)).must_regenerate

    owner.session_token = (await sign_in_by_app(factory, owner)).session_token
    assert not (await status_of(factory, owner)).must_regenerate
    for _ in range(24):
        clock.advance(timedelta(minutes=59))
        await rpc.GetSession(session_token=owner.session_token)
    owner.session_token = (await sign_in_by_app(factory, owner)).session_token
    clock.advance(timedelta(minutes=24))
    assert (await status_of(factory, owner)).must_regenerate


async def test_must_regenerate_after_signing_out_unsaved(factory: AccountFactory, rpc: Rpc) -> None:
    """Signing out of the session that was shown the code erases its reply."""
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    shown = await rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code, request_id=REQUEST)
    assert not (await status_of(factory, owner)).must_regenerate
    await rpc.SignOut(session_token=shown.session_token)
    assert (await status_of(factory, owner)).must_regenerate


async def test_any_session_of_the_account_may_confirm_saved(factory: AccountFactory, rpc: Rpc) -> None:
    """Another account's session may not."""
    owner, attacker = await factory.account_with_authenticator(), await factory.account_with_authenticator()
    await rpc.RegenerateBackupCode(**owner.by_password())
    with refused("GENERATION_SUPERSEDED"):
        await rpc.ConfirmBackupCodeSaved(session_token=attacker.session_token, generation=2)
    other_session = (await sign_in_by_app(factory, owner)).session_token
    await rpc.ConfirmBackupCodeSaved(session_token=other_session, generation=2)
    assert (await status_of(factory, owner)).HasField("save_time")
    assert not (await status_of(factory, attacker)).HasField("save_time")
