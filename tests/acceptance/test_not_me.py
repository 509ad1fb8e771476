"""ReportNotMe ("this wasn't me"): all access is revoked, and only the reported change is undone."""

from datetime import timedelta

import pytest

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner, unused_email
from tests.support.identity_steps import link_identity, start_sign_in_by
from tests.support.mailbox import Mailbox, text_of
from tests.support.rpc import Rpc, refused
from tests.support.steps import (
    NEW_PASSWORD,
    email_change_token,
    move_to_email,
    report_not_me,
    report_token,
    sign_in_by_app,
    sign_in_by_backup_code,
    sign_in_by_email,
)
from tests.support.tables import audit, query, rows
from twofactor_server.postgres import EmbeddedPostgres


async def is_suspended(postgres: EmbeddedPostgres, owner: Owner) -> bool:
    """Whether the first factor is suspended."""
    return (await rows(postgres.url, "accounts", owner.account_id))[0]["suspend_time"] is not None


async def test_a_report_revokes_all_access(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, postgres: EmbeddedPostgres
) -> None:
    """ "All sessions end, open challenges are void", setups too, and stored replies are erased. Without a new password
    the first factor is suspended, and its owner gets the unlock link."""
    owner = await factory.account_with_authenticator()
    setup = await rpc.StartAuthenticatorSetup(**owner.by_password())
    challenge, request_id = await factory.challenge_for(owner), "0f7d0b52-7c39-4a3c-9f44-3b8f0e4ad001"
    opened = await rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code, request_id=request_id)
    waiting = await factory.challenge_for(owner)
    undone = await report_not_me(factory, owner.email, "backup-code-used")
    assert undone == ["SESSIONS_ENDED", "FIRST_FACTOR_SUSPENDED", "BACKUP_CODE_RETIRED"]
    for token in (owner.session_token, opened.session_token):
        with refused("SESSION_ENDED"):
            await rpc.GetSession(session_token=token)
    with refused("CHALLENGE_EXPIRED"):
        await rpc.UseBackupCode(challenge_token=waiting, backup_code=opened.new_backup_code.code)
    with refused("REQUEST_ID_EXPIRED"):
        await rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code, request_id=request_id)
    with refused("SESSION_ENDED"):
        await rpc.ConfirmAuthenticatorSetup(session_token=owner.session_token, setup_id=setup.setup_id, code="123456")
    assert all(row["sealed"] is None for row in await rows(postgres.url, "replies", owner.account_id))
    assert all(row["totp_secret"] is None for row in await rows(postgres.url, "authenticator_setups", owner.account_id))
    assert await is_suspended(postgres, owner)
    assert await mailbox.link(owner.email, "sign-in-suspended", "confirm-sign-in")
    (event,) = [one for one in await audit(postgres.url, owner.account_id) if one["action"] == "report_not_me"]
    assert event["outcome"] == "success"
    assert "BACKUP_CODE_RETIRED" in event["details"]


async def test_a_report_with_a_new_password(
    factory: AccountFactory, mailbox: Mailbox, postgres: EmbeddedPostgres
) -> None:
    """The new password replaces the old one, and the second factor is still required. A retry returns the same; with
    another password it is LINK_INVALID."""
    owner = await factory.account_with_authenticator()
    await sign_in_by_backup_code(factory, owner)
    link = await mailbox.link(owner.email, "backup-code-used", "not-me")
    expected = ["SESSIONS_ENDED", "PASSWORD_CHANGED", "BACKUP_CODE_RETIRED"]
    assert await report_token(factory, link, NEW_PASSWORD) == expected
    before = await rows(postgres.url, "second_factors", owner.account_id)
    assert await report_token(factory, link, NEW_PASSWORD) == expected
    assert await rows(postgres.url, "second_factors", owner.account_id) == before
    for other in ("", "yet another password"):
        with refused("LINK_INVALID"):
            await report_token(factory, link, other)
    with refused("CREDENTIALS_MISMATCH"):
        await factory.challenge_for(owner)
    owner.password = NEW_PASSWORD
    await sign_in_by_app(factory, owner)
    assert not await is_suspended(postgres, owner)


