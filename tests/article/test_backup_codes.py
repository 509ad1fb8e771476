"""The help article on backup codes, sentence by sentence, on the real server."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from tests.article.steps import sign_in_by_app, sign_in_by_backup_code, sign_in_by_mail
from tests.conftest import Refusing
from tests.people import People
from twofactor.v1 import two_factor_service_pb2, types_pb2

SHOWN = re.compile(r"[0-9a-hjkmnp-tv-z]{4}( [0-9a-hjkmnp-tv-z]{4}){3}")


async def test_a_backup_code_lets_in_who_lost_the_app(people: People) -> None:
    """ "A backup code is a one-time code that lets you sign in if you ever lose access to your authenticator app." """
    owner = await people.with_authenticator()
    owner.secret = "LOST"
    signed_in = await sign_in_by_backup_code(people, owner)
    session = await people.session(signed_in.session_token)
    assert session.account_id == owner.account_id
    assert list(session.methods) == ["pwd", "otp", "urn:twofactor:backup", "mfa"]


async def test_one_is_shown_at_setup_and_a_fresh_one_at_each_use(people: People) -> None:
    """ "You're shown one when you set up the app, and a fresh one each time you use it." """
    owner = await people.with_authenticator()
    shown = [owner.backup_code]
    for generation in (2, 3):
        signed_in = await sign_in_by_backup_code(people, owner)
        assert signed_in.new_backup_code.generation == generation
        shown.append(signed_in.new_backup_code.code)
    assert len(set(shown)) == 3


async def test_it_is_managed_on_one_page(people: People) -> None:
    """ "Manage it at …/2fa." The page learns what there is to know, and never the code."""
    owner = await people.with_authenticator()
    status = await people.status(owner.session_token)
    assert status.method == types_pb2.SECOND_FACTOR_AUTHENTICATOR
    assert status.backup_code.generation == 1
    assert not SHOWN.search(str(status))


async def test_backup_codes_belong_to_the_app_only(people: People, refused: Refusing) -> None:
    """ "Backup codes apply when you're using an authenticator app. (On email login codes, your recovery is simply your
    email inbox.)" """
    owner = await people.signed_in()
    status = await people.status(owner.session_token)
    assert status.method == types_pb2.SECOND_FACTOR_EMAIL_CODE
    assert not status.HasField("backup_code")
    challenge = await people.challenge_for(owner)
    assert not (await people.challenge(challenge)).backup_code_accepted
    with refused("METHOD_NOT_ACTIVE") as said:
        await people.use_backup_code(challenge, "abcd 1234 ef56 7890")
    assert said[0].metadata == {"active_method": "EMAIL_CODE"}
    code = await people.mailbox.code(owner.email, 2)
    assert (await people.verify_email_code(challenge, code)).session.account_id == owner.account_id


async def test_the_verify_page_offers_the_backup_code(people: People) -> None:
    """ "On the "Verify It's You" screen, choose the option to sign in with a backup code instead of the app." """
    owner = await people.with_authenticator()
    shown = await people.challenge(await people.challenge_for(owner))
    assert shown.second_factor == types_pb2.SECOND_FACTOR_AUTHENTICATOR
    assert shown.backup_code_accepted
    assert shown.attempts_left == 5


async def test_signing_in_with_a_backup_code_replaces_it_at_once(people: People, refused: Refusing) -> None:
    """ "You're signed in. We immediately replace the used code and show you a new one"."""
    owner = await people.with_authenticator()
    signed_in = await people.use_backup_code(await people.challenge_for(owner), owner.backup_code)
    assert signed_in.session.methods == ["pwd", "otp", "urn:twofactor:backup", "mfa"]
    assert signed_in.new_backup_code.generation == owner.generation + 1
    with refused("CODE_ALREADY_USED") as said:
        await people.use_backup_code(await people.challenge_for(owner), owner.backup_code)
    assert "used_at" in said[0].metadata
    again = await people.use_backup_code(await people.challenge_for(owner), signed_in.new_backup_code.code)
    assert again.new_backup_code.code != signed_in.new_backup_code.code


