"""Second factor: e-mail codes, the default that needs nothing set up."""

import re
from datetime import timedelta

from tests.article.steps import sign_in_by_mail, wrong_digits
from tests.conftest import Refusing
from tests.people import CLIENT, People
from tests.security.tables import query, rows
from tests.servers import text_of
from twofactor.v1 import account_service_pb2, types_pb2
from twofactor_server.postgres import EmbeddedPostgres


async def test_every_account_starts_on_email_codes(people: People) -> None:
    """ "E-mail codes are the default: nothing to set up. Each sign-in sends a fresh 6-digit code to the account's
    address." """
    owner = await people.with_account()
    shown = await people.challenge(await people.challenge_for(owner))
    assert shown.second_factor == types_pb2.SECOND_FACTOR_EMAIL_CODE
    assert owner.email not in shown.masked_email
    assert shown.masked_email.endswith("@example.test")
    assert shown.email_code_expire_time.ToSeconds() == int(people.clock.now.timestamp()) + 300
    session = (await sign_in_by_mail(people, owner, 2)).session
    assert list(session.methods) == ["pwd", "otp", "urn:twofactor:email"]


async def test_the_mail_says_what_it_is(people: People) -> None:
    """ "The mail says what it is ("Confirm your login request"), shows the code, the time, and the IP address the
    sign-in came from, and what to do if it was not you." The code is not in the subject."""
    owner = await people.with_account()
    await people.challenge_for(owner)
    mail = await people.mailbox.newest(owner.email, "sign-in-code")
    text = text_of(mail)
    assert mail["Subject"] == "Confirm your login request"
    assert len(re.findall(r"^\d{6}$", text, re.MULTILINE)) == 1
    assert people.clock.now.strftime("%H:%M UTC") in text
    assert CLIENT.ip_address in text
    assert "not you?" in text
    html = mail.get_body(("html",))
    assert html is not None
    assert await people.mailbox.code(owner.email) in html.get_content()


async def test_a_code_lives_five_minutes(people: People, refused: Refusing) -> None:
    """ "It lives 5 minutes": at 299 s it is accepted, at 301 s it is CODE_EXPIRED, and another one can be asked for."""
    owner = await people.with_account()
    challenge = await people.challenge_for(owner)
    code = await people.mailbox.code(owner.email)
    people.clock.advance(timedelta(seconds=299))
    await people.verify_email_code(challenge, code)

    challenge = await people.challenge_for(owner)
    code = await people.mailbox.code(owner.email, 2)
    people.clock.advance(timedelta(seconds=301))
    with refused("CODE_EXPIRED"):
        await people.verify_email_code(challenge, code)
    assert (await people.challenge(challenge)).attempts_left == 5
    await people.send_email_code(challenge)
    await people.verify_email_code(challenge, await people.mailbox.code(owner.email, 3))


async def test_only_the_newest_code_works(people: People, refused: Refusing) -> None:
    """ "Only the newest code of a challenge works." An older one is recognised; it costs an attempt."""
    owner = await people.with_account()
    challenge = await people.challenge_for(owner)
    old = await people.mailbox.code(owner.email)
    await people.send_email_code(challenge)
    new = await people.mailbox.code(owner.email, 2)
    for left in "43":
        with refused("CODE_SUPERSEDED") as said:
            await people.verify_email_code(challenge, old)
        assert said[0].metadata == {"attempts_left": left}
    assert (await people.verify_email_code(challenge, new)).session.email == owner.email


async def test_a_code_is_bound_to_its_challenge(people: People, refused: Refusing) -> None:
    """ "Is bound to the challenge that asked for it": the code of one sign-in fails in another of the same account.

    Two things keep it: only the challenge's own codes are looked at, and each is an HMAC with the challenge in it. With
    both taken out it fails; either is enough.
    """
    owner = await people.with_account()
    first = await people.challenge_for(owner)
    code_of_first = await people.mailbox.code(owner.email)
    second = await people.challenge_for(owner)
    code_of_second = await people.mailbox.code(owner.email, 2)
    with refused("CODE_MISMATCH"):
        await people.verify_email_code(second, code_of_first)
    with refused("CODE_MISMATCH"):
        await people.verify_email_code(first, code_of_second)
    await people.verify_email_code(first, code_of_first)


