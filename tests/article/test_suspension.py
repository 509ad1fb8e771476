"""Right first factor, wrong second: counted over a day, told to the owner, and suspended at the twentieth."""

from datetime import timedelta
from uuid import uuid4

import grpc
import pytest

from tests.article.steps import (
    STEP,
    from_network,
    sign_in_by_app,
    sign_in_by_backup_code,
    sign_in_by_mail,
    vouched_challenge,
    wrong_backup_codes,
    wrong_digits,
)
from tests.article.suspensions import FAILED, SUSPENDED
from tests.conftest import Refusing
from tests.people import People, Person
from tests.security.tables import audit, rows
from tests.servers import text_of
from twofactor.v1 import types_pb2
from twofactor_server.postgres import EmbeddedPostgres

DAY = timedelta(hours=24)


class Stranger:
    """Has the first factor of an account, not the second. Backup codes are what they guess fastest."""

    def __init__(self, people: People, owner: Person, refused: Refusing) -> None:
        self.people, self.owner, self.refused = people, owner, refused
        self.codes = wrong_backup_codes()
        self.challenge = ""
        self.left = 0

    async def fails(self, times: int) -> None:
        """That many backup codes are judged and wrong, five on a challenge."""
        for _ in range(times):
            if not self.left:
                self.challenge, self.left = await vouched_challenge(self.people, self.owner), 5
            with self.refused("CODE_MISMATCH"):
                await self.people.use_backup_code(self.challenge, next(self.codes))
            self.left -= 1

    async def is_barred(self) -> None:
        """The right first factor opens no challenge."""
        with self.refused("FIRST_FACTOR_SUSPENDED"):
            await vouched_challenge(self.people, self.owner)

    async def is_not_barred(self) -> None:
        """It does."""
        await vouched_challenge(self.people, self.owner)


async def stranger_of(people: People, refused: Refusing) -> Stranger:
    return Stranger(people, await people.with_authenticator(), refused)


async def kinds(people: People, owner: Person, url: str) -> tuple[int, int]:
    """How many mails of wrong codes, and of a suspension, were written."""
    written = [row["kind"] for row in await rows(url, "outbox", owner.account_id)]
    return written.count(FAILED), written.count(SUSPENDED)


async def test_twenty_over_three_methods_with_successes_between(
    people: People, refused: Refusing, postgres: EmbeddedPostgres
) -> None:
    """ "20 times in 24 h, successes between not resetting it": mailed, app and backup codes count together, on however
    many challenges, wrong and superseded ones alike. It fails at every step when a success clears the count, and with
    any one of the four counts taken out."""
    owner = await people.with_account()
    challenge = await people.challenge_for(owner)
    code = await people.mailbox.code(owner.email)
    for offset in range(1, 4):
        with refused("CODE_MISMATCH"):
            await people.verify_email_code(challenge, wrong_digits(code, offset))
    await people.send_email_code(challenge)
    with refused("CODE_SUPERSEDED"):
        await people.verify_email_code(challenge, code)
    owner.session_token = (await sign_in_by_mail(people, owner, 3)).session_token
    await people.set_up_authenticator(owner)
    for _ in range(2):
        challenge = await people.challenge_for(owner)
        for _ in range(4):
            with refused("CODE_MISMATCH"):
                await people.verify_authenticator_code(challenge, owner.wrong_code_at(people.clock.now))
        await sign_in_by_app(people, owner)
    stranger = Stranger(people, owner, refused)
    await stranger.fails(7)
    await sign_in_by_backup_code(people, owner)
    await stranger.is_not_barred()
    assert await kinds(people, owner, postgres.url) == (15, 0)
    await stranger.fails(1)
    await stranger.is_barred()
    assert await kinds(people, owner, postgres.url) == (15, 1)


async def test_a_failure_counts_for_a_day(people: People, refused: Refusing, postgres: EmbeddedPostgres) -> None:
    """The window slides: nineteen, and a day later nineteen more, suspend nothing; the twentieth within a day does."""
    stranger = await stranger_of(people, refused)
    await stranger.fails(10)
    people.clock.advance(DAY / 2)
    stranger.left = 0
    await stranger.fails(9)
    people.clock.advance(DAY / 2)
    stranger.left = 0
    await stranger.fails(10)
    await stranger.is_not_barred()
    assert await kinds(people, stranger.owner, postgres.url) == (25, 0)
    people.clock.advance(timedelta(minutes=1))
    await stranger.fails(1)
    await stranger.is_barred()


@pytest.mark.parametrize("after", [timedelta(0), timedelta(days=30)])
async def test_suspended_bars_every_first_factor_until_it_is_lifted(
    people: People, refused: Refusing, after: timedelta
) -> None:
    """ "New sign-ins with it are barred until the owner confirms": time lifts nothing. "Never answered to somebody
    whose first factor was wrong": a wrong password is told the same as ever."""
    stranger = await stranger_of(people, refused)
    await stranger.fails(20)
    people.clock.advance(after)
    owner = stranger.owner
    with refused("FIRST_FACTOR_SUSPENDED") as said:
        await people.challenge_for(owner)
    assert (said[0].code, said[0].metadata, said[0].retry_after) == (grpc.StatusCode.FAILED_PRECONDITION, {}, None)
    with refused("FIRST_FACTOR_SUSPENDED"):
        await vouched_challenge(people, owner)
    owner.password = "not the password"
    with refused("CREDENTIALS_MISMATCH"):
        await people.challenge_for(owner)


