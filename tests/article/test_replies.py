"""The sealed reply: a lost answer does not lose the new code, and a replay is never a second use."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.article.steps import STEP, sign_in_by_app, sign_in_by_backup_code
from tests.conftest import Refusing
from tests.people import People, Person
from tests.security.tables import rows
from twofactor.v1 import two_factor_service_pb2, types_pb2
from twofactor_server.postgres import EmbeddedPostgres

Used = two_factor_service_pb2.UseBackupCodeResponse


class LostAnswer:
    """A sign-in by backup code whose answer did not arrive."""

    def __init__(self, people: People, owner: Person, challenge: str, lost: Used) -> None:
        self.people, self.owner, self.challenge, self.lost = people, owner, challenge, lost
        self.code, self.request_id = owner.backup_code, ""

    async def repeated(self, code: str = "") -> Used:
        """The same logical call, once more."""
        return await self.people.use_backup_code(self.challenge, code or self.code, self.request_id)


async def lost_answer(people: People) -> LostAnswer:
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    request_id = str(uuid4())
    used = await people.use_backup_code(challenge, owner.backup_code, request_id)
    lost = LostAnswer(people, owner, challenge, used)
    lost.request_id = request_id
    return lost


async def test_the_same_call_is_answered_the_same(people: People, postgres: EmbeddedPostgres) -> None:
    """ "The same call, repeated, returns the same replacement", however the code is spelt, from wherever, and late; it
    is marked `replayed`, audited, and mails nobody again."""
    lost = await lost_answer(people)
    people.clock.advance(timedelta(hours=2))
    moved = types_pb2.ClientInfo(ip_address="203.0.113.77", user_agent="another")
    typed = lost.code.upper().replace(" ", "-")
    again = await people.use_backup_code(lost.challenge, typed, lost.request_id.upper(), moved)
    assert again.replayed
    assert not lost.lost.replayed
    again.replayed = False
    assert again == lost.lost
    notices = [row for row in await rows(postgres.url, "outbox", lost.owner.account_id) if "used" in row["kind"]]
    assert len(notices) == 1
    audit = await rows(postgres.url, "audit_events", lost.owner.account_id)
    assert [row["outcome"] for row in audit if row["action"] == "replay"] == ["success"]


async def test_every_verification_is_replayed(people: People) -> None:
    """ "The same mechanism serves every Verify* method" and, keyed by the session, setup and regeneration."""
    owner = await people.with_account()
    challenge, request_id = await people.challenge_for(owner), str(uuid4())
    code = await people.mailbox.code(owner.email)
    by_mail = [await people.verify_email_code(challenge, code, request_id) for _ in range(2)]
    owner.session_token = by_mail[0].session_token
    started = await people.start_setup(owner)
    owner.secret = started.secret.replace(" ", "")
    code = owner.code_at(people.clock.now)
    setup = [await people.confirm_setup(owner, started.setup_id, code, request_id) for _ in range(2)]
    request_id = str(uuid4())
    regenerated = [await people.regenerate(owner, request_id)]
    regenerated.append(await people.regenerate(owner, request_id, "a wrong password, which nobody looks at"))
    people.clock.advance(STEP)
    challenge = await people.challenge_for(owner)
    code = owner.code_at(people.clock.now)
    by_app = [await people.verify_authenticator_code(challenge, code, request_id) for _ in range(2)]
    for first, second in (by_mail, setup, regenerated, by_app):
        assert (first.replayed, second.replayed) == (False, True)
        second.replayed = False
        assert first == second


async def test_a_replay_tells_the_session_as_it_was_opened(people: People) -> None:
    """The session in a replay is "as it was when opened", whatever it was used for, and came to prove, since."""
    owner = await people.with_account()
    challenge, request_id = await people.challenge_for(owner), str(uuid4())
    code = await people.mailbox.code(owner.email)
    first = await people.verify_email_code(challenge, code, request_id)
    owner.session_token = first.session_token
    people.clock.advance(timedelta(minutes=3))
    await people.session(owner.session_token)
    await people.set_up_authenticator(owner)
    assert (await people.verify_email_code(challenge, code, request_id)).session == first.session


async def test_saying_saved_erases_the_reply(people: People, refused: Refusing) -> None:
    """ "It lives until … the owner says *saved* from the session that the reply opened." """
    lost = await lost_answer(people)
    await people.confirm_saved(lost.lost.session_token, 2)
    with refused("REQUEST_ID_EXPIRED"):
        await lost.repeated()


async def test_saying_saved_elsewhere_does_not(people: People) -> None:
    """ "*Saved* from another session marks the code saved but does not erase": it may be the only copy for the device
    that lost the answer. It fails when erasing forgets to ask whose reply it is."""
    lost = await lost_answer(people)
    elsewhere = (await sign_in_by_app(people, lost.owner)).session_token
    await people.confirm_saved(elsewhere, 2)
    assert (await people.status(elsewhere)).backup_code.HasField("save_time")
    assert (await lost.repeated()).new_backup_code == lost.lost.new_backup_code


@pytest.mark.parametrize("how", ["used", "regenerated", "set up", "removed"])
async def test_a_superseded_generation_erases_the_reply(people: People, refused: Refusing, how: str) -> None:
    """ "… the generation is superseded": what the reply holds is dead."""
    lost = await lost_answer(people)
    owner = lost.owner
    match how:
        case "used":
            owner.backup_code = lost.lost.new_backup_code.code
            await sign_in_by_backup_code(people, owner)
        case "regenerated":
            await people.regenerate(owner)
        case "set up":
            await people.set_up_authenticator(owner)
        case "removed":
            await people.remove_authenticator(owner)
    with refused("REQUEST_ID_EXPIRED"):
        await lost.repeated()


async def test_signing_out_erases_the_reply(people: People, refused: Refusing) -> None:
    """ "… that session is signed out"; another session's end does not matter."""
    lost = await lost_answer(people)
    elsewhere = (await sign_in_by_app(people, lost.owner)).session_token
    await people.sign_out(elsewhere)
    assert (await lost.repeated()).replayed
    await people.sign_out(lost.lost.session_token)
    with refused("REQUEST_ID_EXPIRED"):
        await lost.repeated()


