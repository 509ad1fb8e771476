"""Changing the e-mail address: the new address must be proven, and the old one can undo the change for seven days."""

from datetime import timedelta

from tests.support.clock import Clock
from tests.support.factories import PASSWORD, AccountFactory, unused_email
from tests.support.mailbox import Mailbox, text_of
from tests.support.rpc import Rpc, refused
from tests.support.steps import STEP, email_change_token, move_to_email, report_not_me, report_token, sign_in_by_email
from tests.support.tables import audit, query
from twofactor.v1 import types_pb2
from twofactor_server.postgres import EmbeddedPostgres

DAY = timedelta(days=1)


async def run_housekeeping(postgres: EmbeddedPostgres, factory: AccountFactory) -> None:
    """Release expired addresses, as housekeeping does every minute."""
    await query(postgres.url, "DELETE FROM account_emails WHERE reserved_until <= $1", factory.clock.now)


async def test_the_address_changes_when_it_is_confirmed(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, clock: Clock
) -> None:
    """ "Until it is confirmed nothing changes"; afterwards sign-ins, codes and notices use the new address. The session
    stays."""
    owner = await factory.signed_in_account()
    old, new = owner.email, unused_email()
    answer = await rpc.ChangeEmail(**owner.by_password(), new_email=new.upper())
    assert answer.expire_time.ToDatetime() == (clock.now + DAY).replace(tzinfo=None)
    assert (await rpc.GetAccount(account_id=owner.account_id)).account.email == old
    await sign_in_by_email(factory, owner, 2)
    link = await email_change_token(factory, new)
    changed = (await rpc.ConfirmEmailChange(token=link)).account
    assert (changed.email, changed.email_verified) == (new, True)
    assert (await rpc.GetSession(session_token=owner.session_token)).session.email == new
    assert (await rpc.ConfirmEmailChange(token=link)).account == changed
    with refused("CREDENTIALS_MISMATCH"):
        await factory.challenge_for(owner)
    with refused("ACCOUNT_NOT_FOUND"):
        await rpc.GetAccount(email=old)
    owner.email = new
    await sign_in_by_email(factory, owner, 1)
    assert len(mailbox.to(old, "sign-in-code")) == 2
    for address in (old, new):
        await mailbox.wait_for(address, "email-changed")
    assert [len(mailbox.to(address, "email-changed")) for address in (old, new)] == [1, 1]


async def test_a_change_requires_reauthentication(factory: AccountFactory, rpc: Rpc) -> None:
    """It requires a session and a re-authentication, and an address other than the current one."""
    owner = await factory.signed_in_account()
    with refused("INVALID_FIELD") as refusal:
        await rpc.ChangeEmail(**owner.by_password(), new_email=owner.email.upper())
    assert refusal.value.fields == ("new_email",)
    with refused("REAUTHENTICATION_REQUIRED"):
        await rpc.ChangeEmail(session_token=owner.session_token, new_email=unused_email())
    owner.password = "not the password"
    with refused("REAUTHENTICATION_FAILED"):
        await rpc.ChangeEmail(**owner.by_password(), new_email=unused_email())
    await rpc.SignOut(session_token=owner.session_token)
    with refused("SESSION_ENDED"):
        await rpc.ChangeEmail(**owner.by_password(), new_email=unused_email())


async def test_invalid_links(factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, clock: Clock) -> None:
    """Superseded, expired, of another purpose, or made up: LINK_INVALID, and nothing changes."""
    owner = await factory.account_with_authenticator()
    first, second = unused_email(), unused_email()
    await rpc.ChangeEmail(**owner.by_password(), new_email=first)
    older = await email_change_token(factory, first)
    await rpc.ChangeEmail(**owner.by_password(), new_email=second)
    newer = await email_change_token(factory, second)
    of_a_notice = await mailbox.link(owner.email, "authenticator-on", "not-me")
    made_up = newer[:-4] + ("AAAA" if newer[-4:] != "AAAA" else "BBBB")
    for link in (older, of_a_notice, made_up):
        with refused("LINK_INVALID"):
            await rpc.ConfirmEmailChange(token=link)
    with refused("LINK_INVALID"):
        await report_token(factory, newer)
    clock.advance(DAY)
    with refused("LINK_INVALID"):
        await rpc.ConfirmEmailChange(token=newer)
    assert (await rpc.GetAccount(account_id=owner.account_id)).account.email == owner.email


