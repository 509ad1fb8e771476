"""Limits: the waits after wrong codes, and the authenticator that is disabled in the end."""

from datetime import timedelta

import pytest

from tests.article.steps import (
    STEP,
    from_network,
    sign_in_by_app,
    sign_in_by_backup_code,
    vouched_challenge,
    wrong_digits,
)
from tests.article.suspensions import lift
from tests.conftest import Refusing
from tests.people import People, Person
from twofactor.v1 import types_pb2
from twofactor_server.domain.suspension import SUSPENDED_AT

WAITS = (30, 60, 120, 240, 480, 960, 1920, 3600, 3600)


class Guesser:
    """Whoever has the first factor of an account and guesses the second. Whenever that has suspended the first factor,
    the owner lifts it."""

    def __init__(self, people: People, owner: Person, refused: Refusing) -> None:
        self.people, self.owner, self.refused = people, owner, refused
        self.sign_ins = self.failures = 0
        self.token = ""
        self.left = 0
        self.ends = people.clock.now

    async def challenge(self) -> str:
        """A challenge that is open: another one only when needed, and from another network, to spare mail budgets."""
        if not self.left or self.people.clock.now >= self.ends:
            self.sign_ins += 1
            self.token = await vouched_challenge(self.people, self.owner, from_network(self.sign_ins))
            self.left, self.ends = 5, self.people.clock.now + timedelta(minutes=10)
        return self.token

    async def fails(self, times: int) -> None:
        """That many wrong codes are judged."""
        for _ in range(times):
            with self.refused("CODE_MISMATCH"):
                await self.guess(await self.challenge())
            self.left -= 1
            self.failures += 1
            if self.failures % SUSPENDED_AT == 0:
                await lift(self.people, self.owner, self.failures // SUSPENDED_AT)
                self.left = 0

    async def must_wait(self) -> float:
        """The next code is not judged; the seconds that are left to wait."""
        with self.refused("ATTEMPTS_THROTTLED") as said:
            await self.guess(await self.challenge())
        assert said[0].retry_after is not None
        return said[0].retry_after

    async def guess(self, challenge: str) -> None:
        """One wrong code."""
        await self.people.verify_authenticator_code(challenge, self.owner.wrong_code_at(self.people.clock.now))


class MailGuesser(Guesser):
    """The same for an account on e-mail codes."""

    async def guess(self, challenge: str) -> None:
        code = await self.people.mailbox.code(self.owner.email, self.sign_ins)
        await self.people.verify_email_code(challenge, wrong_digits(code))


async def guesser_of(kind: type[Guesser], people: People, refused: Refusing) -> Guesser:
    owner = await (people.with_account() if kind is MailGuesser else people.with_authenticator())
    return kind(people, owner, refused)


@pytest.mark.parametrize("kind", [Guesser, MailGuesser])
async def test_waits_double_from_half_a_minute_to_an_hour(
    people: People, refused: Refusing, kind: type[Guesser]
) -> None:
    """ "Failures 1-4 bring no wait, the 5th brings 30 s, each further one doubles it up to 1 h; when a wait ends one
    attempt is admitted." RetryInfo is what is left of the wait."""
    guesser = await guesser_of(kind, people, refused)
    await guesser.fails(5)
    for number, wait in enumerate(WAITS):
        if number:
            await guesser.fails(1)
        assert await guesser.must_wait() == pytest.approx(wait, abs=0.01)
        (shown,) = (await people.challenge(guesser.token)).waits
        assert shown.until_time.ToSeconds() == pytest.approx(people.clock.now.timestamp() + wait, abs=1)
        people.clock.advance(timedelta(seconds=wait - 1))
        assert await guesser.must_wait() == pytest.approx(1, abs=0.01)
        people.clock.advance(timedelta(seconds=1))


async def test_a_throttled_attempt_is_not_counted(people: People, refused: Refusing) -> None:
    """While a wait is in force nothing is judged and nothing charged: the right code comes through when it ends."""
    guesser = await guesser_of(Guesser, people, refused)
    await guesser.fails(5)
    challenge = await guesser.challenge()
    for _ in range(7):
        with refused("ATTEMPTS_THROTTLED"):
            await guesser.guess(challenge)
    with refused("ATTEMPTS_THROTTLED"):
        await people.verify_authenticator_code(challenge, guesser.owner.code_at(people.clock.now, 1))
    shown = await people.challenge(challenge)
    assert shown.attempts_left == 5
    assert [wait.method for wait in shown.waits] == [types_pb2.PROOF_METHOD_AUTHENTICATOR]
    assert shown.waits == (await people.status(guesser.owner.session_token)).waits
    people.clock.advance(STEP)
    await people.verify_authenticator_code(challenge, guesser.owner.code_at(people.clock.now))


async def test_success_clears_the_counter(people: People, refused: Refusing) -> None:
    """ "A success of a method clears that method's counter and wait": four failures, a success, four more: no wait."""
    guesser = await guesser_of(Guesser, people, refused)
    for _ in range(3):
        await guesser.fails(4)
        await sign_in_by_app(people, guesser.owner)
    await guesser.fails(5)
    assert await guesser.must_wait() == pytest.approx(30, abs=0.01)


async def test_success_of_another_method_clears_nothing(people: People, refused: Refusing) -> None:
    """ "… only those": a backup code does not forgive wrong codes of the app, nor the app those of the mail."""
    guesser = await guesser_of(Guesser, people, refused)
    owner = guesser.owner
    await guesser.fails(4)
    await sign_in_by_backup_code(people, owner)
    await guesser.fails(1)
    assert await guesser.must_wait() == pytest.approx(30, abs=0.01)

    mail = await guesser_of(MailGuesser, people, refused)
    mail.owner = await people.signed_in()
    mail.sign_ins = 1
    await mail.fails(4)
    await people.set_up_authenticator(mail.owner)
    await sign_in_by_app(people, mail.owner)
    await people.remove_authenticator(mail.owner)
    await mail.fails(1)
    assert await mail.must_wait() == pytest.approx(30, abs=0.01)


async def test_twelve_wrong_app_codes_do_not_block_the_backup_code(people: People, refused: Refusing) -> None:
    """Counters are per method: a wait of the authenticator is none of the backup code's."""
    guesser = await guesser_of(Guesser, people, refused)
    await guesser.fails(5)
    for wait in WAITS[:7]:
        people.clock.advance(timedelta(seconds=wait))
        await guesser.fails(1)
    assert await guesser.must_wait() == pytest.approx(3600, abs=0.01)
    await sign_in_by_backup_code(people, guesser.owner)


async def test_a_hundred_failures_disable_the_authenticator(people: People, refused: Refusing) -> None:
    """ "100 consecutive failures disable it until it is re-bound": no wait lifts that, the backup code works
    throughout, and a new setup after it re-enables (NIST SP 800-63B section 3.2.2)."""
    guesser = await guesser_of(Guesser, people, refused)
    owner = guesser.owner
    await guesser.fails(5)
    for _ in range(95):
        people.clock.advance(timedelta(hours=1))
        await guesser.fails(1)
    for pause in (timedelta(0), timedelta(days=366)):
        people.clock.advance(pause)
        challenge = await vouched_challenge(people, owner)
        with refused("AUTHENTICATOR_DISABLED"):
            await people.verify_authenticator_code(challenge, owner.code_at(people.clock.now))
        shown = await people.challenge(challenge)
        assert shown.authenticator_disabled
        assert shown.backup_code_accepted
    signed_in = await sign_in_by_backup_code(people, owner)
    owner.session_token = signed_in.session_token
    assert (await people.status(owner.session_token)).authenticator.disabled
    with refused("AUTHENTICATOR_DISABLED"):
        await sign_in_by_app(people, owner)
    await people.set_up_authenticator(owner)
    assert not (await people.status(owner.session_token)).authenticator.disabled
    await sign_in_by_app(people, owner)


async def test_ninety_nine_failures_and_a_success_disable_nothing(people: People, refused: Refusing) -> None:
    """Only *consecutive* failures count: a success in between starts anew."""
    guesser = await guesser_of(Guesser, people, refused)
    await guesser.fails(5)
    for _ in range(6):
        people.clock.advance(timedelta(hours=1))
        await guesser.fails(1)
    people.clock.advance(timedelta(hours=1))
    await sign_in_by_app(people, guesser.owner)
    assert not (await people.status((await sign_in_by_app(people, guesser.owner)).session_token)).waits
