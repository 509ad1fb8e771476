"""ListSessions, RevokeSession and RevokeOtherSessions."""

from datetime import timedelta
from uuid import uuid4

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner
from tests.support.rpc import Rpc, refused
from tests.support.steps import STEP, from_network, sign_in_by_app, sign_in_by_backup_code, sign_in_by_email
from tests.support.tables import audit, rows
from twofactor_server.postgres import EmbeddedPostgres

HOUR = timedelta(hours=1)


async def three_sessions(factory: AccountFactory) -> tuple[Owner, list[str]]:
    """An account with an authenticator, and the tokens of three live sessions, newest first."""
    owner = await factory.account_with_authenticator()
    newer = [(await sign_in_by_app(factory, owner)).session_token for _ in range(2)]
    return owner, [*reversed(newer), owner.session_token]


async def ids_of(factory: AccountFactory, tokens: list[str]) -> list[str]:
    return [(await factory.rpc.GetSession(session_token=token)).session.session_id for token in tokens]


async def test_live_sessions_are_listed_newest_first(factory: AccountFactory, rpc: Rpc) -> None:
    """ "Lists the account's live sessions, the newest first, this one included", as GetSession returns them, and marks
    the current one. Sessions of other accounts are not included."""
    await three_sessions(factory)
    _, tokens = await three_sessions(factory)
    shown = [(await rpc.GetSession(session_token=token)).session for token in tokens]
    for token, session in zip(tokens, shown, strict=True):
        answer = await rpc.ListSessions(session_token=token)
        assert list(answer.sessions) == shown
        assert answer.current_session_id == session.session_id