async def test_a_code_works_once(people: People, refused: Refusing) -> None:
    """ "… and it works once." """
    owner = await people.with_account()
    challenge = await people.challenge_for(owner)
    code = await people.mailbox.code(owner.email)
    await people.verify_email_code(challenge, code)
    with refused("CHALLENGE_CONSUMED"):
        await people.verify_email_code(challenge, code)
    with refused("CODE_MISMATCH"):
        await people.verify_email_code(await people.challenge_for(owner), code)


async def test_a_resend_gives_no_attempts_back(people: People, refused: Refusing) -> None:
    """ "A resend replaces the code, does not reset failures": four wrong, a resend, one wrong: exhausted."""
    owner = await people.with_account()
    challenge = await people.challenge_for(owner)
    code = await people.mailbox.code(owner.email)
    for offset in range(1, 5):
        with refused("CODE_MISMATCH"):
            await people.verify_email_code(challenge, wrong_digits(code, offset))
    shown = await people.send_email_code(challenge)
    assert shown.attempts_left == 1
    code = await people.mailbox.code(owner.email, 2)
    with refused("CODE_MISMATCH") as said:
        await people.verify_email_code(challenge, wrong_digits(code))
    assert said[0].metadata == {"attempts_left": "0"}
    with refused("CHALLENGE_EXHAUSTED"):
        await people.verify_email_code(challenge, code)
    with refused("CHALLENGE_EXHAUSTED"):
        await people.send_email_code(challenge)


async def test_the_same_request_sends_nothing_more(people: People, postgres: EmbeddedPostgres) -> None:
    """SendEmailCode repeated with its request_id answers the challenge as it is; without one it is another code."""
    owner = await people.with_account()
    challenge = await people.challenge_for(owner)
    await people.mailbox.code(owner.email)
    request_id = "6a1c7a0e-24f5-4c88-9ab1-5f0d5cb6c0f5"
    answers = [await people.send_email_code(challenge, request_id) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert len(await rows(postgres.url, "email_codes", owner.account_id)) == 2
    assert len(await rows(postgres.url, "outbox", owner.account_id)) == 2
    await people.verify_email_code(challenge, await people.mailbox.code(owner.email, 2))


async def test_the_first_code_verifies_the_address(people: People) -> None:
    """ "Proving the first mailed code verifies the address." Addresses compare in lower case."""
    owner = await people.with_account()
    by_address = account_service_pb2.GetAccountRequest(email=owner.email.upper())
    assert not (await people.stubs.accounts.GetAccount(by_address)).account.email_verified
    await people.challenge_for(owner)
    assert not (await people.stubs.accounts.GetAccount(by_address)).account.email_verified
    await people.mailbox.code(owner.email)
    owner.email = owner.email.upper()
    challenge = await people.challenge_for(owner)
    await people.verify_email_code(challenge, await people.mailbox.code(owner.email.lower(), 2))
    account = (await people.stubs.accounts.GetAccount(by_address)).account
    assert account.email_verified
    assert account.email == owner.email.lower()


async def test_with_the_app_on_nothing_is_mailed(people: People, refused: Refusing, postgres: EmbeddedPostgres) -> None:
    """ "One of the two methods is always active": with the authenticator on, no e-mail code is sent, or accepted."""
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    shown = await people.challenge(challenge)
    assert not shown.HasField("email_code_expire_time")
    assert not shown.HasField("next_send_time")
    for call in (people.send_email_code(challenge), people.verify_email_code(challenge, "123456")):
        with refused("METHOD_NOT_ACTIVE") as said:
            await call
        assert said[0].metadata == {"active_method": "AUTHENTICATOR"}
    assert (await people.challenge(challenge)).attempts_left == 5
    assert len(await rows(postgres.url, "email_codes", owner.account_id)) == 1


async def test_email_codes_are_never_disabled(people: People, refused: Refusing, postgres: EmbeddedPostgres) -> None:
    """ "E-mail codes: never disabled, only slowed", by an hour at most, however many were wrong before."""
    owner = await people.with_account()
    statement = "UPDATE second_factors SET email_code_failures = 1000 WHERE account_id = $1::text::uuid"
    await query(postgres.url, statement, owner.account_id)
    challenge = await people.challenge_for(owner)
    with refused("CODE_MISMATCH"):
        await people.verify_email_code(challenge, wrong_digits(await people.mailbox.code(owner.email)))
    with refused("ATTEMPTS_THROTTLED") as said:
        await people.verify_email_code(challenge, await people.mailbox.code(owner.email))
    assert said[0].retry_after == 3600
    people.clock.advance(timedelta(hours=1))
    await sign_in_by_mail(people, owner, 2)
