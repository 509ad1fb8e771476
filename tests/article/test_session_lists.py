"""The list of sessions, and ending them from another one: RevokeSession and RevokeOtherSessions."""

from datetime import timedelta
from uuid import uuid4

from tests.article.steps import STEP, from_network, sign_in_by_app, sign_in_by_backup_code, sign_in_by_mail
from tests.conftest import Refusing
from tests.people import People, Person
from tests.security.tables import audit, rows
from twofactor.v1 import sign_in_service_pb2
from twofactor_server.postgres import EmbeddedPostgres

HOUR = timedelta(hours=1)


async def three_sessions(people: People) -> tuple[Person, list[str]]:
    """An owner with an authenticator, and the tokens of three live sessions, the newest first."""
    owner = await people.with_authenticator()
    newer = [(await sign_in_by_app(people, owner)).session_token for _ in range(2)]
    return owner, [*reversed(newer), owner.session_token]


async def ids_of(people: People, tokens: list[str]) -> list[str]:
    """The ids of the sessions."""
    return [(await people.session(token)).session_id for token in tokens]


async def test_the_live_sessions_are_listed_the_newest_first(people: People) -> None:
    """ "Lists the account's live sessions, the newest first, this one included", as GetSession shows each of them, and
    says which of them asks. Somebody else's are not among them."""
    await three_sessions(people)
    _, tokens = await three_sessions(people)
    shown = [await people.session(token) for token in tokens]
    for token, session in zip(tokens, shown, strict=True):
        request = sign_in_service_pb2.ListSessionsRequest(session_token=token)
        answer = await people.stubs.sign_in.ListSessions(request)
        assert list(answer.sessions) == shown
        assert answer.current_session_id == session.session_id


async def test_what_is_over_is_not_listed(people: People, refused: Refusing) -> None:
    """Signed out, idle for an hour, or a day old: none of these is live. It fails when the list is not held to the rule
    that every other method obeys."""
    owner, tokens = await three_sessions(people)
    await people.sign_out(tokens[1])
    assert [one.session_id for one in await people.sessions(tokens[0])] == await ids_of(people, [tokens[0], tokens[2]])
    people.clock.advance(timedelta(minutes=59))
    await people.session(tokens[2])
    people.clock.advance(timedelta(minutes=1))
    assert [one.session_id for one in await people.sessions(tokens[2])] == await ids_of(people, [tokens[2]])
    with refused("SESSION_ENDED"):
        await people.sessions(tokens[0])
    for _ in range(26):
        people.clock.advance(timedelta(minutes=50))
        await people.session(tokens[2])
    newest = (await sign_in_by_app(people, owner)).session_token
    assert len(await people.sessions(newest)) == 2
    for _ in range(2):
        people.clock.advance(timedelta(minutes=50))
        await people.session(newest)
    assert await people.sessions(newest) == [await people.session(newest)]


async def test_looking_at_the_list_touches_no_idle_clock(people: People, refused: Refusing) -> None:
    """ "Changes nothing, not even the idle clock": neither of the others nor of the one that asks."""
    _, tokens = await three_sessions(people)
    before = await people.sessions(tokens[0])
    people.clock.advance(timedelta(minutes=40))
    assert await people.sessions(tokens[0]) == before
    people.clock.advance(timedelta(minutes=20))
    for token in tokens:
        with refused("SESSION_ENDED"):
            await people.sessions(token)


async def test_one_session_is_revoked_at_once(people: People, refused: Refusing) -> None:
    """ "Ends one session of the account at once, this one or another"; again, or unknown, is OK as well."""
    _, tokens = await three_sessions(people)
    ids = await ids_of(people, tokens)
    for session_id in (ids[1], ids[1], str(uuid4())):
        await people.revoke(tokens[0], session_id)
    with refused("SESSION_ENDED"):
        await people.session(tokens[1])
    assert [one.session_id for one in await people.sessions(tokens[0])] == [ids[0], ids[2]]
    await people.revoke(tokens[0], ids[0])
    with refused("SESSION_ENDED"):
        await people.revoke(tokens[0], ids[2])
    await people.session(tokens[2])