async def test_ended_sessions_are_not_listed(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """Signed out, idle for an hour, or a day old. Fails if the list does not use the same rule as other methods."""
    owner, tokens = await three_sessions(factory)
    await rpc.SignOut(session_token=tokens[1])
    assert [one.session_id for one in (await rpc.ListSessions(session_token=tokens[0])).sessions] == await ids_of(
        factory, [tokens[0], tokens[2]]
    )
    clock.advance(timedelta(minutes=59))
    await rpc.GetSession(session_token=tokens[2])
    clock.advance(timedelta(minutes=1))
    assert [one.session_id for one in (await rpc.ListSessions(session_token=tokens[2])).sessions] == await ids_of(
        factory, [tokens[2]]
    )
    with refused("SESSION_ENDED"):
        await rpc.ListSessions(session_token=tokens[0])
    for _ in range(26):
        clock.advance(timedelta(minutes=50))
        await rpc.GetSession(session_token=tokens[2])
    newest = (await sign_in_by_app(factory, owner)).session_token
    assert len((await rpc.ListSessions(session_token=newest)).sessions) == 2
    for _ in range(2):
        clock.advance(timedelta(minutes=50))
        await rpc.GetSession(session_token=newest)
    assert (await rpc.ListSessions(session_token=newest)).sessions == [
        (await rpc.GetSession(session_token=newest)).session
    ]


async def test_listing_does_not_extend_sessions(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "Changes nothing, not even the idle clock", of any session."""
    _, tokens = await three_sessions(factory)
    before = (await rpc.ListSessions(session_token=tokens[0])).sessions
    clock.advance(timedelta(minutes=40))
    assert (await rpc.ListSessions(session_token=tokens[0])).sessions == before
    clock.advance(timedelta(minutes=20))
    for token in tokens:
        with refused("SESSION_ENDED"):
            await rpc.ListSessions(session_token=token)


async def test_revoking_one_session(factory: AccountFactory, rpc: Rpc) -> None:
    """ "Ends one session of the account at once, this one or another". Revoking again, or an unknown session,
    succeeds."""
    _, tokens = await three_sessions(factory)
    ids = await ids_of(factory, tokens)
    for session_id in (ids[1], ids[1], str(uuid4())):
        await rpc.RevokeSession(session_token=tokens[0], session_id=session_id)
    with refused("SESSION_ENDED"):
        await rpc.GetSession(session_token=tokens[1])
    assert [one.session_id for one in (await rpc.ListSessions(session_token=tokens[0])).sessions] == [ids[0], ids[2]]
    await rpc.RevokeSession(session_token=tokens[0], session_id=ids[0])
    with refused("SESSION_ENDED"):
        await rpc.RevokeSession(session_token=tokens[0], session_id=ids[2])
    await rpc.GetSession(session_token=tokens[2])


async def test_another_accounts_session_cannot_be_revoked(factory: AccountFactory, rpc: Rpc) -> None:
    """Fails if the look-up ignores the account."""
    (_, tokens), (_, others) = await three_sessions(factory), await three_sessions(factory)
    await rpc.RevokeSession(session_token=tokens[0], session_id=(await ids_of(factory, others))[1])
    await rpc.RevokeOtherSessions(session_token=tokens[0])
    assert len((await rpc.ListSessions(session_token=others[1])).sessions) == 3


async def test_revoking_all_other_sessions_or_all(factory: AccountFactory, rpc: Rpc) -> None:
    """ "Ends every session of the account but this one, or all of them." """
    _, tokens = await three_sessions(factory)
    for _ in range(2):
        await rpc.RevokeOtherSessions(session_token=tokens[1])
    assert [one.session_id for one in (await rpc.ListSessions(session_token=tokens[1])).sessions] == await ids_of(
        factory, [tokens[1]]
    )
    await rpc.RevokeOtherSessions(session_token=tokens[1], including_this=True)
    for token in tokens:
        with refused("SESSION_ENDED"):
            await rpc.GetSession(session_token=token)
    with refused("SESSION_ENDED"):
        await rpc.RevokeOtherSessions(session_token=tokens[1])


async def test_revoking_erases_the_replies_of_the_session(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """The holder of a revoked session's challenge does not get its backup code again. Replies of live sessions stay.
    Fails if revoking keeps the replies."""
    for others in (False, True):
        owner = await factory.account_with_authenticator()
        asking = (await sign_in_by_app(factory, owner)).session_token
        challenge, request_id, code = await factory.challenge_for(owner), str(uuid4()), owner.backup_code
        used = await rpc.UseBackupCode(challenge_token=challenge, backup_code=code, request_id=request_id)
        clock.advance(STEP)
        kept, kept_id, digits = await factory.challenge_for(owner), str(uuid4()), owner.code_at(clock.now)
        here = await rpc.VerifyAuthenticatorCode(challenge_token=kept, code=digits, request_id=kept_id)
        if others:
            await rpc.RevokeOtherSessions(session_token=here.session_token)
        else:
            await rpc.RevokeSession(session_token=asking, session_id=used.session.session_id)
        with refused("REQUEST_ID_EXPIRED"):
            await rpc.UseBackupCode(challenge_token=challenge, backup_code=code, request_id=request_id)
        assert (
            await rpc.VerifyAuthenticatorCode(challenge_token=kept, code=digits, request_id=kept_id)
        ).session_token == here.session_token


async def test_revoking_writes_one_event(factory: AccountFactory, rpc: Rpc, postgres: EmbeddedPostgres) -> None:
    """The event has the session, or the number of sessions. Revoking nothing writes no event, and no notice is sent."""
    owner = await factory.signed_in_account()
    other = await sign_in_by_email(factory, owner, 2)
    await sign_in_by_email(factory, owner, 3)
    rpc = Rpc(rpc.channel, from_network(7))
    for _ in range(2):
        await rpc.RevokeSession(session_token=owner.session_token, session_id=other.session.session_id)
        await rpc.RevokeOtherSessions(session_token=owner.session_token)
    trail = await audit(postgres.url, owner.account_id)
    events = sorted((row for row in trail if row["action"].startswith("revoke")), key=lambda row: str(row["details"]))
    written = [(row["action"], row["outcome"], row["ip_address"], row["details"]) for row in events]
    assert written == [
        ("revoke_other_sessions", "success", "198.18.7.7", '{"ended": 1}'),
        ("revoke_session", "success", "198.18.7.7", "{}"),
    ]
    assert str(events[1]["session_id"]) == other.session.session_id
    assert {row["kind"] for row in await rows(postgres.url, "outbox", owner.account_id)} == {"sign-in-code"}


async def test_a_revoked_session_is_refused(factory: AccountFactory, rpc: Rpc) -> None:
    """Whatever the stolen session was about to do, it does not."""
    owner = await factory.account_with_authenticator()
    stolen = owner.session_token
    mine = (await sign_in_by_backup_code(factory, owner)).session_token
    await rpc.RevokeOtherSessions(session_token=mine)
    owner.session_token = stolen
    for call in (
        rpc.RegenerateBackupCode(**owner.by_password()),
        rpc.RemoveAuthenticator(**owner.by_password()),
        rpc.StartAuthenticatorSetup(**owner.by_password()),
    ):
        with refused("SESSION_ENDED"):
            await call
