"""Stored replies: a lost answer does not lose the new code, and a replay is not a second use."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner
from tests.support.mailbox import Mailbox
from tests.support.rpc import Rpc, refused
from tests.support.steps import STEP, sign_in_by_app, sign_in_by_backup_code
from tests.support.tables import rows
from twofactor.v1 import two_factor_service_pb2, types_pb2
from twofactor_server.postgres import EmbeddedPostgres

Used = two_factor_service_pb2.UseBackupCodeResponse


class LostAnswer:
    """A sign-in by backup code whose answer did not arrive."""

    def __init__(self, factory: AccountFactory, owner: Owner, challenge: str, lost: Used) -> None:
        self.factory, self.owner, self.challenge, self.lost = factory, owner, challenge, lost
        self.code, self.request_id = owner.backup_code, ""

    async def retry(self, code: str = "") -> Any:
        """Make the same logical call again."""
        return await self.factory.rpc.UseBackupCode(
            challenge_token=self.challenge, backup_code=code or self.code, request_id=self.request_id
        )


async def lost_answer(factory: AccountFactory) -> LostAnswer:
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    request_id = str(uuid4())
    used = await factory.rpc.UseBackupCode(
        challenge_token=challenge, backup_code=owner.backup_code, request_id=request_id
    )
    lost = LostAnswer(factory, owner, challenge, used)
    lost.request_id = request_id
    return lost


async def test_a_retry_returns_the_same_code(
    factory: AccountFactory, rpc: Rpc, clock: Clock, postgres: EmbeddedPostgres
) -> None:
    """ "The same call, repeated, returns the same replacement", however the code is spelt, from any client, and late.
    It is marked `replayed`, audited, and sends no notice."""
    lost = await lost_answer(factory)
    clock.advance(timedelta(hours=2))
    moved = types_pb2.ClientInfo(ip_address="203.0.113.77", user_agent="another")
    typed = lost.code.upper().replace(" ", "-")
    again = await rpc.UseBackupCode(
        challenge_token=lost.challenge, backup_code=typed, request_id=lost.request_id.upper(), client=moved
    )
    assert again.replayed
    assert not lost.lost.replayed
    again.replayed = False
    assert again == lost.lost
    notices = [row for row in await rows(postgres.url, "outbox", lost.owner.account_id) if "used" in row["kind"]]
    assert len(notices) == 1
    audit = await rows(postgres.url, "audit_events", lost.owner.account_id)
    assert [row["outcome"] for row in audit if row["action"] == "replay"] == ["success"]


async def test_every_method_that_shows_a_code_is_replayed(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, clock: Clock
) -> None:
    """ "The same mechanism serves every Verify* method" and, per session, setup and regeneration."""
    owner = await factory.account()
    challenge, request_id = await factory.challenge_for(owner), str(uuid4())
    code = await mailbox.code(owner.email)
    by_mail = [await rpc.VerifyEmailCode(challenge_token=challenge, code=code, request_id=request_id) for _ in range(2)]
    owner.session_token = by_mail[0].session_token
    started = await rpc.StartAuthenticatorSetup(**owner.by_password())
    owner.secret = started.secret.replace(" ", "")
    code = owner.code_at(clock.now)
    setup = [
        await rpc.ConfirmAuthenticatorSetup(
            session_token=owner.session_token, setup_id=started.setup_id, code=code, request_id=request_id
        )
        for _ in range(2)
    ]
    request_id = str(uuid4())
    regenerated = [await rpc.RegenerateBackupCode(**owner.by_password(), request_id=request_id)]
    regenerated.append(
        await rpc.RegenerateBackupCode(**owner.by_password(password="a wrong password"), request_id=request_id)
    )
    clock.advance(STEP)
    challenge = await factory.challenge_for(owner)
    code = owner.code_at(clock.now)
    by_app = [
        await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=code, request_id=request_id) for _ in range(2)
    ]
    for first, second in (by_mail, setup, regenerated, by_app):
        assert (first.replayed, second.replayed) == (False, True)
        second.replayed = False
        assert first == second


async def test_a_replay_returns_the_session_as_it_was(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, clock: Clock
) -> None:
    """ "As it was when opened", whatever has happened to the session since."""
    owner = await factory.account()
    challenge, request_id = await factory.challenge_for(owner), str(uuid4())
    code = await mailbox.code(owner.email)
    first = await rpc.VerifyEmailCode(challenge_token=challenge, code=code, request_id=request_id)
    owner.session_token = first.session_token
    clock.advance(timedelta(minutes=3))
    await rpc.GetSession(session_token=owner.session_token)
    await factory.set_up_authenticator(owner)
    assert (
        await rpc.VerifyEmailCode(challenge_token=challenge, code=code, request_id=request_id)
    ).session == first.session


async def test_confirming_saved_erases_the_reply(factory: AccountFactory, rpc: Rpc) -> None:
    """ "It lives until … the owner says *saved* from the session that the reply opened." """
    lost = await lost_answer(factory)
    await rpc.ConfirmBackupCodeSaved(session_token=lost.lost.session_token, generation=2)
    with refused("REQUEST_ID_EXPIRED"):
        await lost.retry()


async def test_confirming_saved_in_another_session_keeps_the_reply(factory: AccountFactory, rpc: Rpc) -> None:
    """It may be the only copy for the device that lost the answer. Fails if erasing does not check whose reply it
    is."""
    lost = await lost_answer(factory)
    elsewhere = (await sign_in_by_app(factory, lost.owner)).session_token
    await rpc.ConfirmBackupCodeSaved(session_token=elsewhere, generation=2)
    assert (await rpc.GetTwoFactor(session_token=elsewhere)).backup_code.HasField("save_time")
    assert (await lost.retry()).new_backup_code == lost.lost.new_backup_code


@pytest.mark.parametrize("how", ["used", "regenerated", "set up", "removed"])
async def test_a_superseded_generation_erases_the_reply(factory: AccountFactory, rpc: Rpc, how: str) -> None:
    """ "… the generation is superseded": the code in the reply no longer works."""
    lost = await lost_answer(factory)
    owner = lost.owner
    match how:
        case "used":
            owner.backup_code = lost.lost.new_backup_code.code
            await sign_in_by_backup_code(factory, owner)
        case "regenerated":
            await rpc.RegenerateBackupCode(**owner.by_password())
        case "set up":
            await factory.set_up_authenticator(owner)
        case "removed":
            await rpc.RemoveAuthenticator(**owner.by_password())
    with refused("REQUEST_ID_EXPIRED"):
        await lost.retry()


async def test_signing_out_erases_the_reply(factory: AccountFactory, rpc: Rpc) -> None:
    """ "… that session is signed out"; the end of another session does not matter."""
    lost = await lost_answer(factory)
    elsewhere = (await sign_in_by_app(factory, lost.owner)).session_token
    await rpc.SignOut(session_token=elsewhere)
    assert (await lost.retry()).replayed
    await rpc.SignOut(session_token=lost.lost.session_token)
    with refused("REQUEST_ID_EXPIRED"):
        await lost.retry()


async def test_an_idle_session_keeps_the_reply(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "Running idle does not erase: the replay then carries the code and a session that has ended." It is erased after
    24 hours."""
    lost = await lost_answer(factory)
    clock.advance(timedelta(hours=23, minutes=59))
    again = await lost.retry()
    assert again.new_backup_code == lost.lost.new_backup_code
    with refused("SESSION_ENDED"):
        await rpc.GetSession(session_token=again.session_token)
    clock.advance(timedelta(minutes=1))
    with refused("REQUEST_ID_EXPIRED"):
        await lost.retry()


