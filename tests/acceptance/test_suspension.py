"""Suspension of the first factor after repeated second-factor failures within a day."""

from datetime import timedelta
from uuid import uuid4

import grpc
import pytest

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner
from tests.support.mailbox import Mailbox, text_of
from tests.support.rpc import Rpc, refused
from tests.support.steps import (
    FAILED,
    STEP,
    SUSPENDED,
    from_network,
    sign_in_by_app,
    sign_in_by_backup_code,
    sign_in_by_email,
    wrong_backup_codes,
    wrong_digits,
)
from tests.support.tables import audit, rows
from twofactor.v1 import types_pb2
from twofactor_server.postgres import EmbeddedPostgres

DAY = timedelta(hours=24)


class Attacker:
    """Has the first factor of an account, not the second, and guesses backup codes, the fastest way to fail."""

    def __init__(self, factory: AccountFactory, owner: Owner) -> None:
        self.factory, self.owner = factory, owner
        self.codes = wrong_backup_codes()
        self.challenge = ""
        self.left = 0

    async def fail(self, times: int) -> None:
        """Try this many wrong backup codes, five per challenge."""
        for _ in range(times):
            if not self.left:
                self.challenge, self.left = await self.factory.asserted_challenge_for(self.owner), 5
            with refused("CODE_MISMATCH"):
                await self.factory.rpc.UseBackupCode(challenge_token=self.challenge, backup_code=next(self.codes))
            self.left -= 1

    async def assert_suspended(self) -> None:
        """The correct first factor opens no challenge."""
        with refused("FIRST_FACTOR_SUSPENDED"):
            await self.factory.asserted_challenge_for(self.owner)

    async def assert_not_suspended(self) -> None:
        """The correct first factor opens a challenge."""
        await self.factory.asserted_challenge_for(self.owner)


async def attacker_of(factory: AccountFactory) -> Attacker:
    return Attacker(factory, await factory.account_with_authenticator())


async def notice_counts(owner: Owner, url: str) -> tuple[int, int]:
    """The numbers of failure notices and of suspension notices that were written."""
    written = [row["kind"] for row in await rows(url, "outbox", owner.account_id)]
    return written.count(FAILED), written.count(SUSPENDED)


async def test_twenty_failures_of_all_methods_suspend(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, clock: Clock, postgres: EmbeddedPostgres
) -> None:
    """ "20 times in 24 h, successes between not resetting it": e-mail, app and backup codes count together, over all
    challenges, wrong and superseded ones. Fails at every step if a success clears the count, and without any of the
    four counts."""
    owner = await factory.account()
    challenge = await factory.challenge_for(owner)
    code = await mailbox.code(owner.email)
    for offset in range(1, 4):
        with refused("CODE_MISMATCH"):
            await rpc.VerifyEmailCode(challenge_token=challenge, code=wrong_digits(code, offset))
    await rpc.SendEmailCode(challenge_token=challenge)
    with refused("CODE_SUPERSEDED"):
        await rpc.VerifyEmailCode(challenge_token=challenge, code=code)
    owner.session_token = (await sign_in_by_email(factory, owner, 3)).session_token
    await factory.set_up_authenticator(owner)
    for _ in range(2):
        challenge = await factory.challenge_for(owner)
        for _ in range(4):
            with refused("CODE_MISMATCH"):
                await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.wrong_code_at(clock.now))
        await sign_in_by_app(factory, owner)
    attacker = Attacker(factory, owner)
    await attacker.fail(7)
    await sign_in_by_backup_code(factory, owner)
    await attacker.assert_not_suspended()
    assert await notice_counts(owner, postgres.url) == (15, 0)
    await attacker.fail(1)
    await attacker.assert_suspended()
    assert await notice_counts(owner, postgres.url) == (15, 1)


