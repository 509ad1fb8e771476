"""The address: the new one is proved before it counts, and the old one can undo for seven days."""

from datetime import timedelta

from tests.account.steps import (
    account,
    change_email,
    change_link,
    confirm_email,
    move_to,
    not_me,
    report,
    unused_address,
)
from tests.article.steps import STEP, sign_in_by_mail
from tests.conftest import Refusing
from tests.people import PASSWORD, People
from tests.security.tables import audit, query
from tests.servers import text_of
from twofactor.v1 import account_service_pb2, types_pb2
from twofactor_server.postgres import EmbeddedPostgres

DAY = timedelta(days=1)


async def free_what_is_over(postgres: EmbeddedPostgres, people: People) -> None:
    """What housekeeping does within the minute."""
    await query(postgres.url, "DELETE FROM account_emails WHERE reserved_until <= $1", people.clock.now)


async def test_the_new_address_counts_once_it_is_confirmed(people: People, refused: Refusing) -> None:
    """ "Until it is confirmed nothing changes"; then sign-ins, codes and notices belong to it; the session stays."""
    owner = await people.signed_in()
    old, new = owner.email, unused_address()
    answer = await change_email(people, owner, new.upper())
    assert answer.expire_time.ToDatetime() == (people.clock.now + DAY).replace(tzinfo=None)
    assert (await account(people, account_id=owner.account_id)).email == old
    await sign_in_by_mail(people, owner, 2)
    link = await change_link(people, new)
    changed = await confirm_email(people, link)
    assert (changed.email, changed.email_verified) == (new, True)
    assert (await people.session(owner.session_token)).email == new
    assert await confirm_email(people, link) == changed
    with refused("CREDENTIALS_MISMATCH"):
        await people.challenge_for(owner)
    with refused("ACCOUNT_NOT_FOUND"):
        await account(people, email=old)
    owner.email = new
    await sign_in_by_mail(people, owner, 1)
    assert len(people.mailbox.to(old, "sign-in-code")) == 2
    for address in (old, new):
        await people.mailbox.wait_for(address, "email-changed")
    assert [len(people.mailbox.to(address, "email-changed")) for address in (old, new)] == [1, 1]


async def test_who_may_ask(people: People, refused: Refusing) -> None:
    """A session and a re-authentication; the account's own address is none to change to."""
    owner = await people.signed_in()
    with refused("INVALID_FIELD") as said:
        await change_email(people, owner, owner.email.upper())
    assert said[0].fields == ("new_email",)
    with refused("REAUTHENTICATION_REQUIRED"):
        request = account_service_pb2.ChangeEmailRequest(session_token=owner.session_token, new_email=unused_address())
        await people.stubs.accounts.ChangeEmail(request)
    owner.password = "not the password"
    with refused("REAUTHENTICATION_FAILED"):
        await change_email(people, owner, unused_address())
    await people.sign_out(owner.session_token)
    with refused("SESSION_ENDED"):
        await change_email(people, owner, unused_address())


async def test_links_that_do_not_serve(people: People, refused: Refusing) -> None:
    """Superseded, over, of another purpose, made up: LINK_INVALID, and nothing changes."""
    owner = await people.with_authenticator()
    first, second = unused_address(), unused_address()
    await change_email(people, owner, first)
    older = await change_link(people, first)
    await change_email(people, owner, second)
    newer = await change_link(people, second)
    of_a_notice = await people.mailbox.link(owner.email, "authenticator-on", "not-me")
    made_up = newer[:-4] + ("AAAA" if newer[-4:] != "AAAA" else "BBBB")
    for link in (older, of_a_notice, made_up):
        with refused("LINK_INVALID"):
            await confirm_email(people, link)
    with refused("LINK_INVALID"):
        await report(people, newer)
    people.clock.advance(DAY)
    with refused("LINK_INVALID"):
        await confirm_email(people, newer)
    assert (await account(people, account_id=owner.account_id)).email == owner.email


async def test_three_mails_an_hour(people: People, refused: Refusing) -> None:
    """ "3 per hour", whether the address has an account or not: else that could be told from the fourth."""
    owner, other = await people.signed_in(), await people.with_account()
    for address in (unused_address(), other.email, unused_address()):
        await change_email(people, owner, address)
        people.clock.advance(timedelta(minutes=10))
    with refused("DELIVERY_THROTTLED") as said:
        await change_email(people, owner, unused_address())
    assert said[0].retry_after is not None
    assert abs(said[0].retry_after - 1800) < 1
    await people.session(owner.session_token)
    people.clock.advance(timedelta(minutes=30))
    await change_email(people, owner, unused_address())