async def test_what_is_open_goes_on(people: People, refused: Refusing) -> None:
    """ "Open challenges go on": whoever waits for the second factor completes it, sessions live, and the account's page
    works. Nobody who lacks the second factor is let in by that."""
    stranger = await stranger_of(people, refused)
    owner = stranger.owner
    by_code, by_app = [await people.challenge_for(owner) for _ in range(2)]
    await stranger.fails(20)
    used = await people.use_backup_code(by_code, owner.backup_code)
    people.clock.advance(STEP)
    signed_in = await people.verify_authenticator_code(by_app, owner.code_at(people.clock.now))
    assert len(await people.sessions(signed_in.session_token)) == 3
    assert (await people.status(used.session_token)).method == types_pb2.SECOND_FACTOR_AUTHENTICATOR
    assert (await people.regenerate(owner)).backup_code.generation == 3
    with refused("FIRST_FACTOR_SUSPENDED"):
        await people.challenge_for(owner)


async def test_what_is_no_guess_is_not_counted(people: People, refused: Refusing, postgres: EmbeddedPostgres) -> None:
    """ "CODE_ALREADY_USED, a repeated code and a malformed one do not count", nor does what is not judged: a wait in
    force, a challenge spent or over, a wrong password, a code that is expired."""
    stranger = await stranger_of(people, refused)
    owner, old = stranger.owner, stranger.owner.backup_code
    await sign_in_by_backup_code(people, owner)
    challenge = await people.challenge_for(owner)
    for call in (
        people.use_backup_code(challenge, old),
        people.use_backup_code(challenge, old),
        people.verify_authenticator_code(challenge, owner.code_at(people.clock.now)),
    ):
        with refused("CODE_ALREADY_USED"):
            await call
    for _ in range(3):
        with refused("CODE_MISMATCH"):
            await people.use_backup_code(challenge, "abcd 1234 ef56 7890")
    for call in (people.use_backup_code(challenge, "abcd"), people.verify_authenticator_code(challenge, "12345")):
        with refused("INVALID_FIELD"):
            await call
    for _ in range(3):
        with refused("CODE_MISMATCH"):
            await people.verify_authenticator_code(challenge, owner.wrong_code_at(people.clock.now))
    for call in (
        people.use_backup_code(challenge, next(stranger.codes)),
        people.verify_authenticator_code(challenge, owner.wrong_code_at(people.clock.now)),
    ):
        with refused("CHALLENGE_EXHAUSTED"):
            await call
    with refused("REAUTHENTICATION_FAILED"):
        await people.regenerate(owner, password="not the password")
    mail = await people.with_account()
    challenge = await people.challenge_for(mail)
    code = await people.mailbox.code(mail.email)
    people.clock.advance(timedelta(minutes=5))
    with refused("CODE_EXPIRED"):
        await people.verify_email_code(challenge, code)
    counted = [await rows(postgres.url, "second_factor_failures", one.account_id) for one in (owner, mail)]
    assert [len(one) for one in counted] == [4, 0]


async def test_the_owner_is_told_from_the_fifth_on(people: People, refused: Refusing) -> None:
    """How many, when, from where; the code is not in it, and "signing in is suspended" is another mail, sent once."""
    stranger = await stranger_of(people, refused)
    owner = stranger.owner
    people.client = from_network(9)
    await stranger.fails(4)
    await sign_in_by_app(people, owner)
    assert people.mailbox.to(owner.email, FAILED) == []
    for number in range(5, 20):
        await stranger.fails(1)
        mail = await people.mailbox.newest(owner.email, FAILED, number - 4)
        text = " ".join(text_of(mail).split())
        assert f"{number} wrong codes within 24 hours" in text
        assert "198.18.9.7" in text
        assert "0000 0000" not in text
        assert f"{number:016d}" not in text
    late = [await vouched_challenge(people, owner) for _ in range(2)]
    await stranger.fails(1)
    suspended = await people.mailbox.newest(owner.email, SUSPENDED)
    assert "20 times within 24 hours" in " ".join(text_of(suspended).split())
    for challenge in late:
        with refused("CODE_MISMATCH"):
            await people.use_backup_code(challenge, next(stranger.codes))
    await people.use_backup_code(late[0], owner.backup_code)
    await people.mailbox.wait_for(owner.email, "backup-code-used")
    assert (len(people.mailbox.to(owner.email, FAILED)), len(people.mailbox.to(owner.email, SUSPENDED))) == (15, 1)


async def test_it_is_written_to_the_audit_trail(people: People, refused: Refusing, postgres: EmbeddedPostgres) -> None:
    """The suspension, once, and every sign-in that it barred."""
    stranger = await stranger_of(people, refused)
    await stranger.fails(20)
    with refused("FIRST_FACTOR_SUSPENDED"):
        await people.challenge_for(stranger.owner)
    trail = await audit(postgres.url, stranger.owner.account_id)
    events = [(row["action"], row["outcome"], row["factor"], row["details"]) for row in trail]
    for event in (
        ("suspend_first_factor", "success", None, '{"failures": 20}'),
        ("start_sign_in", "FIRST_FACTOR_SUSPENDED", "password", "{}"),
    ):
        assert events.count(event) == 1


async def test_a_repeated_wrong_call_counts_once(people: People, refused: Refusing, postgres: EmbeddedPostgres) -> None:
    """One code on one challenge is one failure, however often the call is repeated and however it is spelt; on another
    challenge it is another one. It fails when a code judged before is counted again."""
    stranger = await stranger_of(people, refused)
    for number in (1, 2):
        challenge = await people.challenge_for(stranger.owner)
        for typed in ("abcd 1234 ef56 7890", "ABCD-I234-EF56-789O"):
            for request_id in (str(uuid4()), ""):
                with refused("CODE_MISMATCH"):
                    await people.use_backup_code(challenge, typed, request_id)
        assert len(await rows(postgres.url, "second_factor_failures", stranger.owner.account_id)) == number