async def test_a_report_without_a_password(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, postgres: EmbeddedPostgres
) -> None:
    """A new password is INVALID_FIELD, and nothing is suspended."""
    owner = await factory.account_without_password()
    old, new = owner.email, unused_email()
    await rpc.ChangeEmail(**factory.by_assertion(owner), new_email=new)
    await rpc.ConfirmEmailChange(token=await email_change_token(factory, new))
    with refused("INVALID_FIELD") as refusal:
        await report_not_me(factory, old, "email-changed", NEW_PASSWORD)
    assert refusal.value.fields == ("new_password",)
    assert await report_not_me(factory, old, "email-changed") == ["SESSIONS_ENDED", "EMAIL_RESTORED"]
    assert not await is_suspended(postgres, owner)
    assert mailbox.to(old, "sign-in-suspended") == []


async def test_a_report_replaces_the_unlock_link_of_an_account_without_password(
    factory: AccountFactory, mailbox: Mailbox, postgres: EmbeddedPostgres
) -> None:
    """The previous unlock link may have been sent to the attacker's address: it is void, and the owner gets another.
    Fails if accounts without a password are skipped."""
    owner = await factory.account_with_authenticator()
    for statement in (
        "UPDATE accounts SET password_hash = NULL, suspend_time = create_time WHERE account_id = $1::text::uuid",
        "INSERT INTO mailed_links (account_id, link_id, token_digest, purpose, create_time, expire_time) "
        "SELECT account_id, gen_random_uuid(), '', 'confirm-sign-in', create_time, expire_time FROM mailed_links "
        "WHERE account_id = $1::text::uuid",
    ):
        await query(postgres.url, statement, owner.account_id)
    assert await report_not_me(factory, owner.email, "authenticator-on") == ["SESSIONS_ENDED", "AUTHENTICATOR_REMOVED"]
    assert await is_suspended(postgres, owner)
    await mailbox.link(owner.email, "sign-in-suspended", "confirm-sign-in")
    links = [link for link in await rows(postgres.url, "mailed_links", owner.account_id) if not link["use_time"]]
    assert sorted(link["void_time"] is None for link in links) == [False, True]


async def test_invalid_links(factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, clock: Clock) -> None:
    """After a rejected password the link still works. Expired after seven days, made up, or of another purpose:
    LINK_INVALID."""
    owner, new = await factory.account_with_authenticator(), unused_email()
    link = await mailbox.link(owner.email, "authenticator-on", "not-me")
    with refused("PASSWORD_REJECTED") as refusal:
        await report_token(factory, link, "short")
    assert refusal.value.fields == ("new_password",)
    await rpc.ChangeEmail(**owner.by_password(), new_email=new)
    made_up = link[:-4] + ("AAAA" if link[-4:] != "AAAA" else "BBBB")
    for wrong in (made_up, await email_change_token(factory, new)):
        with refused("LINK_INVALID"):
            await report_token(factory, wrong)
    await rpc.GetSession(session_token=owner.session_token)
    clock.advance(timedelta(days=7))
    with refused("LINK_INVALID"):
        await report_token(factory, link)


async def test_a_report_restores_the_address(factory: AccountFactory, rpc: Rpc, mailbox: Mailbox) -> None:
    """ "The old address is told, and can undo": notices go there again, and the other address is free."""
    owner, attackers = await factory.signed_in_account(), unused_email()
    old = await move_to_email(factory, owner, attackers)
    undone = await report_not_me(factory, old, "email-changed", NEW_PASSWORD)
    assert undone == ["SESSIONS_ENDED", "PASSWORD_CHANGED", "EMAIL_RESTORED"]
    found = (await rpc.GetAccount(email=old)).account
    assert (found.account_id, found.email_verified) == (owner.account_id, True)
    await rpc.CreateAccount(email=attackers)
    await sign_in_by_email(factory, Owner(old, owner.account_id, NEW_PASSWORD), 2)
    assert mailbox.to(attackers, "sign-in-code") == []


async def test_a_report_restores_the_address_after_several_changes(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox
) -> None:
    """The links of later changes went to the attacker. They do not affect the owner of the first address, and are void
    once it is restored. Fails if the addresses in between are not released."""
    owner, second, third = await factory.signed_in_account(), unused_email(), unused_email()
    old = await move_to_email(factory, owner, second)
    await move_to_email(factory, owner, third)
    assert "EMAIL_RESTORED" in await report_not_me(factory, old, "email-changed")
    strangers_link = await mailbox.link(second, "email-changed", "not-me", 2)
    assert "EMAIL_RESTORED" not in await report_token(factory, strangers_link)
    assert (await rpc.GetAccount(email=old)).account.account_id == owner.account_id
    # The unlock link goes to the restored address, not to the attacker's.
    await mailbox.wait_for(old, "sign-in-suspended", 2)
    assert mailbox.to(third, "sign-in-suspended") == []


