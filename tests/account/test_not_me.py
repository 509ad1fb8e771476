""" "This wasn't me": everybody is shut out, and no more is undone than what still stands."""

from datetime import timedelta

import pytest

from tests.account.steps import (
    NEW_PASSWORD,
    account,
    change_email,
    change_link,
    confirm_email,
    move_to,
    not_me,
    report,
    unused_address,
)
from tests.article.steps import sign_in_by_app, sign_in_by_backup_code, sign_in_by_mail, vouched_challenge
from tests.conftest import Refusing
from tests.people import People, Person
from tests.providers.owners import link, start
from tests.security.tables import audit, query, rows
from tests.servers import text_of
from twofactor.v1 import account_service_pb2
from twofactor_server.postgres import EmbeddedPostgres


async def suspended(postgres: EmbeddedPostgres, owner: Person) -> bool:
    """Whether the first factor is."""
    return (await rows(postgres.url, "accounts", owner.account_id))[0]["suspend_time"] is not None


async def test_everybody_is_shut_out(people: People, refused: Refusing, postgres: EmbeddedPostgres) -> None:
    """ "All sessions end, open challenges are void", setups too, and no answer can be had again. Without a new password
    the first factor is suspended, and its owner is mailed how to lift that."""
    owner = await people.with_authenticator()
    setup = await people.start_setup(owner)
    challenge, request_id = await people.challenge_for(owner), "0f7d0b52-7c39-4a3c-9f44-3b8f0e4ad001"
    opened = await people.use_backup_code(challenge, owner.backup_code, request_id)
    waiting = await people.challenge_for(owner)
    undone = await not_me(people, owner.email, "backup-code-used")
    assert undone == ["SESSIONS_ENDED", "FIRST_FACTOR_SUSPENDED", "BACKUP_CODE_RETIRED"]
    for token in (owner.session_token, opened.session_token):
        with refused("SESSION_ENDED"):
            await people.session(token)
    with refused("CHALLENGE_EXPIRED"):
        await people.use_backup_code(waiting, opened.new_backup_code.code)
    with refused("REQUEST_ID_EXPIRED"):
        await people.use_backup_code(challenge, owner.backup_code, request_id)
    with refused("SESSION_ENDED"):
        await people.confirm_setup(owner, setup.setup_id, "123456")
    assert all(row["sealed"] is None for row in await rows(postgres.url, "replies", owner.account_id))
    assert all(row["totp_secret"] is None for row in await rows(postgres.url, "authenticator_setups", owner.account_id))
    assert await suspended(postgres, owner)
    assert await people.mailbox.link(owner.email, "sign-in-suspended", "confirm-sign-in")
    (told,) = [one for one in await audit(postgres.url, owner.account_id) if one["action"] == "report_not_me"]
    assert told["outcome"] == "success"
    assert "BACKUP_CODE_RETIRED" in told["details"]


async def test_with_a_new_password(people: People, refused: Refusing, postgres: EmbeddedPostgres) -> None:
    """It is set, the old one opens nothing, and the second factor is asked as ever. Repeated it answers the same; with
    another password the link is used up."""
    owner = await people.with_authenticator()
    await sign_in_by_backup_code(people, owner)
    link = await people.mailbox.link(owner.email, "backup-code-used", "not-me")
    expected = ["SESSIONS_ENDED", "PASSWORD_CHANGED", "BACKUP_CODE_RETIRED"]
    assert await report(people, link, NEW_PASSWORD) == expected
    before = await rows(postgres.url, "second_factors", owner.account_id)
    assert await report(people, link, NEW_PASSWORD) == expected
    assert await rows(postgres.url, "second_factors", owner.account_id) == before
    for other in ("", "yet another password"):
        with refused("LINK_INVALID"):
            await report(people, link, other)
    with refused("CREDENTIALS_MISMATCH"):
        await people.challenge_for(owner)
    owner.password = NEW_PASSWORD
    await sign_in_by_app(people, owner)
    assert not await suspended(postgres, owner)


