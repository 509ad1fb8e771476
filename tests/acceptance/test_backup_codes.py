"""The help article on backup codes, sentence by sentence."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.support.clock import Clock
from tests.support.factories import AccountFactory
from tests.support.mailbox import Mailbox
from tests.support.rpc import Rpc, refused
from tests.support.steps import sign_in_by_app, sign_in_by_backup_code, sign_in_by_email
from twofactor.v1 import types_pb2

SHOWN = re.compile(r"[0-9a-hjkmnp-tv-z]{4}( [0-9a-hjkmnp-tv-z]{4}){3}")


async def test_a_backup_code_signs_in_without_the_app(factory: AccountFactory, rpc: Rpc) -> None:
    """ "A backup code is a one-time code that lets you sign in if you ever lose access to your authenticator app." """
    owner = await factory.account_with_authenticator()
    owner.secret = "LOST"
    signed_in = await sign_in_by_backup_code(factory, owner)
    session = (await rpc.GetSession(session_token=signed_in.session_token)).session
    assert session.account_id == owner.account_id
    assert list(session.methods) == ["pwd", "otp", "urn:twofactor:backup", "mfa"]


async def test_a_code_is_issued_at_setup_and_at_each_use(factory: AccountFactory) -> None:
    """ "You're shown one when you set up the app, and a fresh one each time you use it." """
    owner = await factory.account_with_authenticator()
    shown = [owner.backup_code]
    for generation in (2, 3):
        signed_in = await sign_in_by_backup_code(factory, owner)
        assert signed_in.new_backup_code.generation == generation
        shown.append(signed_in.new_backup_code.code)
    assert len(set(shown)) == 3


async def test_the_status_never_contains_the_code(factory: AccountFactory, rpc: Rpc) -> None:
    """ "Manage it at …/2fa." The page shows the generation, never the code."""
    owner = await factory.account_with_authenticator()
    status = await rpc.GetTwoFactor(session_token=owner.session_token)
    assert status.method == types_pb2.SECOND_FACTOR_AUTHENTICATOR
    assert status.backup_code.generation == 1
    assert not SHOWN.search(str(status))


async def test_backup_codes_require_an_authenticator(factory: AccountFactory, rpc: Rpc, mailbox: Mailbox) -> None:
    """ "Backup codes apply when you're using an authenticator app. (On email login codes, your recovery is simply your
    email inbox.)" """
    owner = await factory.signed_in_account()
    status = await rpc.GetTwoFactor(session_token=owner.session_token)
    assert status.method == types_pb2.SECOND_FACTOR_EMAIL_CODE
    assert not status.HasField("backup_code")
    challenge = await factory.challenge_for(owner)
    assert not (await rpc.GetChallenge(challenge_token=challenge)).challenge.backup_code_accepted
    with refused("METHOD_NOT_ACTIVE") as refusal:
        await rpc.UseBackupCode(challenge_token=challenge, backup_code="abcd 1234 ef56 7890")
    assert refusal.value.metadata == {"active_method": "EMAIL_CODE"}
    code = await mailbox.code(owner.email, 2)
    assert (await rpc.VerifyEmailCode(challenge_token=challenge, code=code)).session.account_id == owner.account_id


async def test_a_challenge_offers_the_backup_code(factory: AccountFactory, rpc: Rpc) -> None:
    """ "On the "Verify It's You" screen, choose the option to sign in with a backup code instead of the app." """
    owner = await factory.account_with_authenticator()
    shown = (await rpc.GetChallenge(challenge_token=await factory.challenge_for(owner))).challenge
    assert shown.second_factor == types_pb2.SECOND_FACTOR_AUTHENTICATOR
    assert shown.backup_code_accepted
    assert shown.attempts_left == 5


async def test_a_use_replaces_the_code_at_once(factory: AccountFactory, rpc: Rpc) -> None:
    """ "You're signed in. We immediately replace the used code and show you a new one"."""
    owner = await factory.account_with_authenticator()
    signed_in = await rpc.UseBackupCode(
        challenge_token=await factory.challenge_for(owner), backup_code=owner.backup_code
    )
    assert signed_in.session.methods == ["pwd", "otp", "urn:twofactor:backup", "mfa"]
    assert signed_in.new_backup_code.generation == owner.generation + 1
    with refused("CODE_ALREADY_USED") as refusal:
        await rpc.UseBackupCode(challenge_token=await factory.challenge_for(owner), backup_code=owner.backup_code)
    assert "used_at" in refusal.value.metadata
    again = await rpc.UseBackupCode(
        challenge_token=await factory.challenge_for(owner), backup_code=signed_in.new_backup_code.code
    )
    assert again.new_backup_code.code != signed_in.new_backup_code.code


