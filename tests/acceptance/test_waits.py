"""Waits after wrong second-factor codes, and disabling of the authenticator."""

from datetime import timedelta

import pytest

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner
from tests.support.rpc import Rpc, refused
from tests.support.steps import (
    STEP,
    from_network,
    lift_suspension,
    sign_in_by_app,
    sign_in_by_backup_code,
    wrong_digits,
)
from twofactor.v1 import types_pb2
from twofactor_server.domain.limits import SECOND_FACTOR_FAILURES

WAITS = (30, 60, 120, 240, 480, 960, 1920, 3600, 3600)


class Guesser:
    """Has the first factor of an account and guesses the second. Each suspension is lifted at once."""

    def __init__(self, factory: AccountFactory, owner: Owner) -> None:
        self.factory, self.owner = factory, owner
        self.sign_ins = self.failures = 0
        self.token = ""
        self.left = 0
        self.ends = factory.clock.now

    async def challenge(self) -> str:
        """An open challenge; a new one is started only if necessary, and from another network, to stay within e-mail
        budgets."""
        if not self.left or self.factory.clock.now >= self.ends:
            self.sign_ins += 1
            self.token = await self.factory.asserted_challenge_for(self.owner, client=from_network(self.sign_ins))
            self.left, self.ends = 5, self.factory.clock.now + timedelta(minutes=10)
        return self.token

    async def fail(self, times: int) -> None:
        """Try this many wrong codes; each is verified."""
        for _ in range(times):
            with refused("CODE_MISMATCH"):
                await self.guess(await self.challenge())
            self.left -= 1
            self.failures += 1
            if self.failures % SECOND_FACTOR_FAILURES.count == 0:
                await lift_suspension(self.factory, self.owner, self.failures // SECOND_FACTOR_FAILURES.count)
                self.left = 0

    async def assert_throttled(self) -> float:
        """The next code is throttled; returns the retry delay in seconds."""
        with refused("ATTEMPTS_THROTTLED") as refusal:
            await self.guess(await self.challenge())
        assert refusal.value.retry_after is not None
        return refusal.value.retry_after

    async def guess(self, challenge: str) -> None:
        """One wrong code."""
        await self.factory.rpc.VerifyAuthenticatorCode(
            challenge_token=challenge, code=self.owner.wrong_code_at(self.factory.clock.now)
        )


class EmailGuesser(Guesser):
    """The same for an account on e-mail codes."""

    async def guess(self, challenge: str) -> None:
        code = await self.factory.mailbox.code(self.owner.email, self.sign_ins)
        await self.factory.rpc.VerifyEmailCode(challenge_token=challenge, code=wrong_digits(code))


async def guesser_of(kind: type[Guesser], factory: AccountFactory) -> Guesser:
    owner = await (factory.account() if kind is EmailGuesser else factory.account_with_authenticator())
    return kind(factory, owner)


@pytest.mark.parametrize("kind", [Guesser, EmailGuesser])
async def test_waits_double_from_30_seconds_to_an_hour(
    factory: AccountFactory, rpc: Rpc, clock: Clock, kind: type[Guesser]
) -> None:
    """ "Failures 1-4 bring no wait, the 5th brings 30 s, each further one doubles it up to 1 h; when a wait ends one
    attempt is admitted." RetryInfo is the rest of the wait."""
    guesser = await guesser_of(kind, factory)
    await guesser.fail(5)
    for number, wait in enumerate(WAITS):
        if number:
            await guesser.fail(1)
        assert await guesser.assert_throttled() == pytest.approx(wait, abs=0.01)
        (shown,) = (await rpc.GetChallenge(challenge_token=guesser.token)).challenge.waits
        assert shown.until_time.ToSeconds() == pytest.approx(clock.now.timestamp() + wait, abs=1)
        clock.advance(timedelta(seconds=wait - 1))
        assert await guesser.assert_throttled() == pytest.approx(1, abs=0.01)
        clock.advance(timedelta(seconds=1))


async def test_a_throttled_attempt_is_not_counted(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """During a wait nothing is verified and nothing charged; the correct code is accepted when it ends."""
    guesser = await guesser_of(Guesser, factory)
    await guesser.fail(5)
    challenge = await guesser.challenge()
    for _ in range(7):
        with refused("ATTEMPTS_THROTTLED"):
            await guesser.guess(challenge)
    with refused("ATTEMPTS_THROTTLED"):
        await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=guesser.owner.code_at(clock.now, 1))
    shown = (await rpc.GetChallenge(challenge_token=challenge)).challenge
    assert shown.attempts_left == 5
    assert [wait.method for wait in shown.waits] == [types_pb2.PROOF_METHOD_AUTHENTICATOR]
    assert shown.waits == (await rpc.GetTwoFactor(session_token=guesser.owner.session_token)).waits
    clock.advance(STEP)
    await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=guesser.owner.code_at(clock.now))