async def test_a_report_voids_a_pending_address_change(factory: AccountFactory, rpc: Rpc) -> None:
    """The link sent to the attacker's address needs no session. Fails if the report does not void it."""
    owner, attackers = await factory.account_with_authenticator(), unused_email()
    await rpc.ChangeEmail(**owner.by_password(), new_email=attackers)
    link = await email_change_token(factory, attackers)
    await report_not_me(factory, owner.email, "authenticator-on")
    with refused("LINK_INVALID"):
        await rpc.ConfirmEmailChange(token=link)


@pytest.mark.parametrize("again", [False, True])
async def test_a_report_replaces_the_unlock_link(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, postgres: EmbeddedPostgres, again: bool
) -> None:
    """Also if the first factor was suspended before: the previous link may have gone elsewhere, and is void."""
    owner = await factory.account_with_authenticator()
    await rpc.RegenerateBackupCode(**owner.by_password())
    if again:
        await report_not_me(factory, owner.email, "backup-code-regenerated")
    await report_not_me(factory, owner.email, "authenticator-on")
    await mailbox.wait_for(owner.email, "sign-in-suspended", 1 + again)
    links = await query(
        postgres.url,
        "SELECT void_time FROM mailed_links WHERE account_id = $1::text::uuid AND purpose = 'confirm-sign-in'",
        owner.account_id,
    )
    assert sorted(link["void_time"] is None for link in links) == [False] * again + [True]


async def test_a_report_unlinks_the_new_identity(factory: AccountFactory) -> None:
    """The identity is free for another account, and other identities stay. Fails if the notice has no such link."""
    owner, other = await factory.account_with_authenticator(), await factory.signed_in_account()
    subject = f"attacker-of-{owner.account_id}"
    await link_identity(factory, owner, factory.openid.signed_in(subject))
    undone = await report_not_me(factory, owner.email, "identity-linked", NEW_PASSWORD)
    assert undone == ["SESSIONS_ENDED", "PASSWORD_CHANGED", "IDENTITY_UNLINKED"]
    with refused("IDENTITY_NOT_LINKED"):
        await start_sign_in_by(factory, factory.openid.signed_in(subject))
    await link_identity(factory, other, factory.openid.signed_in(subject))
    owner.password = NEW_PASSWORD
    await sign_in_by_app(factory, owner)


async def test_every_notice_of_a_change_has_an_undo_link(factory: AccountFactory, rpc: Rpc, mailbox: Mailbox) -> None:
    """The notice explains what the link does. E-mails with codes have none."""
    owner = await factory.account_with_authenticator()
    await sign_in_by_backup_code(factory, owner)
    await rpc.RegenerateBackupCode(**owner.by_password())
    await rpc.RemoveAuthenticator(**owner.by_password())
    links = set()
    for kind in ("authenticator-on", "backup-code-used", "backup-code-regenerated", "authenticator-off"):
        links.add(await mailbox.link(owner.email, kind, "not-me"))
        assert "within 7 days" in " ".join(text_of(mailbox.to(owner.email, kind)[0]).split())
    assert len(links) == 4
    assert "tfr_" not in text_of(mailbox.to(owner.email, "sign-in-code")[0])


async def test_a_report_of_a_changed_password(factory: AccountFactory, rpc: Rpc) -> None:
    """The attacker who changed the password loses access, and the link sets another one."""
    owner = await factory.signed_in_account()
    await rpc.ChangePassword(
        session_token=owner.session_token, current_password=owner.password, new_password="a attacker's own choice"
    )
    undone = await report_not_me(factory, owner.email, "password-changed", NEW_PASSWORD)
    assert undone == ["SESSIONS_ENDED", "PASSWORD_CHANGED"]
    owner.password = "a attacker's own choice"
    with refused("CREDENTIALS_MISMATCH"):
        await factory.challenge_for(owner)
    owner.password = NEW_PASSWORD
    await sign_in_by_email(factory, owner, 2)
