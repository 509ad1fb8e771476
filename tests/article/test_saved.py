"""Backup code: saved or not saved."""

from datetime import timedelta

from tests.article.steps import sign_in_by_app, sign_in_by_backup_code
from tests.conftest import Refusing
from tests.people import People, Person
from twofactor.v1 import two_factor_service_pb2

REQUEST = "3f0a8d5e-6f0f-4d7e-9f0e-8f7f3a0d1b11"


async def status_of(people: People, owner: Person) -> two_factor_service_pb2.BackupCodeStatus:
    return (await people.status(owner.session_token)).backup_code


async def test_until_the_owner_says_so_it_is_not_saved(people: People) -> None:
    """ "Until the owner says "I've saved it", the account's status is *not saved*." Saying it twice is as well; the
    time is the first one's. Every new code is not saved again."""
    owner = await people.with_authenticator()
    assert not (await status_of(people, owner)).HasField("save_time")
    saved_at = int(people.clock.now.timestamp())
    for _ in range(2):
        await people.confirm_saved(owner.session_token, 1)
        assert (await status_of(people, owner)).save_time.ToSeconds() == saved_at
        people.clock.advance(timedelta(minutes=5))
    created_at = int(people.clock.now.timestamp())
    await people.regenerate(owner)
    status = await status_of(people, owner)
    assert (status.generation, status.create_time.ToSeconds()) == (2, created_at)
    assert not status.HasField("save_time")
    await people.confirm_saved(owner.session_token, 2)
    await sign_in_by_backup_code_of(people, owner)
    assert not (await status_of(people, owner)).HasField("save_time")


async def sign_in_by_backup_code_of(people: People, owner: Person) -> None:
    owner.backup_code = (await people.regenerate(owner)).backup_code.code
    await sign_in_by_backup_code(people, owner)


async def test_only_the_current_code_can_be_saved(people: People, refused: Refusing) -> None:
    """Another generation than the current one is GENERATION_SUPERSEDED: the owner is to save the newest."""
    owner = await people.with_authenticator()
    await people.regenerate(owner)
    for generation in (1, 3):
        with refused("GENERATION_SUPERSEDED"):
            await people.confirm_saved(owner.session_token, generation)
    assert not (await status_of(people, owner)).HasField("save_time")


async def test_there_is_nothing_to_save_on_email_codes(people: People, refused: Refusing) -> None:
    """Accounts on e-mail codes have no backup code."""
    owner = await people.signed_in()
    with refused("METHOD_NOT_ACTIVE") as said:
        await people.confirm_saved(owner.session_token, 1)
    assert said[0].metadata == {"active_method": "EMAIL_CODE"}
    owner = await people.with_authenticator()
    await people.remove_authenticator(owner)
    with refused("METHOD_NOT_ACTIVE"):
        await people.confirm_saved(owner.session_token, 1)


async def test_must_regenerate_when_no_repeat_can_show_it(people: People) -> None:
    """Not saved, and no reply is kept that shows the code: only regenerating helps. As long as the same call repeated
    would show it, or once it is saved, it is not so."""
    owner = await people.with_authenticator()
    assert (await status_of(people, owner)).must_regenerate
    await people.confirm_saved(owner.session_token, 1)
    assert not (await status_of(people, owner)).must_regenerate
    await people.regenerate(owner, REQUEST)
    assert not (await status_of(people, owner)).must_regenerate

    owner.session_token = (await sign_in_by_app(people, owner)).session_token
    assert not (await status_of(people, owner)).must_regenerate
    for _ in range(24):
        people.clock.advance(timedelta(minutes=59))
        await people.session(owner.session_token)
    owner.session_token = (await sign_in_by_app(people, owner)).session_token
    people.clock.advance(timedelta(minutes=24))
    assert (await status_of(people, owner)).must_regenerate


async def test_signing_out_unsaved_leaves_regenerating(people: People) -> None:
    """Signing out of the session that was shown the code erases its reply: only regenerating helps then."""
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    shown = await people.use_backup_code(challenge, owner.backup_code, REQUEST)
    assert not (await status_of(people, owner)).must_regenerate
    await people.sign_out(shown.session_token)
    assert (await status_of(people, owner)).must_regenerate


async def test_any_session_of_the_account_may_say_saved(people: People, refused: Refusing) -> None:
    """*Saved* is said with any session of the account; never with another account's."""
    owner, stranger = await people.with_authenticator(), await people.with_authenticator()
    await people.regenerate(owner)
    with refused("GENERATION_SUPERSEDED"):
        await people.confirm_saved(stranger.session_token, 2)
    other_session = (await sign_in_by_app(people, owner)).session_token
    await people.confirm_saved(other_session, 2)
    assert (await status_of(people, owner)).HasField("save_time")
    assert not (await status_of(people, stranger)).HasField("save_time")