async def test_an_account_without_a_password(people: People, refused: Refusing, postgres: EmbeddedPostgres) -> None:
    """A new password is INVALID_FIELD; there is nothing to suspend."""
    owner = Person(unused_address(), "", password="")
    request = account_service_pb2.CreateAccountRequest(email=owner.email)
    owner.account_id = (await people.stubs.accounts.CreateAccount(request)).account.account_id
    challenge = await vouched_challenge(people, owner)
    signed_in = await people.verify_email_code(challenge, await people.mailbox.code(owner.email))
    old, new = owner.email, unused_address()
    change = account_service_pb2.ChangeEmailRequest(
        session_token=signed_in.session_token, new_email=new, client=people.client
    )
    change.reauthentication.asserted.account_id = owner.account_id
    change.reauthentication.asserted.auth_time.FromDatetime(people.clock.now)
    await people.stubs.accounts.ChangeEmail(change)
    await confirm_email(people, await change_link(people, new))
    with refused("INVALID_FIELD") as said:
        await not_me(people, old, "email-changed", NEW_PASSWORD)
    assert said[0].fields == ("new_password",)
    assert await not_me(people, old, "email-changed") == ["SESSIONS_ENDED", "EMAIL_RESTORED"]
    assert not await suspended(postgres, owner)
    assert people.mailbox.to(old, "sign-in-suspended") == []


async def test_a_suspension_without_a_password_is_mailed_anew(people: People, postgres: EmbeddedPostgres) -> None:
    """The link that lifts it may have been mailed to the stranger's address: it is void, and the owner has another.
    It fails where an account without a password is passed over."""
    owner = await people.with_authenticator()
    for statement in (
        "UPDATE accounts SET password_hash = NULL, suspend_time = create_time WHERE account_id = $1::text::uuid",
        "INSERT INTO mailed_links (account_id, link_id, token_digest, purpose, create_time, expire_time) "
        "SELECT account_id, gen_random_uuid(), '', 'confirm-sign-in', create_time, expire_time FROM mailed_links "
        "WHERE account_id = $1::text::uuid",
    ):
        await query(postgres.url, statement, owner.account_id)
    assert await not_me(people, owner.email, "authenticator-on") == ["SESSIONS_ENDED", "AUTHENTICATOR_REMOVED"]
    assert await suspended(postgres, owner)
    await people.mailbox.link(owner.email, "sign-in-suspended", "confirm-sign-in")
    links = [link for link in await rows(postgres.url, "mailed_links", owner.account_id) if not link["use_time"]]
    assert sorted(link["void_time"] is None for link in links) == [False, True]


async def test_links_that_do_not_serve(people: People, refused: Refusing) -> None:
    """A weak password: the link is as good as before. Over after seven days; made up; of another purpose."""
    owner, new = await people.with_authenticator(), unused_address()
    link = await people.mailbox.link(owner.email, "authenticator-on", "not-me")
    with refused("PASSWORD_REJECTED") as said:
        await report(people, link, "short")
    assert said[0].fields == ("new_password",)
    await change_email(people, owner, new)
    made_up = link[:-4] + ("AAAA" if link[-4:] != "AAAA" else "BBBB")
    for wrong in (made_up, await change_link(people, new)):
        with refused("LINK_INVALID"):
            await report(people, wrong)
    await people.session(owner.session_token)
    people.clock.advance(timedelta(days=7))
    with refused("LINK_INVALID"):
        await report(people, link)


async def test_the_address_comes_back(people: People, refused: Refusing) -> None:
    """ "The old address is told, and can undo": mail goes there again, and the other address is free."""
    owner, strangers = await people.signed_in(), unused_address()
    old = await move_to(people, owner, strangers)
    undone = await not_me(people, old, "email-changed", NEW_PASSWORD)
    assert undone == ["SESSIONS_ENDED", "PASSWORD_CHANGED", "EMAIL_RESTORED"]
    found = await account(people, email=old)
    assert (found.account_id, found.email_verified) == (owner.account_id, True)
    await people.stubs.accounts.CreateAccount(account_service_pb2.CreateAccountRequest(email=strangers))
    await sign_in_by_mail(people, Person(old, owner.account_id, NEW_PASSWORD), 2)
    assert people.mailbox.to(strangers, "sign-in-code") == []