async def test_failures_count_for_a_day(factory: AccountFactory, clock: Clock, postgres: EmbeddedPostgres) -> None:
    """The window slides: nineteen failures, and nineteen more a day later, do not suspend; the twentieth within a day
    does."""
    attacker = await attacker_of(factory)
    await attacker.fail(10)
    clock.advance(DAY / 2)
    attacker.left = 0
    await attacker.fail(9)
    clock.advance(DAY / 2)
    attacker.left = 0
    await attacker.fail(10)
    await attacker.assert_not_suspended()
    assert await notice_counts(attacker.owner, postgres.url) == (25, 0)
    clock.advance(timedelta(minutes=1))
    await attacker.fail(1)
    await attacker.assert_suspended()


@pytest.mark.parametrize("after", [timedelta(0), timedelta(days=30)])
async def test_a_suspension_lasts_until_it_is_lifted(factory: AccountFactory, clock: Clock, after: timedelta) -> None:
    """ "New sign-ins with it are barred until the owner confirms": time does not lift it. A wrong password is answered
    as usual, so that a suspension is not revealed."""
    attacker = await attacker_of(factory)
    await attacker.fail(20)
    clock.advance(after)
    owner = attacker.owner
    with refused("FIRST_FACTOR_SUSPENDED") as refusal:
        await factory.challenge_for(owner)
    assert (refusal.value.code, refusal.value.metadata, refusal.value.retry_after) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        {},
        None,
    )
    with refused("FIRST_FACTOR_SUSPENDED"):
        await factory.asserted_challenge_for(owner)
    owner.password = "not the password"
    with refused("CREDENTIALS_MISMATCH"):
        await factory.challenge_for(owner)