async def test_other_content_with_the_same_request_id(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """The same request_id with another code or method is REQUEST_ID_REUSED, also after the reply is erased."""
    lost = await lost_answer(factory)
    clock.advance(STEP)
    for _ in range(2):
        with refused("REQUEST_ID_REUSED") as refusal:
            await lost.retry("abcd 1234 ef56 7890")
        assert refusal.value.fields == ("request_id",)
        with refused("REQUEST_ID_REUSED"):
            code = lost.owner.code_at(clock.now)
            await rpc.VerifyAuthenticatorCode(challenge_token=lost.challenge, code=code, request_id=lost.request_id)
        await rpc.ConfirmBackupCodeSaved(session_token=lost.lost.session_token, generation=2)


async def test_another_challenge_is_a_second_use(factory: AccountFactory, rpc: Rpc) -> None:
    """ "A different challenge with the same code, or the same challenge without the request_id, is a second use." """
    lost = await lost_answer(factory)
    with refused("CODE_ALREADY_USED"):
        await rpc.UseBackupCode(
            challenge_token=await factory.challenge_for(lost.owner), backup_code=lost.code, request_id=lost.request_id
        )
    for request_id in ("", str(uuid4())):
        with refused("CHALLENGE_CONSUMED"):
            await rpc.UseBackupCode(challenge_token=lost.challenge, backup_code=lost.code, request_id=request_id)


async def test_no_reply_without_a_request_id(factory: AccountFactory, postgres: EmbeddedPostgres) -> None:
    """ "No request_id: no replay wanted." """
    owner = await factory.account_with_authenticator()
    await sign_in_by_backup_code(factory, owner)
    assert await rows(postgres.url, "replies", owner.account_id) == []


async def test_a_retry_is_answered_before_reauthentication(factory: AccountFactory, rpc: Rpc) -> None:
    """ "The reply look-up comes first, before re-authentication": a retry needs none, and a wrong one is not
    verified."""
    owner = await factory.account_with_authenticator()
    request_id = str(uuid4())
    shown = await rpc.RegenerateBackupCode(**owner.by_password(), request_id=request_id)
    for given in (
        types_pb2.Reauthentication(),
        types_pb2.Reauthentication(password="a wrong one"),
        types_pb2.Reauthentication(password=""),
        types_pb2.Reauthentication(authenticator_code="not a code"),
    ):
        again = await rpc.RegenerateBackupCode(
            session_token=owner.session_token, reauthentication=given, request_id=request_id
        )
        assert (again.backup_code, again.replayed) == (shown.backup_code, True)


async def test_a_reply_of_a_session_requires_that_session(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """Setup and regeneration: "the session must still be live", and the reply belongs to that session only."""
    owner = await factory.account_with_authenticator()
    request_id = str(uuid4())
    shown = await rpc.RegenerateBackupCode(**owner.by_password(), request_id=request_id)
    other = Owner(owner.email, owner.account_id, session_token=(await sign_in_by_app(factory, owner)).session_token)
    assert (
        await rpc.RegenerateBackupCode(**owner.by_password(), request_id=request_id)
    ).backup_code == shown.backup_code
    assert (await rpc.RegenerateBackupCode(**other.by_password(), request_id=request_id)).backup_code.generation == 3
    with refused("REQUEST_ID_EXPIRED"):
        await rpc.RegenerateBackupCode(**owner.by_password(), request_id=request_id)
    clock.advance(timedelta(hours=1))
    with refused("SESSION_ENDED"):
        await rpc.RegenerateBackupCode(**other.by_password(), request_id=request_id)