async def test_a_fresh_code_any_time_for_the_password(people: People, refused: Refusing) -> None:
    """ "Click Regenerate backup code. You'll confirm your password, and we'll show the new code once." """
    owner = await people.with_authenticator()
    with refused("REAUTHENTICATION_FAILED"):
        await people.regenerate(owner, password="not the password")
    with refused("REAUTHENTICATION_REQUIRED"):
        await people.stubs.two_factor.RegenerateBackupCode(
            two_factor_service_pb2.RegenerateBackupCodeRequest(session_token=owner.session_token)
        )
    shown = (await people.regenerate(owner)).backup_code
    assert shown.generation == 2
    assert shown.code != owner.backup_code
    with refused("CODE_MISMATCH"):
        await people.use_backup_code(await people.challenge_for(owner), owner.backup_code)
    owner.backup_code = shown.code
    assert (await sign_in_by_backup_code(people, owner)).new_backup_code.generation == 3


async def test_it_is_not_shown_again(people: People, refused: Refusing) -> None:
    """ "Store it somewhere safe. It won't be shown again." A second regeneration shows another code, not the same."""
    owner = await people.with_authenticator()
    first = (await people.regenerate(owner)).backup_code.code
    second = (await people.regenerate(owner)).backup_code.code
    assert len({owner.backup_code, first, second}) == 3
    assert not SHOWN.search(str(await people.status(owner.session_token)))
    assert not SHOWN.search(str(await people.session(owner.session_token)))


async def test_the_save_page_asks_until_it_is_saved(people: People) -> None:
    """ "A "Save your new backup code" screen with the replacement and an I've saved it, continue button." """
    owner = await people.with_authenticator()
    signed_in = await sign_in_by_backup_code(people, owner)
    status = await people.status(signed_in.session_token)
    assert not status.backup_code.HasField("save_time")
    await people.confirm_saved(signed_in.session_token, signed_in.new_backup_code.generation)
    status = await people.status(signed_in.session_token)
    assert status.backup_code.save_time.ToSeconds() == int(people.clock.now.timestamp())


async def test_a_backup_code_is_four_short_groups(people: People) -> None:
    """ "A backup code is four short groups, e.g. abcd 1234 ef56 7890." """
    owner = await people.with_authenticator()
    replacement = (await people.use_backup_code(await people.challenge_for(owner), owner.backup_code)).new_backup_code
    regenerated = (await people.regenerate(owner)).backup_code
    for code in (owner.backup_code, replacement.code, regenerated.code):
        assert SHOWN.fullmatch(code), "not four groups of four"


async def test_used_codes_are_recognised_and_only_the_newest_works(people: People, refused: Refusing) -> None:
    """ "If you've already used it, the old one no longer works, so use the newest one we showed you afterward." """
    owner = await people.with_authenticator()
    used = []
    for _ in range(2):
        used.append((owner.backup_code, people.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")))
        await sign_in_by_backup_code(people, owner)
        people.clock.advance(timedelta(minutes=1))
    challenge = await people.challenge_for(owner)
    for code, moment in used:
        with refused("CODE_ALREADY_USED") as said:
            await people.use_backup_code(challenge, code)
        assert said[0].metadata == {"used_at": moment}
    assert (await people.use_backup_code(challenge, owner.backup_code)).new_backup_code.generation == 4


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
async def test_spaces_do_not_matter(people: People, typed: Callable[[str], str]) -> None:
    """ "Spaces don't matter, but make sure you're using the most recent code." """
    owner = await people.with_authenticator()
    signed_in = await people.use_backup_code(await people.challenge_for(owner), typed(owner.backup_code))
    assert signed_in.new_backup_code.generation == 2


async def test_who_went_back_to_mail_has_no_backup_code(people: People, refused: Refusing) -> None:
    """ "If you're on email login codes (not an app), there are no backup codes; your recovery is your email." """
    owner = await people.with_authenticator()
    await sign_in_by_app(people, owner)
    await people.remove_authenticator(owner)
    challenge = await people.challenge_for(owner)
    with refused("METHOD_NOT_ACTIVE"):
        await people.use_backup_code(challenge, owner.backup_code)
    with refused("METHOD_NOT_ACTIVE"):
        await people.regenerate(owner)
    assert (await sign_in_by_mail(people, owner, 3)).session.account_id == owner.account_id