async def test_nobody_revokes_another_accounts_session(people: People) -> None:
    """It fails, with the stranger's session ended, when the account is left out of the look-up."""
    (_, tokens), (_, others) = await three_sessions(people), await three_sessions(people)
    await people.revoke(tokens[0], (await ids_of(people, others))[1])
    await people.revoke_others(tokens[0])
    assert len(await people.sessions(others[1])) == 3


async def test_all_but_this_one_and_all_of_them(people: People, refused: Refusing) -> None:
    """ "Ends every session of the account but this one, or all of them." """
    _, tokens = await three_sessions(people)
    for _ in range(2):
        await people.revoke_others(tokens[1])
    assert [one.session_id for one in await people.sessions(tokens[1])] == await ids_of(people, [tokens[1]])
    await people.revoke_others(tokens[1], including_this=True)
    for token in tokens:
        with refused("SESSION_ENDED"):
            await people.session(token)
    with refused("SESSION_ENDED"):
        await people.revoke_others(tokens[1])


async def test_the_kept_replies_of_a_revoked_session_are_erased(people: People, refused: Refusing) -> None:
    """As SignOut does: whoever holds the challenge of a revoked session is not shown its backup code again. The reply
    of a session that goes on stays. It fails when revoking leaves the replies alone."""
    for others in (False, True):
        owner = await people.with_authenticator()
        asking = (await sign_in_by_app(people, owner)).session_token
        challenge, request_id, code = await people.challenge_for(owner), str(uuid4()), owner.backup_code
        used = await people.use_backup_code(challenge, code, request_id)
        people.clock.advance(STEP)
        kept, kept_id, digits = await people.challenge_for(owner), str(uuid4()), owner.code_at(people.clock.now)
        here = await people.verify_authenticator_code(kept, digits, kept_id)
        if others:
            await people.revoke_others(here.session_token)
        else:
            await people.revoke(asking, used.session.session_id)
        with refused("REQUEST_ID_EXPIRED"):
            await people.use_backup_code(challenge, code, request_id)
        assert (await people.verify_authenticator_code(kept, digits, kept_id)).session_token == here.session_token


async def test_ending_sessions_is_audited_once(people: People, postgres: EmbeddedPostgres) -> None:
    """Who ended which session, and how many at once; what ended nothing leaves no event, and nothing is mailed."""
    owner = await people.signed_in()
    other = await sign_in_by_mail(people, owner, 2)
    await sign_in_by_mail(people, owner, 3)
    people.client = from_network(7)
    for _ in range(2):
        await people.revoke(owner.session_token, other.session.session_id)
        await people.revoke_others(owner.session_token)
    trail = await audit(postgres.url, owner.account_id)
    events = sorted((row for row in trail if row["action"].startswith("revoke")), key=lambda row: str(row["details"]))
    told = [(row["action"], row["outcome"], row["ip_address"], row["details"]) for row in events]
    assert told == [
        ("revoke_other_sessions", "success", "198.18.7.7", '{"ended": 1}'),
        ("revoke_session", "success", "198.18.7.7", "{}"),
    ]
    assert str(events[1]["session_id"]) == other.session.session_id
    assert {row["kind"] for row in await rows(postgres.url, "outbox", owner.account_id)} == {"sign-in-code"}


async def test_a_revoked_session_changes_nothing_more(people: People, refused: Refusing) -> None:
    """Whatever the stolen session was about to do, it does not."""
    owner = await people.with_authenticator()
    stolen = owner.session_token
    mine = (await sign_in_by_backup_code(people, owner)).session_token
    await people.revoke_others(mine)
    owner.session_token = stolen
    for call in (people.regenerate(owner), people.remove_authenticator(owner), people.start_setup(owner)):
        with refused("SESSION_ENDED"):
            await call