async def test_three_emails_per_hour(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "3 per hour", whether the address has an account or not: a difference would reveal which addresses have one."""
    owner, other = await factory.signed_in_account(), await factory.account()
    for address in (unused_email(), other.email, unused_email()):
        await rpc.ChangeEmail(**owner.by_password(), new_email=address)
        clock.advance(timedelta(minutes=10))
    with refused("DELIVERY_THROTTLED") as refusal:
        await rpc.ChangeEmail(**owner.by_password(), new_email=unused_email())
    assert refusal.value.retry_after is not None
    assert abs(refusal.value.retry_after - 1800) < 1
    await rpc.GetSession(session_token=owner.session_token)
    clock.advance(timedelta(minutes=30))
    await rpc.ChangeEmail(**owner.by_password(), new_email=unused_email())


async def test_an_address_in_use(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, postgres: EmbeddedPostgres
) -> None:
    """The answer is the same. The owner of the address is notified, and no e-mail contains a usable link."""
    owner, other = await factory.signed_in_account(), await factory.account()
    free, taken = (
        await rpc.ChangeEmail(**owner.by_password(), new_email=unused_email()),
        await rpc.ChangeEmail(**owner.by_password(), new_email=other.email),
    )
    assert free == taken
    mail = await mailbox.newest(other.email, "email-in-use")
    assert "tfr_" not in text_of(mail)
    assert mailbox.to(other.email, "email-change") == []
    outcomes = [
        event["outcome"] for event in await audit(postgres.url, owner.account_id) if event["action"] == "change_email"
    ]
    assert outcomes == ["success", "success"]


async def test_an_address_taken_before_the_confirmation(factory: AccountFactory, rpc: Rpc) -> None:
    """ "LINK_INVALID, also when the address was given to another account meanwhile". The account keeps its address."""
    owner, new = await factory.signed_in_account(), unused_email()
    await rpc.ChangeEmail(**owner.by_password(), new_email=new)
    link = await email_change_token(factory, new)
    await rpc.CreateAccount(email=new, password=PASSWORD)
    for _ in range(2):
        with refused("LINK_INVALID"):
            await rpc.ConfirmEmailChange(token=link)
    assert (await rpc.GetAccount(account_id=owner.account_id)).account.email == owner.email


async def test_a_password_change_voids_the_link(factory: AccountFactory, rpc: Rpc, postgres: EmbeddedPostgres) -> None:
    """The link needs no session, so an attacker's link must not survive the owner's password change. Fails without the
    check."""
    owner, new = await factory.signed_in_account(), unused_email()
    await rpc.ChangeEmail(**owner.by_password(), new_email=new)
    link = await email_change_token(factory, new)
    statement = "UPDATE accounts SET password_version = password_version + 1 WHERE account_id = $1::text::uuid"
    await query(postgres.url, statement, owner.account_id)
    with refused("LINK_INVALID"):
        await rpc.ConfirmEmailChange(token=link)


async def test_a_change_voids_open_challenges(factory: AccountFactory, rpc: Rpc, mailbox: Mailbox) -> None:
    """The address of a challenge is fixed, and the old one "does not receive or accept" any more (NIST SP 800-63B
    §4.2.1.2). Fails if challenges are not voided: the code sent to the old address signs in."""
    owner = await factory.signed_in_account()
    challenge = await factory.challenge_for(owner)
    code = await mailbox.code(owner.email, 2)
    old = await move_to_email(factory, owner, unused_email())
    with refused("CHALLENGE_EXPIRED"):
        await rpc.SendEmailCode(challenge_token=challenge)
    with refused("CHALLENGE_EXPIRED"):
        await rpc.VerifyEmailCode(challenge_token=challenge, code=code)
    assert (await rpc.GetChallenge(challenge_token=challenge)).challenge.state == types_pb2.CHALLENGE_STATE_EXPIRED
    assert len(mailbox.to(old, "sign-in-code")) == 2


async def test_the_old_address_is_reserved_for_seven_days(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, clock: Clock, postgres: EmbeddedPostgres
) -> None:
    """Otherwise a new owner of the address could use the undo link. Fails if the old address is released at once."""
    owner = await factory.signed_in_account()
    old = await move_to_email(factory, owner, unused_email())
    link = await mailbox.link(old, "email-changed", "not-me")
    create = dict(email=old, password=PASSWORD)
    clock.advance(7 * DAY - timedelta(seconds=1))
    await run_housekeeping(postgres, factory)
    with refused("EMAIL_TAKEN"):
        await rpc.CreateAccount(**create)
    clock.advance(timedelta(seconds=1))
    await run_housekeeping(postgres, factory)
    await rpc.CreateAccount(**create)
    with refused("LINK_INVALID"):
        await report_token(factory, link)


async def test_changing_back_to_the_old_address(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """The account itself may use it again at once."""
    owner = await factory.signed_in_account()
    between = unused_email()
    old = await move_to_email(factory, owner, between)
    clock.advance(STEP)
    assert await move_to_email(factory, owner, old) == between
    assert (await rpc.GetAccount(email=old)).account.account_id == owner.account_id
    await sign_in_by_email(factory, owner, 2)


async def test_a_change_voids_links_sent_to_the_old_address(
    factory: AccountFactory, postgres: EmbeddedPostgres
) -> None:
    """A link that was requested before the change must not work afterwards. The undo links of notices stay valid."""
    owner = await factory.account_with_authenticator()
    old = await move_to_email(factory, owner, unused_email())
    left = await query(
        postgres.url,
        "SELECT purpose FROM mailed_links WHERE account_id = $1::text::uuid AND void_time IS NULL AND use_time IS NULL",
        owner.account_id,
    )
    assert sorted(row["purpose"] for row in left) == ["not-me", "not-me"]
    assert "SESSIONS_ENDED" in await report_not_me(factory, old, "authenticator-on")
