"""E-mail codes, the default second factor."""

import re
from datetime import timedelta

from tests.support.clock import Clock
from tests.support.factories import AccountFactory
from tests.support.mailbox import Mailbox, text_of
from tests.support.rpc import CLIENT, Rpc, refused
from tests.support.steps import sign_in_by_email, wrong_digits
from tests.support.tables import query, rows
from twofactor.v1 import types_pb2
from twofactor_server.postgres import EmbeddedPostgres


async def test_every_account_starts_on_email_codes(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "E-mail codes are the default: nothing to set up. Each sign-in sends a fresh 6-digit code to the account's
    address." """
    owner = await factory.account()
    shown = (await rpc.GetChallenge(challenge_token=await factory.challenge_for(owner))).challenge
    assert shown.second_factor == types_pb2.SECOND_FACTOR_EMAIL_CODE
    assert owner.email not in shown.masked_email
    assert shown.masked_email.endswith("@example.test")
    assert shown.email_code_expire_time.ToSeconds() == int(clock.now.timestamp()) + 300
    session = (await sign_in_by_email(factory, owner, 2)).session
    assert list(session.methods) == ["pwd", "otp", "urn:twofactor:email"]


async def test_the_email_contains_code_time_and_address(
    factory: AccountFactory, mailbox: Mailbox, clock: Clock
) -> None:
    """ "The mail says what it is ("Confirm your login request"), shows the code, the time, and the IP address the
    sign-in came from, and what to do if it was not you." The code is not in the subject."""
    owner = await factory.account()
    await factory.challenge_for(owner)
    mail = await mailbox.newest(owner.email, "sign-in-code")
    text = text_of(mail)
    assert mail["Subject"] == "Confirm your login request"
    assert len(re.findall(r"^\d{6}$", text, re.MULTILINE)) == 1
    assert clock.now.strftime("%H:%M UTC") in text
    assert CLIENT.ip_address in text
    assert "not you?" in text
    html = mail.get_body(("html",))
    assert html is not None
    assert await mailbox.code(owner.email) in html.get_content()


async def test_a_code_expires_after_five_minutes(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, clock: Clock
) -> None:
    """ "It lives 5 minutes": accepted at 299 s, CODE_EXPIRED at 301 s, when another code can be requested."""
    owner = await factory.account()
    challenge = await factory.challenge_for(owner)
    code = await mailbox.code(owner.email)
    clock.advance(timedelta(seconds=299))
    await rpc.VerifyEmailCode(challenge_token=challenge, code=code)

    challenge = await factory.challenge_for(owner)
    code = await mailbox.code(owner.email, 2)
    clock.advance(timedelta(seconds=301))
    with refused("CODE_EXPIRED"):
        await rpc.VerifyEmailCode(challenge_token=challenge, code=code)
    assert (await rpc.GetChallenge(challenge_token=challenge)).challenge.attempts_left == 5
    await rpc.SendEmailCode(challenge_token=challenge)
    await rpc.VerifyEmailCode(challenge_token=challenge, code=await mailbox.code(owner.email, 3))


async def test_only_the_newest_code_works(factory: AccountFactory, rpc: Rpc, mailbox: Mailbox) -> None:
    """ "Only the newest code of a challenge works." An older one is recognised, and costs an attempt."""
    owner = await factory.account()
    challenge = await factory.challenge_for(owner)
    old = await mailbox.code(owner.email)
    await rpc.SendEmailCode(challenge_token=challenge)
    new = await mailbox.code(owner.email, 2)
    for left in "43":
        with refused("CODE_SUPERSEDED") as refusal:
            await rpc.VerifyEmailCode(challenge_token=challenge, code=old)
        assert refusal.value.metadata == {"attempts_left": left}
    assert (await rpc.VerifyEmailCode(challenge_token=challenge, code=new)).session.email == owner.email


async def test_a_code_is_bound_to_its_challenge(factory: AccountFactory, rpc: Rpc, mailbox: Mailbox) -> None:
    """ "Is bound to the challenge that asked for it": the code of one challenge fails on another one of the same
    account.

    Two mechanisms enforce it: only the challenge's own codes are compared, and each code's HMAC includes the challenge.
    Fails only without both.
    """
    owner = await factory.account()
    first = await factory.challenge_for(owner)
    code_of_first = await mailbox.code(owner.email)
    second = await factory.challenge_for(owner)
    code_of_second = await mailbox.code(owner.email, 2)
    with refused("CODE_MISMATCH"):
        await rpc.VerifyEmailCode(challenge_token=second, code=code_of_first)
    with refused("CODE_MISMATCH"):
        await rpc.VerifyEmailCode(challenge_token=first, code=code_of_second)
    await rpc.VerifyEmailCode(challenge_token=first, code=code_of_first)


async def test_a_code_works_once(factory: AccountFactory, rpc: Rpc, mailbox: Mailbox) -> None:
    """ "… and it works once." """
    owner = await factory.account()
    challenge = await factory.challenge_for(owner)
    code = await mailbox.code(owner.email)
    await rpc.VerifyEmailCode(challenge_token=challenge, code=code)
    with refused("CHALLENGE_CONSUMED"):
        await rpc.VerifyEmailCode(challenge_token=challenge, code=code)
    with refused("CODE_MISMATCH"):
        await rpc.VerifyEmailCode(challenge_token=await factory.challenge_for(owner), code=code)


async def test_a_resend_does_not_reset_attempts(factory: AccountFactory, rpc: Rpc, mailbox: Mailbox) -> None:
    """ "A resend replaces the code, does not reset failures": four wrong codes, a resend and one more wrong code
    exhaust it."""
    owner = await factory.account()
    challenge = await factory.challenge_for(owner)
    code = await mailbox.code(owner.email)
    for offset in range(1, 5):
        with refused("CODE_MISMATCH"):
            await rpc.VerifyEmailCode(challenge_token=challenge, code=wrong_digits(code, offset))
    shown = (await rpc.SendEmailCode(challenge_token=challenge)).challenge
    assert shown.attempts_left == 1
    code = await mailbox.code(owner.email, 2)
    with refused("CODE_MISMATCH") as refusal:
        await rpc.VerifyEmailCode(challenge_token=challenge, code=wrong_digits(code))
    assert refusal.value.metadata == {"attempts_left": "0"}
    with refused("CHALLENGE_EXHAUSTED"):
        await rpc.VerifyEmailCode(challenge_token=challenge, code=code)
    with refused("CHALLENGE_EXHAUSTED"):
        await rpc.SendEmailCode(challenge_token=challenge)


async def test_a_retried_send_sends_one_email(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, postgres: EmbeddedPostgres
) -> None:
    """SendEmailCode retried with its request_id returns the challenge unchanged; without one it sends another code."""
    owner = await factory.account()
    challenge = await factory.challenge_for(owner)
    await mailbox.code(owner.email)
    request_id = "6a1c7a0e-24f5-4c88-9ab1-5f0d5cb6c0f5"
    answers = [(await rpc.SendEmailCode(challenge_token=challenge, request_id=request_id)).challenge for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert len(await rows(postgres.url, "email_codes", owner.account_id)) == 2
    assert len(await rows(postgres.url, "outbox", owner.account_id)) == 2
    await rpc.VerifyEmailCode(challenge_token=challenge, code=await mailbox.code(owner.email, 2))


async def test_the_first_code_verifies_the_address(factory: AccountFactory, rpc: Rpc, mailbox: Mailbox) -> None:
    """ "Proving the first mailed code verifies the address." Addresses are compared in lower case."""
    owner = await factory.account()
    by_address = dict(email=owner.email.upper())
    assert not (await rpc.GetAccount(**by_address)).account.email_verified
    await factory.challenge_for(owner)
    assert not (await rpc.GetAccount(**by_address)).account.email_verified
    await mailbox.code(owner.email)
    owner.email = owner.email.upper()
    challenge = await factory.challenge_for(owner)
    await rpc.VerifyEmailCode(challenge_token=challenge, code=await mailbox.code(owner.email.lower(), 2))
    account = (await rpc.GetAccount(**by_address)).account
    assert account.email_verified
    assert account.email == owner.email.lower()


async def test_no_email_codes_with_an_authenticator(
    factory: AccountFactory, rpc: Rpc, postgres: EmbeddedPostgres
) -> None:
    """ "One of the two methods is always active": with an authenticator, no e-mail code is sent or accepted."""
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    shown = (await rpc.GetChallenge(challenge_token=challenge)).challenge
    assert not shown.HasField("email_code_expire_time")
    assert not shown.HasField("next_send_time")
    for call in (
        rpc.SendEmailCode(challenge_token=challenge),
        rpc.VerifyEmailCode(challenge_token=challenge, code="123456"),
    ):
        with refused("METHOD_NOT_ACTIVE") as refusal:
            await call
        assert refusal.value.metadata == {"active_method": "AUTHENTICATOR"}
    assert (await rpc.GetChallenge(challenge_token=challenge)).challenge.attempts_left == 5
    assert len(await rows(postgres.url, "email_codes", owner.account_id)) == 1


async def test_email_codes_are_never_disabled(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, clock: Clock, postgres: EmbeddedPostgres
) -> None:
    """ "E-mail codes: never disabled, only slowed", by at most an hour, after any number of wrong codes."""
    owner = await factory.account()
    statement = "UPDATE second_factors SET email_code_failures = 1000 WHERE account_id = $1::text::uuid"
    await query(postgres.url, statement, owner.account_id)
    challenge = await factory.challenge_for(owner)
    with refused("CODE_MISMATCH"):
        await rpc.VerifyEmailCode(challenge_token=challenge, code=wrong_digits(await mailbox.code(owner.email)))
    with refused("ATTEMPTS_THROTTLED") as refusal:
        await rpc.VerifyEmailCode(challenge_token=challenge, code=await mailbox.code(owner.email))
    assert refusal.value.retry_after == 3600
    clock.advance(timedelta(hours=1))
    await sign_in_by_email(factory, owner, 2)
