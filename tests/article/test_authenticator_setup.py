"""Second factor: the authenticator app, set up, moved to a new phone, and removed."""

import re
from base64 import b32decode
from datetime import timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp

from tests.article.steps import STEP, sign_in_by_app, sign_in_by_backup_code, sign_in_by_mail
from tests.conftest import Refusing
from tests.people import People, Person
from twofactor.v1 import two_factor_service_pb2, types_pb2


def code_of(started: two_factor_service_pb2.StartAuthenticatorSetupResponse, people: People, steps: int = 0) -> str:
    """What an app that loaded this secret shows."""
    return pyotp.TOTP(started.secret.replace(" ", "")).at(int(people.clock.now.timestamp()) + 30 * steps)


def wrong_code_of(started: two_factor_service_pb2.StartAuthenticatorSetupResponse, people: People) -> str:
    """Six digits that it does not show."""
    return Person("", "", secret=started.secret.replace(" ", "")).wrong_code_at(people.clock.now)


async def test_the_secret_comes_in_three_forms(people: People) -> None:
    """ "The server makes a 160-bit secret and returns an otpauth URI, a QR code, and the secret grouped for typing by
    hand; nothing changes yet." """
    owner = await people.signed_in()
    started = await people.start_setup(owner)
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
    assert started.expire_time.ToSeconds() == int(people.clock.now.timestamp()) + 600
    status = await people.status(owner.session_token)
    assert status.method == types_pb2.SECOND_FACTOR_EMAIL_CODE
    assert not status.HasField("authenticator")
    await sign_in_by_mail(people, owner, 2)


async def test_the_first_code_turns_it_on(people: People, refused: Refusing) -> None:
    """ "The owner types the app's current 6-digit code; if it matches, the authenticator is on, e-mail codes are off,
    and the first backup code is returned, once." """
    owner = await people.signed_in()
    started = await people.start_setup(owner)
    confirmed = await people.confirm_setup(owner, started.setup_id, code_of(started, people))
    assert confirmed.backup_code.generation == 1
    assert not confirmed.replayed
    status = await people.status(owner.session_token)
    assert status.method == types_pb2.SECOND_FACTOR_AUTHENTICATOR
    assert status.authenticator.enable_time.ToSeconds() == int(people.clock.now.timestamp())
    with refused("METHOD_NOT_ACTIVE"):
        await people.send_email_code(await people.challenge_for(owner))
    with refused("SETUP_EXPIRED"):
        await people.confirm_setup(owner, started.setup_id, code_of(started, people))
    assert list((await people.session(owner.session_token)).methods) == ["pwd", "otp", "mfa"]


async def test_the_confirming_code_signs_nobody_in(people: People, refused: Refusing) -> None:
    """ "The confirming step is spent": what turned the app on is not accepted at a sign-in; the next code is."""
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    with refused("CODE_ALREADY_USED"):
        await people.verify_authenticator_code(challenge, owner.code_at(people.clock.now))
    people.clock.advance(STEP)
    await people.verify_authenticator_code(challenge, owner.code_at(people.clock.now))


async def test_a_setup_is_void_after_ten_minutes(people: People, refused: Refusing) -> None:
    """ "Setup that is not confirmed in 10 minutes is void." """
    owner = await people.signed_in()
    started = await people.start_setup(owner)
    people.clock.advance(timedelta(seconds=600))
    with refused("SETUP_EXPIRED"):
        await people.confirm_setup(owner, started.setup_id, code_of(started, people))
    started = await people.start_setup(owner)
    people.clock.advance(timedelta(seconds=599))
    await people.confirm_setup(owner, started.setup_id, code_of(started, people))


async def test_a_setup_can_be_cancelled(people: People, refused: Refusing) -> None:
    """ "It can be cancelled"; cancelling again is OK, and so is a setup that never was."""
    owner = await people.signed_in()
    started = await people.start_setup(owner)
    for setup_id in (started.setup_id, started.setup_id, "00000000-0000-4000-8000-000000000000"):
        await people.cancel_setup(owner, setup_id)
    with refused("SETUP_EXPIRED"):
        await people.confirm_setup(owner, started.setup_id, code_of(started, people))
    await people.set_up_authenticator(owner)
    await people.cancel_setup(owner, started.setup_id)
    assert (await people.status(owner.session_token)).method == types_pb2.SECOND_FACTOR_AUTHENTICATOR


async def test_starting_again_voids_the_older_setup(people: People, refused: Refusing) -> None:
    """ "Starting again voids the older one", and gives another secret."""
    owner = await people.signed_in()
    older = await people.start_setup(owner)
    newer = await people.start_setup(owner)
    assert older.secret != newer.secret
    with refused("SETUP_EXPIRED"):
        await people.confirm_setup(owner, older.setup_id, code_of(older, people))
    await people.confirm_setup(owner, newer.setup_id, code_of(newer, people))