async def test_open_challenges_and_sessions_continue(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "Open challenges go on": they can be completed with the second factor, and sessions stay live."""
    attacker = await attacker_of(factory)
    owner = attacker.owner
    by_code, by_app = [await factory.challenge_for(owner) for _ in range(2)]
    await attacker.fail(20)
    used = await rpc.UseBackupCode(challenge_token=by_code, backup_code=owner.backup_code)
    clock.advance(STEP)
    signed_in = await rpc.VerifyAuthenticatorCode(challenge_token=by_app, code=owner.code_at(clock.now))
    assert len((await rpc.ListSessions(session_token=signed_in.session_token)).sessions) == 3
    assert (await rpc.GetTwoFactor(session_token=used.session_token)).method == types_pb2.SECOND_FACTOR_AUTHENTICATOR
    assert (await rpc.RegenerateBackupCode(**owner.by_password())).backup_code.generation == 3
    with refused("FIRST_FACTOR_SUSPENDED"):
        await factory.challenge_for(owner)


async def test_what_does_not_count_as_a_failure(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, clock: Clock, postgres: EmbeddedPostgres
) -> None:
    """ "CODE_ALREADY_USED, a repeated code and a malformed one do not count", nor do throttled attempts, exhausted or
    expired challenges, wrong passwords and expired codes."""
    attacker = await attacker_of(factory)
    owner, old = attacker.owner, attacker.owner.backup_code
    await sign_in_by_backup_code(factory, owner)
    challenge = await factory.challenge_for(owner)
    for call in (
        rpc.UseBackupCode(challenge_token=challenge, backup_code=old),
        rpc.UseBackupCode(challenge_token=challenge, backup_code=old),
        rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.code_at(clock.now)),
    ):
        with refused("CODE_ALREADY_USED"):
            await call
    for _ in range(3):
        with refused("CODE_MISMATCH"):
            await rpc.UseBackupCode(challenge_token=challenge, backup_code="abcd 1234 ef56 7890")
    for call in (
        rpc.UseBackupCode(challenge_token=challenge, backup_code="abcd"),
        rpc.VerifyAuthenticatorCode(challenge_token=challenge, code="12345"),
    ):
        with refused("INVALID_FIELD"):
            await call
    for _ in range(3):
        with refused("CODE_MISMATCH"):
            await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.wrong_code_at(clock.now))
    for call in (
        rpc.UseBackupCode(challenge_token=challenge, backup_code=next(attacker.codes)),
        rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.wrong_code_at(clock.now)),
    ):
        with refused("CHALLENGE_EXHAUSTED"):
            await call
    with refused("REAUTHENTICATION_FAILED"):
        await rpc.RegenerateBackupCode(**owner.by_password(password="not the password"))
    mail = await factory.account()
    challenge = await factory.challenge_for(mail)
    code = await mailbox.code(mail.email)
    clock.advance(timedelta(minutes=5))
    with refused("CODE_EXPIRED"):
        await rpc.VerifyEmailCode(challenge_token=challenge, code=code)
    counted = [await rows(postgres.url, "second_factor_failures", one.account_id) for one in (owner, mail)]
    assert [len(one) for one in counted] == [4, 0]


async def test_the_owner_is_notified_from_the_fifth_failure_on(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox
) -> None:
    """The notice has the number, time and client, not the code. The suspension has one notice of its own."""
    factory = factory.from_client(from_network(9))
    attacker = await attacker_of(factory)
    owner = attacker.owner
    await attacker.fail(4)
    await sign_in_by_app(factory, owner)
    assert mailbox.to(owner.email, FAILED) == []
    for number in range(5, 20):
        await attacker.fail(1)
        mail = await mailbox.newest(owner.email, FAILED, number - 4)
        text = " ".join(text_of(mail).split())
        assert f"{number} wrong codes within 24 hours" in text
        assert "198.18.9.7" in text
        assert "0000 0000" not in text
        assert f"{number:016d}" not in text
    late = [await factory.asserted_challenge_for(owner) for _ in range(2)]
    await attacker.fail(1)
    suspended = await mailbox.newest(owner.email, SUSPENDED)
    assert "20 times within 24 hours" in " ".join(text_of(suspended).split())
    for challenge in late:
        with refused("CODE_MISMATCH"):
            await rpc.UseBackupCode(challenge_token=challenge, backup_code=next(attacker.codes))
    await rpc.UseBackupCode(challenge_token=late[0], backup_code=owner.backup_code)
    await mailbox.wait_for(owner.email, "backup-code-used")
    assert (len(mailbox.to(owner.email, FAILED)), len(mailbox.to(owner.email, SUSPENDED))) == (15, 1)


async def test_a_suspension_is_audited(factory: AccountFactory, postgres: EmbeddedPostgres) -> None:
    """The suspension once, and every sign-in that it refuses."""
    attacker = await attacker_of(factory)
    await attacker.fail(20)
    with refused("FIRST_FACTOR_SUSPENDED"):
        await factory.challenge_for(attacker.owner)
    trail = await audit(postgres.url, attacker.owner.account_id)
    events = [(row["action"], row["outcome"], row["factor"], row["details"]) for row in trail]
    for event in (
        ("suspend_first_factor", "success", None, '{"failures": 20}'),
        ("start_sign_in", "FIRST_FACTOR_SUSPENDED", "password", "{}"),
    ):
        assert events.count(event) == 1


async def test_a_retried_wrong_code_counts_once(factory: AccountFactory, rpc: Rpc, postgres: EmbeddedPostgres) -> None:
    """One code on one challenge is one failure, however often it is sent and however it is spelt. On another challenge
    it is another failure. Fails if a code that was verified before is counted again."""
    attacker = await attacker_of(factory)
    for number in (1, 2):
        challenge = await factory.challenge_for(attacker.owner)
        for typed in ("abcd 1234 ef56 7890", "ABCD-I234-EF56-789O"):
            for request_id in (str(uuid4()), ""):
                with refused("CODE_MISMATCH"):
                    await rpc.UseBackupCode(challenge_token=challenge, backup_code=typed, request_id=request_id)
        assert len(await rows(postgres.url, "second_factor_failures", attacker.owner.account_id)) == number