async def test_regeneration_requires_the_password(factory: AccountFactory, rpc: Rpc) -> None:
    """ "Click Regenerate backup code. You'll confirm your password, and we'll show the new code once." """
    owner = await factory.account_with_authenticator()
    with refused("REAUTHENTICATION_FAILED"):
        await rpc.RegenerateBackupCode(**owner.by_password(password="not the password"))
    with refused("REAUTHENTICATION_REQUIRED"):
        await rpc.RegenerateBackupCode(session_token=owner.session_token)
    shown = (await rpc.RegenerateBackupCode(**owner.by_password())).backup_code
    assert shown.generation == 2
    assert shown.code != owner.backup_code
    with refused("CODE_MISMATCH"):
        await rpc.UseBackupCode(challenge_token=await factory.challenge_for(owner), backup_code=owner.backup_code)
    owner.backup_code = shown.code
    assert (await sign_in_by_backup_code(factory, owner)).new_backup_code.generation == 3


async def test_a_code_is_shown_once(factory: AccountFactory, rpc: Rpc) -> None:
    """ "Store it somewhere safe. It won't be shown again." A second regeneration returns another code."""
    owner = await factory.account_with_authenticator()
    first = (await rpc.RegenerateBackupCode(**owner.by_password())).backup_code.code
    second = (await rpc.RegenerateBackupCode(**owner.by_password())).backup_code.code
    assert len({owner.backup_code, first, second}) == 3
    assert not SHOWN.search(str(await rpc.GetTwoFactor(session_token=owner.session_token)))
    assert not SHOWN.search(str((await rpc.GetSession(session_token=owner.session_token)).session))


async def test_a_code_is_unsaved_until_confirmed(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "A "Save your new backup code" screen with the replacement and an I've saved it, continue button." """
    owner = await factory.account_with_authenticator()
    signed_in = await sign_in_by_backup_code(factory, owner)
    status = await rpc.GetTwoFactor(session_token=signed_in.session_token)
    assert not status.backup_code.HasField("save_time")
    await rpc.ConfirmBackupCodeSaved(
        session_token=signed_in.session_token, generation=signed_in.new_backup_code.generation
    )
    status = await rpc.GetTwoFactor(session_token=signed_in.session_token)
    assert status.backup_code.save_time.ToSeconds() == int(clock.now.timestamp())


async def test_a_code_is_four_groups_of_four(factory: AccountFactory, rpc: Rpc) -> None:
    """ "A backup code is four short groups, e.g. abcd 1234 ef56 7890." """
    owner = await factory.account_with_authenticator()
    replacement = (
        await rpc.UseBackupCode(challenge_token=await factory.challenge_for(owner), backup_code=owner.backup_code)
    ).new_backup_code
    regenerated = (await rpc.RegenerateBackupCode(**owner.by_password())).backup_code
    for code in (owner.backup_code, replacement.code, regenerated.code):
        assert SHOWN.fullmatch(code), "not four groups of four"


async def test_used_codes_are_recognised(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "If you've already used it, the old one no longer works, so use the newest one we showed you afterward." """
    owner = await factory.account_with_authenticator()
    used = []
    for _ in range(2):
        used.append((owner.backup_code, clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")))
        await sign_in_by_backup_code(factory, owner)
        clock.advance(timedelta(minutes=1))
    challenge = await factory.challenge_for(owner)
    for code, moment in used:
        with refused("CODE_ALREADY_USED") as refusal:
            await rpc.UseBackupCode(challenge_token=challenge, backup_code=code)
        assert refusal.value.metadata == {"used_at": moment}
    assert (
        await rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code)
    ).new_backup_code.generation == 4


@pytest.mark.parametrize(
    "typed",
    [
        lambda code: code.replace(" ", ""),
        lambda code: code.upper(),
        lambda code: code.replace(" ", "-"),
        lambda code: code.replace(" ", "  —\t"),
        lambda code: f"  {code} ",
        lambda code: code.replace("0", "O").replace("1", "l"),
        lambda code: "".join(chr(ord(c) + 0xFEE0) if c != " " else "\u3000" for c in code),
    ],
    ids=["no spaces", "capitals", "hyphens", "dashes and tabs", "around", "look-alikes", "full width"],
)
async def test_spelling_variants_are_accepted(factory: AccountFactory, rpc: Rpc, typed: Callable[[str], str]) -> None:
    """ "Spaces don't matter, but make sure you're using the most recent code." """
    owner = await factory.account_with_authenticator()
    signed_in = await rpc.UseBackupCode(
        challenge_token=await factory.challenge_for(owner), backup_code=typed(owner.backup_code)
    )
    assert signed_in.new_backup_code.generation == 2


async def test_removal_voids_the_backup_code(factory: AccountFactory, rpc: Rpc) -> None:
    """ "If you're on email login codes (not an app), there are no backup codes; your recovery is your email." """
    owner = await factory.account_with_authenticator()
    await sign_in_by_app(factory, owner)
    await rpc.RemoveAuthenticator(**owner.by_password())
    challenge = await factory.challenge_for(owner)
    with refused("METHOD_NOT_ACTIVE"):
        await rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code)
    with refused("METHOD_NOT_ACTIVE"):
        await rpc.RegenerateBackupCode(**owner.by_password())
    assert (await sign_in_by_email(factory, owner, 3)).session.account_id == owner.account_id