async def test_five_wrong_codes_void_the_setup(people: People, refused: Refusing) -> None:
    """ "5 wrong codes void the setup": attempts_left 4 to 0. A malformed one is none of them."""
    owner = await people.signed_in()
    started = await people.start_setup(owner)
    with refused("INVALID_FIELD") as said:
        await people.confirm_setup(owner, started.setup_id, "12345")
    assert said[0].fields == ("code",)
    for left in "43210":
        with refused("CODE_MISMATCH") as said:
            await people.confirm_setup(owner, started.setup_id, wrong_code_of(started, people))
        assert said[0].metadata == {"attempts_left": left}
    with refused("SETUP_EXPIRED"):
        await people.confirm_setup(owner, started.setup_id, code_of(started, people))
    assert (await people.status(owner.session_token)).method == types_pb2.SECOND_FACTOR_EMAIL_CODE


async def test_moving_to_a_new_phone(people: People, refused: Refusing) -> None:
    """ "The old one works until the new one is confirmed, then secret and backup code change together." """
    owner = await people.with_authenticator()
    old_phone = Person(owner.email, owner.account_id, secret=owner.secret, backup_code=owner.backup_code)
    started = await people.start_setup(owner)
    await sign_in_by_app(people, old_phone)
    with refused("CODE_MISMATCH"):
        await people.verify_authenticator_code(await people.challenge_for(owner), code_of(started, people))
    await sign_in_by_backup_code(people, old_phone)
    confirmed = await people.confirm_setup(owner, started.setup_id, code_of(started, people))
    assert confirmed.backup_code.generation == 3
    people.clock.advance(STEP)
    challenge = await people.challenge_for(owner)
    with refused("CODE_MISMATCH"):
        await people.verify_authenticator_code(challenge, old_phone.code_at(people.clock.now))
    with refused("CODE_MISMATCH"):
        await people.use_backup_code(challenge, old_phone.backup_code)
    await people.verify_authenticator_code(challenge, code_of(started, people))
    owner.backup_code = confirmed.backup_code.code
    assert (await sign_in_by_backup_code(people, owner)).new_backup_code.generation == 4


async def test_removal_returns_to_mail_at_once(people: People, refused: Refusing) -> None:
    """ "Removing the authenticator returns the account to e-mail codes at once. The backup code dies with it." An open
    challenge is no way round it; the next setup's generation goes on counting."""
    owner = await people.with_authenticator()
    open_before = await people.challenge_for(owner)
    await people.remove_authenticator(owner)
    people.clock.advance(STEP)
    for call in (
        people.verify_authenticator_code(open_before, owner.code_at(people.clock.now)),
        people.use_backup_code(open_before, owner.backup_code),
    ):
        with refused("METHOD_NOT_ACTIVE") as said:
            await call
        assert said[0].metadata == {"active_method": "EMAIL_CODE"}
    dead = owner.backup_code
    await people.set_up_authenticator(owner)
    assert owner.generation == 2
    with refused("CODE_MISMATCH"):
        await people.use_backup_code(await people.challenge_for(owner), dead)


async def test_a_used_code_stays_used_across_setups(people: People, refused: Refusing) -> None:
    """ "Set up, use, remove, set up, use": an old code of any generation never works, and is still recognised."""
    owner = await people.with_authenticator()
    first = owner.backup_code
    await sign_in_by_backup_code(people, owner)
    await people.remove_authenticator(owner)
    await people.set_up_authenticator(owner)
    assert owner.generation == 3
    second = owner.backup_code
    await sign_in_by_backup_code(people, owner)
    challenge = await people.challenge_for(owner)
    for code in (first, second):
        with refused("CODE_ALREADY_USED"):
            await people.use_backup_code(challenge, code)


async def test_changes_need_the_session_and_the_password(people: People, refused: Refusing) -> None:
    """ "Method changes need a session that passed the account's second factor, and re-authentication." Another
    account's session is not enough, whatever setup it names."""
    owner, stranger = await people.signed_in(), await people.signed_in()
    pb, stub = two_factor_service_pb2, people.stubs.two_factor
    started = await people.start_setup(owner)
    with refused("SETUP_EXPIRED"):
        await people.confirm_setup(stranger, started.setup_id, code_of(started, people))
    await people.cancel_setup(stranger, started.setup_id)
    await people.confirm_setup(owner, started.setup_id, code_of(started, people))
    with refused("REAUTHENTICATION_REQUIRED"):
        await stub.StartAuthenticatorSetup(pb.StartAuthenticatorSetupRequest(session_token=owner.session_token))
    with refused("REAUTHENTICATION_REQUIRED"):
        await stub.RemoveAuthenticator(pb.RemoveAuthenticatorRequest(session_token=owner.session_token))
    assert (await people.status(owner.session_token)).method == types_pb2.SECOND_FACTOR_AUTHENTICATOR