async def test_running_idle_does_not_erase_it(people: People, refused: Refusing) -> None:
    """ "Running idle does not erase: the replay then carries the code and a session that has ended." It is gone after
    24 hours."""
    lost = await lost_answer(people)
    people.clock.advance(timedelta(hours=23, minutes=59))
    again = await lost.repeated()
    assert again.new_backup_code == lost.lost.new_backup_code
    with refused("SESSION_ENDED"):
        await people.session(again.session_token)
    people.clock.advance(timedelta(minutes=1))
    with refused("REQUEST_ID_EXPIRED"):
        await lost.repeated()


async def test_other_content_under_the_same_id(people: People, refused: Refusing) -> None:
    """The same request_id with another code, or another method, is REQUEST_ID_REUSED, also when the reply is erased."""
    lost = await lost_answer(people)
    people.clock.advance(STEP)
    for _ in range(2):
        with refused("REQUEST_ID_REUSED") as said:
            await lost.repeated("abcd 1234 ef56 7890")
        assert said[0].fields == ("request_id",)
        with refused("REQUEST_ID_REUSED"):
            code = lost.owner.code_at(people.clock.now)
            await people.verify_authenticator_code(lost.challenge, code, lost.request_id)
        await people.confirm_saved(lost.lost.session_token, 2)


async def test_another_challenge_is_a_second_use(people: People, refused: Refusing) -> None:
    """ "A different challenge with the same code, or the same challenge without the request_id, is a second use." """
    lost = await lost_answer(people)
    with refused("CODE_ALREADY_USED"):
        await people.use_backup_code(await people.challenge_for(lost.owner), lost.code, lost.request_id)
    for request_id in ("", str(uuid4())):
        with refused("CHALLENGE_CONSUMED"):
            await people.use_backup_code(lost.challenge, lost.code, request_id)


async def test_without_a_request_id_nothing_is_kept(people: People, postgres: EmbeddedPostgres) -> None:
    """ "No request_id: no replay wanted." """
    owner = await people.with_authenticator()
    await sign_in_by_backup_code(people, owner)
    assert await rows(postgres.url, "replies", owner.account_id) == []


async def test_a_repeat_is_answered_before_the_password_is_looked_at(people: People) -> None:
    """ "The reply look-up comes first, before re-authentication": a repeat needs none, and a bad one is not judged."""
    owner = await people.with_authenticator()
    request_id = str(uuid4())
    shown = await people.regenerate(owner, request_id)
    for given in (
        types_pb2.Reauthentication(),
        types_pb2.Reauthentication(password="a wrong one"),
        types_pb2.Reauthentication(password=""),
        types_pb2.Reauthentication(authenticator_code="not a code"),
    ):
        request = two_factor_service_pb2.RegenerateBackupCodeRequest(
            session_token=owner.session_token, reauthentication=given, request_id=request_id
        )
        again = await people.stubs.two_factor.RegenerateBackupCode(request)
        assert (again.backup_code, again.replayed) == (shown.backup_code, True)


async def test_a_reply_of_a_session_needs_it_live(people: People, refused: Refusing) -> None:
    """Setup and regeneration: "the session must still be live", and the reply is its own, no other session's."""
    owner = await people.with_authenticator()
    request_id = str(uuid4())
    shown = await people.regenerate(owner, request_id)
    other = Person(owner.email, owner.account_id, session_token=(await sign_in_by_app(people, owner)).session_token)
    assert (await people.regenerate(owner, request_id)).backup_code == shown.backup_code
    assert (await people.regenerate(other, request_id)).backup_code.generation == 3
    with refused("REQUEST_ID_EXPIRED"):
        await people.regenerate(owner, request_id)
    people.clock.advance(timedelta(hours=1))
    with refused("SESSION_ENDED"):
        await people.regenerate(other, request_id)