async def test_the_address_comes_back_however_often_it_was_changed(people: People, refused: Refusing) -> None:
    """The links of later changes were mailed to the stranger: they take nothing away from who had the first address,
    and are worth nothing once that is back. It fails if the addresses in between are not freed."""
    owner, second, third = await people.signed_in(), unused_address(), unused_address()
    old = await move_to(people, owner, second)
    await move_to(people, owner, third)
    assert "EMAIL_RESTORED" in await not_me(people, old, "email-changed")
    strangers_link = await people.mailbox.link(second, "email-changed", "not-me", 2)
    assert "EMAIL_RESTORED" not in await report(people, strangers_link)
    assert (await account(people, email=old)).account_id == owner.account_id
    # The mail that lifts the suspension goes to the address that was brought back, not to the stranger's.
    await people.mailbox.wait_for(old, "sign-in-suspended", 2)
    assert people.mailbox.to(third, "sign-in-suspended") == []


async def test_a_change_that_was_begun_cannot_be_ended(people: People, refused: Refusing) -> None:
    """The link to the stranger's address needs no session: it is void with the report. It fails without that."""
    owner, strangers = await people.with_authenticator(), unused_address()
    await change_email(people, owner, strangers)
    link = await change_link(people, strangers)
    await not_me(people, owner.email, "authenticator-on")
    with refused("LINK_INVALID"):
        await confirm_email(people, link)


@pytest.mark.parametrize("again", [False, True])
async def test_a_suspension_is_mailed_anew(people: People, postgres: EmbeddedPostgres, again: bool) -> None:
    """Also where it was suspended before: that link may have gone elsewhere, and is void."""
    owner = await people.with_authenticator()
    await people.regenerate(owner)
    if again:
        await not_me(people, owner.email, "backup-code-regenerated")
    await not_me(people, owner.email, "authenticator-on")
    await people.mailbox.wait_for(owner.email, "sign-in-suspended", 1 + again)
    links = await query(
        postgres.url,
        "SELECT void_time FROM mailed_links WHERE account_id = $1::text::uuid AND purpose = 'confirm-sign-in'",
        owner.account_id,
    )
    assert sorted(link["void_time"] is None for link in links) == [False] * again + [True]


async def test_an_identity_is_unlinked(people: People, refused: Refusing) -> None:
    """The link of a notice of a new identity removes that identity, and it is free for another account; what else the
    account has stays. It fails with a notice that has no such link, as it was once sent."""
    owner, other = await people.with_authenticator(), await people.signed_in()
    subject = f"stranger-of-{owner.account_id}"
    await link(people, owner, people.openid.signed_in(subject))
    undone = await not_me(people, owner.email, "identity-linked", NEW_PASSWORD)
    assert undone == ["SESSIONS_ENDED", "PASSWORD_CHANGED", "IDENTITY_UNLINKED"]
    with refused("IDENTITY_NOT_LINKED"):
        await start(people, people.openid.signed_in(subject))
    await link(people, other, people.openid.signed_in(subject))
    owner.password = NEW_PASSWORD
    await sign_in_by_app(people, owner)


async def test_every_notice_of_a_change_has_its_link(people: People) -> None:
    """And says in words what it does; the mail of a code has none."""
    owner = await people.with_authenticator()
    await sign_in_by_backup_code(people, owner)
    await people.regenerate(owner)
    await people.remove_authenticator(owner)
    links = set()
    for kind in ("authenticator-on", "backup-code-used", "backup-code-regenerated", "authenticator-off"):
        links.add(await people.mailbox.link(owner.email, kind, "not-me"))
        assert "within 7 days" in " ".join(text_of(people.mailbox.to(owner.email, kind)[0]).split())
    assert len(links) == 4
    assert "tfr_" not in text_of(people.mailbox.to(owner.email, "sign-in-code")[0])


async def test_a_changed_password_can_be_reported(people: People, refused: Refusing) -> None:
    """Whoever knew the password and changed it is shut out: the link of that notice sets another one."""
    owner = await people.signed_in()
    request = account_service_pb2.ChangePasswordRequest(
        session_token=owner.session_token, current_password=owner.password, new_password="a stranger's own choice"
    )
    await people.stubs.accounts.ChangePassword(request)
    undone = await not_me(people, owner.email, "password-changed", NEW_PASSWORD)
    assert undone == ["SESSIONS_ENDED", "PASSWORD_CHANGED"]
    owner.password = "a stranger's own choice"
    with refused("CREDENTIALS_MISMATCH"):
        await people.challenge_for(owner)
    owner.password = NEW_PASSWORD
    await sign_in_by_mail(people, owner, 2)
