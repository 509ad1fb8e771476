"""The authenticator app: setup, move to a new device, and removal."""

import re
from base64 import b32decode
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner
from tests.support.rpc import Rpc, refused
from tests.support.steps import STEP, sign_in_by_app, sign_in_by_backup_code, sign_in_by_email
from twofactor.v1 import two_factor_service_pb2, types_pb2


def code_of(
    started: two_factor_service_pb2.StartAuthenticatorSetupResponse, factory: AccountFactory, steps: int = 0
) -> str:
    """The current code of an app with this secret."""
    return pyotp.TOTP(started.secret.replace(" ", "")).at(int(factory.clock.now.timestamp()) + 30 * steps)


def wrong_code_of(started: two_factor_service_pb2.StartAuthenticatorSetupResponse, factory: AccountFactory) -> str:
    """Six digits that are not the app's current code."""
    return Owner("", "", secret=started.secret.replace(" ", "")).wrong_code_at(factory.clock.now)


async def test_a_setup_returns_uri_qr_code_and_secret(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "The server makes a 160-bit secret and returns an otpauth URI, a QR code, and the secret grouped for typing by
    hand; nothing changes yet." """
    owner = await factory.signed_in_account()
    started = await rpc.StartAuthenticatorSetup(**owner.by_password())
    assert re.fullmatch(r"[A-Z2-7]{4}( [A-Z2-7]{4}){7}", started.secret)
    secret = started.secret.replace(" ", "")
    assert len(b32decode(secret)) == 20
    uri = urlsplit(started.otpauth_uri)
    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    issuer, _, account = unquote(uri.path[1:]).partition(":")
    fields = {name: values[0] for name, values in parse_qs(uri.query).items()}
    assert fields == {"secret": secret, "issuer": issuer, "algorithm": "SHA1", "digits": "6", "period": "30"}
    assert account == owner.email
    assert started.qr_code_svg.startswith("<?xml")
    assert started.expire_time.ToSeconds() == int(clock.now.timestamp()) + 600
    status = await rpc.GetTwoFactor(session_token=owner.session_token)
    assert status.method == types_pb2.SECOND_FACTOR_EMAIL_CODE
    assert not status.HasField("authenticator")
    await sign_in_by_email(factory, owner, 2)


async def test_the_first_code_enables_the_authenticator(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "The owner types the app's current 6-digit code; if it matches, the authenticator is on, e-mail codes are off,
    and the first backup code is returned, once." """
    owner = await factory.signed_in_account()
    started = await rpc.StartAuthenticatorSetup(**owner.by_password())
    confirmed = await rpc.ConfirmAuthenticatorSetup(
        session_token=owner.session_token, setup_id=started.setup_id, code=code_of(started, factory)
    )
    assert confirmed.backup_code.generation == 1
    assert not confirmed.replayed
    status = await rpc.GetTwoFactor(session_token=owner.session_token)
    assert status.method == types_pb2.SECOND_FACTOR_AUTHENTICATOR
    assert status.authenticator.enable_time.ToSeconds() == int(clock.now.timestamp())
    with refused("METHOD_NOT_ACTIVE"):
        await rpc.SendEmailCode(challenge_token=await factory.challenge_for(owner))
    with refused("SETUP_EXPIRED"):
        await rpc.ConfirmAuthenticatorSetup(
            session_token=owner.session_token, setup_id=started.setup_id, code=code_of(started, factory)
        )
    assert list((await rpc.GetSession(session_token=owner.session_token)).session.methods) == ["pwd", "otp", "mfa"]


async def test_the_confirming_code_is_not_accepted_at_sign_in(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "The confirming step is spent": the code that confirmed the setup is refused at sign-in; the next code is
    accepted."""
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    with refused("CODE_ALREADY_USED"):
        await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.code_at(clock.now))
    clock.advance(STEP)
    await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.code_at(clock.now))


async def test_a_setup_expires_after_ten_minutes(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "Setup that is not confirmed in 10 minutes is void." """
    owner = await factory.signed_in_account()
    started = await rpc.StartAuthenticatorSetup(**owner.by_password())
    clock.advance(timedelta(seconds=600))
    with refused("SETUP_EXPIRED"):
        await rpc.ConfirmAuthenticatorSetup(
            session_token=owner.session_token, setup_id=started.setup_id, code=code_of(started, factory)
        )
    started = await rpc.StartAuthenticatorSetup(**owner.by_password())
    clock.advance(timedelta(seconds=599))
    await rpc.ConfirmAuthenticatorSetup(
        session_token=owner.session_token, setup_id=started.setup_id, code=code_of(started, factory)
    )


async def test_a_setup_can_be_cancelled(factory: AccountFactory, rpc: Rpc) -> None:
    """ "It can be cancelled". Cancelling again, or cancelling an unknown setup, succeeds."""
    owner = await factory.signed_in_account()
    started = await rpc.StartAuthenticatorSetup(**owner.by_password())
    for setup_id in (started.setup_id, started.setup_id, "00000000-0000-4000-8000-000000000000"):
        await rpc.CancelAuthenticatorSetup(session_token=owner.session_token, setup_id=setup_id)
    with refused("SETUP_EXPIRED"):
        await rpc.ConfirmAuthenticatorSetup(
            session_token=owner.session_token, setup_id=started.setup_id, code=code_of(started, factory)
        )
    await factory.set_up_authenticator(owner)
    await rpc.CancelAuthenticatorSetup(session_token=owner.session_token, setup_id=started.setup_id)
    assert (await rpc.GetTwoFactor(session_token=owner.session_token)).method == types_pb2.SECOND_FACTOR_AUTHENTICATOR


async def test_a_new_setup_voids_the_pending_one(factory: AccountFactory, rpc: Rpc) -> None:
    """ "Starting again voids the older one", and returns another secret."""
    owner = await factory.signed_in_account()
    older = await rpc.StartAuthenticatorSetup(**owner.by_password())
    newer = await rpc.StartAuthenticatorSetup(**owner.by_password())
    assert older.secret != newer.secret
    with refused("SETUP_EXPIRED"):
        await rpc.ConfirmAuthenticatorSetup(
            session_token=owner.session_token, setup_id=older.setup_id, code=code_of(older, factory)
        )
    await rpc.ConfirmAuthenticatorSetup(
        session_token=owner.session_token, setup_id=newer.setup_id, code=code_of(newer, factory)
    )


async def test_five_wrong_codes_void_a_setup(factory: AccountFactory, rpc: Rpc) -> None:
    """ "5 wrong codes void the setup": attempts_left counts down from 4 to 0. A malformed code does not count."""
    owner = await factory.signed_in_account()
    started = await rpc.StartAuthenticatorSetup(**owner.by_password())
    with refused("INVALID_FIELD") as refusal:
        await rpc.ConfirmAuthenticatorSetup(session_token=owner.session_token, setup_id=started.setup_id, code="12345")
    assert refusal.value.fields == ("code",)
    for left in "43210":
        with refused("CODE_MISMATCH") as refusal:
            await rpc.ConfirmAuthenticatorSetup(
                session_token=owner.session_token, setup_id=started.setup_id, code=wrong_code_of(started, factory)
            )
        assert refusal.value.metadata == {"attempts_left": left}
    with refused("SETUP_EXPIRED"):
        await rpc.ConfirmAuthenticatorSetup(
            session_token=owner.session_token, setup_id=started.setup_id, code=code_of(started, factory)
        )
    assert (await rpc.GetTwoFactor(session_token=owner.session_token)).method == types_pb2.SECOND_FACTOR_EMAIL_CODE


async def test_moving_to_a_new_device(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "The old one works until the new one is confirmed, then secret and backup code change together." """
    owner = await factory.account_with_authenticator()
    old_phone = Owner(owner.email, owner.account_id, secret=owner.secret, backup_code=owner.backup_code)
    started = await rpc.StartAuthenticatorSetup(**owner.by_password())
    await sign_in_by_app(factory, old_phone)
    with refused("CODE_MISMATCH"):
        await rpc.VerifyAuthenticatorCode(
            challenge_token=await factory.challenge_for(owner), code=code_of(started, factory)
        )
    await sign_in_by_backup_code(factory, old_phone)
    confirmed = await rpc.ConfirmAuthenticatorSetup(
        session_token=owner.session_token, setup_id=started.setup_id, code=code_of(started, factory)
    )
    assert confirmed.backup_code.generation == 3
    clock.advance(STEP)
    challenge = await factory.challenge_for(owner)
    with refused("CODE_MISMATCH"):
        await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=old_phone.code_at(clock.now))
    with refused("CODE_MISMATCH"):
        await rpc.UseBackupCode(challenge_token=challenge, backup_code=old_phone.backup_code)
    await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=code_of(started, factory))
    owner.backup_code = confirmed.backup_code.code
    assert (await sign_in_by_backup_code(factory, owner)).new_backup_code.generation == 4


async def test_removal_returns_to_email_codes_at_once(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "Removing the authenticator returns the account to e-mail codes at once. The backup code dies with it." An open
    challenge does not bypass that; the generation continues with the next setup."""
    owner = await factory.account_with_authenticator()
    open_before = await factory.challenge_for(owner)
    await rpc.RemoveAuthenticator(**owner.by_password())
    clock.advance(STEP)
    for call in (
        rpc.VerifyAuthenticatorCode(challenge_token=open_before, code=owner.code_at(clock.now)),
        rpc.UseBackupCode(challenge_token=open_before, backup_code=owner.backup_code),
    ):
        with refused("METHOD_NOT_ACTIVE") as refusal:
            await call
        assert refusal.value.metadata == {"active_method": "EMAIL_CODE"}
    retired = owner.backup_code
    await factory.set_up_authenticator(owner)
    assert owner.generation == 2
    with refused("CODE_MISMATCH"):
        await rpc.UseBackupCode(challenge_token=await factory.challenge_for(owner), backup_code=retired)


async def test_a_used_code_stays_used_across_setups(factory: AccountFactory, rpc: Rpc) -> None:
    """ "Set up, use, remove, set up, use": a used code of any generation never works again, and is still recognised."""
    owner = await factory.account_with_authenticator()
    first = owner.backup_code
    await sign_in_by_backup_code(factory, owner)
    await rpc.RemoveAuthenticator(**owner.by_password())
    await factory.set_up_authenticator(owner)
    assert owner.generation == 3
    second = owner.backup_code
    await sign_in_by_backup_code(factory, owner)
    challenge = await factory.challenge_for(owner)
    for code in (first, second):
        with refused("CODE_ALREADY_USED"):
            await rpc.UseBackupCode(challenge_token=challenge, backup_code=code)


async def test_changes_require_session_and_password(factory: AccountFactory, rpc: Rpc) -> None:
    """ "Method changes need a session that passed the account's second factor, and re-authentication." Another
    account's session is not enough."""
    owner, attacker = await factory.signed_in_account(), await factory.signed_in_account()
    started = await rpc.StartAuthenticatorSetup(**owner.by_password())
    with refused("SETUP_EXPIRED"):
        await rpc.ConfirmAuthenticatorSetup(
            session_token=attacker.session_token, setup_id=started.setup_id, code=code_of(started, factory)
        )
    await rpc.CancelAuthenticatorSetup(session_token=attacker.session_token, setup_id=started.setup_id)
    await rpc.ConfirmAuthenticatorSetup(
        session_token=owner.session_token, setup_id=started.setup_id, code=code_of(started, factory)
    )
    with refused("REAUTHENTICATION_REQUIRED"):
        await rpc.StartAuthenticatorSetup(session_token=owner.session_token)
    with refused("REAUTHENTICATION_REQUIRED"):
        await rpc.RemoveAuthenticator(session_token=owner.session_token)
    assert (await rpc.GetTwoFactor(session_token=owner.session_token)).method == types_pb2.SECOND_FACTOR_AUTHENTICATOR