async def test_a_success_resets_the_counter(factory: AccountFactory) -> None:
    """ "A success of a method clears that method's counter and wait": four failures, a success and four more cause no
    wait."""
    guesser = await guesser_of(Guesser, factory)
    for _ in range(3):
        await guesser.fail(4)
        await sign_in_by_app(factory, guesser.owner)
    await guesser.fail(5)
    assert await guesser.assert_throttled() == pytest.approx(30, abs=0.01)


async def test_a_success_of_another_method_does_not_reset_it(factory: AccountFactory, rpc: Rpc) -> None:
    """ "… only those": a backup code does not reset the app's counter, nor the app that of e-mail codes."""
    guesser = await guesser_of(Guesser, factory)
    owner = guesser.owner
    await guesser.fail(4)
    await sign_in_by_backup_code(factory, owner)
    await guesser.fail(1)
    assert await guesser.assert_throttled() == pytest.approx(30, abs=0.01)

    mail = await guesser_of(EmailGuesser, factory)
    mail.owner = await factory.signed_in_account()
    mail.sign_ins = 1
    await mail.fail(4)
    await factory.set_up_authenticator(mail.owner)
    await sign_in_by_app(factory, mail.owner)
    await rpc.RemoveAuthenticator(**mail.owner.by_password())
    await mail.fail(1)
    assert await mail.assert_throttled() == pytest.approx(30, abs=0.01)


async def test_counters_are_per_method(factory: AccountFactory, clock: Clock) -> None:
    """A wait of the authenticator does not affect the backup code."""
    guesser = await guesser_of(Guesser, factory)
    await guesser.fail(5)
    for wait in WAITS[:7]:
        clock.advance(timedelta(seconds=wait))
        await guesser.fail(1)
    assert await guesser.assert_throttled() == pytest.approx(3600, abs=0.01)
    await sign_in_by_backup_code(factory, guesser.owner)


async def test_a_hundred_failures_disable_the_authenticator(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "100 consecutive failures disable it until it is re-bound": no wait lifts that, the backup code still works, and
    a new setup re-enables (NIST SP 800-63B section 3.2.2)."""
    guesser = await guesser_of(Guesser, factory)
    owner = guesser.owner
    await guesser.fail(5)
    for _ in range(95):
        clock.advance(timedelta(hours=1))
        await guesser.fail(1)
    for pause in (timedelta(0), timedelta(days=366)):
        clock.advance(pause)
        challenge = await factory.asserted_challenge_for(owner)
        with refused("AUTHENTICATOR_DISABLED"):
            await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.code_at(clock.now))
        shown = (await rpc.GetChallenge(challenge_token=challenge)).challenge
        assert shown.authenticator_disabled
        assert shown.backup_code_accepted
    signed_in = await sign_in_by_backup_code(factory, owner)
    owner.session_token = signed_in.session_token
    assert (await rpc.GetTwoFactor(session_token=owner.session_token)).authenticator.disabled
    with refused("AUTHENTICATOR_DISABLED"):
        await sign_in_by_app(factory, owner)
    await factory.set_up_authenticator(owner)
    assert not (await rpc.GetTwoFactor(session_token=owner.session_token)).authenticator.disabled
    await sign_in_by_app(factory, owner)


async def test_only_consecutive_failures_disable(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """Only *consecutive* failures count: a success resets the count."""
    guesser = await guesser_of(Guesser, factory)
    await guesser.fail(5)
    for _ in range(6):
        clock.advance(timedelta(hours=1))
        await guesser.fail(1)
    clock.advance(timedelta(hours=1))
    await sign_in_by_app(factory, guesser.owner)
    assert not (
        await rpc.GetTwoFactor(session_token=(await sign_in_by_app(factory, guesser.owner)).session_token)
    ).waits