async def test_an_address_that_somebody_has(people: People, refused: Refusing, postgres: EmbeddedPostgres) -> None:
    """The answer is the same; its owner is told, and no mail has a link that would do anything."""
    owner, other = await people.signed_in(), await people.with_account()
    free, taken = await change_email(people, owner, unused_address()), await change_email(people, owner, other.email)
    assert free == taken
    mail = await people.mailbox.newest(other.email, "email-in-use")
    assert "tfr_" not in text_of(mail)
    assert people.mailbox.to(other.email, "email-change") == []
    told = [
        event["outcome"] for event in await audit(postgres.url, owner.account_id) if event["action"] == "change_email"
    ]
    assert told == ["success", "success"]


async def test_an_address_taken_meanwhile(people: People, refused: Refusing) -> None:
    """ "LINK_INVALID, also when the address was given to another account meanwhile"; the account keeps its own."""
    owner, new = await people.signed_in(), unused_address()
    await change_email(people, owner, new)
    link = await change_link(people, new)
    await people.stubs.accounts.CreateAccount(account_service_pb2.CreateAccountRequest(email=new, password=PASSWORD))
    for _ in range(2):
        with refused("LINK_INVALID"):
            await confirm_email(people, link)
    assert (await account(people, account_id=owner.account_id)).email == owner.email


async def test_a_password_changed_meanwhile(people: People, refused: Refusing, postgres: EmbeddedPostgres) -> None:
    """The link needs no session: a stranger's must not outlive the owner's new password. It fails without the check."""
    owner, new = await people.signed_in(), unused_address()
    await change_email(people, owner, new)
    link = await change_link(people, new)
    statement = "UPDATE accounts SET password_version = password_version + 1 WHERE account_id = $1::text::uuid"
    await query(postgres.url, statement, owner.account_id)
    with refused("LINK_INVALID"):
        await confirm_email(people, link)


async def test_an_open_challenge_is_void(people: People, refused: Refusing) -> None:
    """Its address was frozen: the old one "does not receive or accept" any more (NIST SP 800-63B §4.2.1.2). It fails
    with the voiding of challenges taken out: the code mailed to the old address signs in."""
    owner = await people.signed_in()
    challenge = await people.challenge_for(owner)
    code = await people.mailbox.code(owner.email, 2)
    old = await move_to(people, owner, unused_address())
    with refused("CHALLENGE_EXPIRED"):
        await people.send_email_code(challenge)
    with refused("CHALLENGE_EXPIRED"):
        await people.verify_email_code(challenge, code)
    assert (await people.challenge(challenge)).state == types_pb2.CHALLENGE_STATE_EXPIRED
    assert len(people.mailbox.to(old, "sign-in-code")) == 2


async def test_the_old_address_is_nobody_elses_for_seven_days(
    people: People, refused: Refusing, postgres: EmbeddedPostgres
) -> None:
    """Else whoever took it could not be told from who may undo. It fails with the old address given up at once."""
    owner = await people.signed_in()
    old = await move_to(people, owner, unused_address())
    link = await people.mailbox.link(old, "email-changed", "not-me")
    create = account_service_pb2.CreateAccountRequest(email=old, password=PASSWORD)
    people.clock.advance(7 * DAY - timedelta(seconds=1))
    await free_what_is_over(postgres, people)
    with refused("EMAIL_TAKEN"):
        await people.stubs.accounts.CreateAccount(create)
    people.clock.advance(timedelta(seconds=1))
    await free_what_is_over(postgres, people)
    await people.stubs.accounts.CreateAccount(create)
    with refused("LINK_INVALID"):
        await report(people, link)


async def test_back_to_an_address_that_was_left(people: People) -> None:
    """The account itself may have it again at once, by the usual way."""
    owner = await people.signed_in()
    between = unused_address()
    old = await move_to(people, owner, between)
    people.clock.advance(STEP)
    assert await move_to(people, owner, old) == between
    assert (await account(people, email=old)).account_id == owner.account_id
    await sign_in_by_mail(people, owner, 2)


async def test_what_was_mailed_to_the_old_address_before_is_void(people: People, postgres: EmbeddedPostgres) -> None:
    """A link that was asked for before the change must not be an open door afterwards. The notices' links stay."""
    owner = await people.with_authenticator()
    old = await move_to(people, owner, unused_address())
    left = await query(
        postgres.url,
        "SELECT purpose FROM mailed_links WHERE account_id = $1::text::uuid AND void_time IS NULL AND use_time IS NULL",
        owner.account_id,
    )
    assert sorted(row["purpose"] for row in left) == ["not-me", "not-me"]
    assert "SESSIONS_ENDED" in await not_me(people, old, "authenticator-on")
