"""Notices: the owner is notified of every change once, without codes or secrets."""

import re
from email.message import EmailMessage

import pytest

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner
from tests.support.mailbox import Mailbox, text_of
from tests.support.rpc import CLIENT, Rpc, refused
from tests.support.steps import STEP, sign_in_by_app, sign_in_by_backup_code, sign_in_by_email
from tests.support.tables import rows
from twofactor_server.postgres import EmbeddedPostgres

KINDS = ("sign-in-code", "authenticator-on", "authenticator-off", "backup-code-used", "backup-code-regenerated")


async def notices_of(factory: AccountFactory, owner: Owner, **expected: int) -> list[EmailMessage]:
    """Wait for these counts of each kind, assert that there are no others, and return the notices."""
    counts = {name.replace("_", "-"): count for name, count in expected.items()}
    for kind, count in counts.items():
        await factory.mailbox.wait_for(owner.email, kind, count)
    found = factory.mailbox.to(owner.email)
    counted = {kind: sum(mail["X-Twofactor-Kind"] == kind for mail in found) for kind in KINDS}
    assert counted == dict.fromkeys(KINDS, 0) | counts
    return [mail for mail in found if mail["X-Twofactor-Kind"] != "sign-in-code"]


def content_of(mail: EmailMessage) -> str:
    """The whole content of the e-mail: headers and both parts."""
    html = mail.get_body(("html",))
    assert html is not None
    return "\n".join([*(f"{name}: {value}" for name, value in mail.items()), text_of(mail), html.get_content()])


async def test_each_change_sends_one_notice(factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, clock: Clock) -> None:
    """ "Every use, regeneration, setup and removal is mailed to the owner (never with a code in it), with the time, the
    IP address" and what to do if it was not the owner."""
    owner = await factory.account_with_authenticator()
    codes = [owner.backup_code]
    await sign_in_by_backup_code(factory, owner)
    codes.append(owner.backup_code)
    codes.append((await rpc.RegenerateBackupCode(**owner.by_password())).backup_code.code)
    clock.advance(STEP)
    await factory.set_up_authenticator(owner)
    codes.append(owner.backup_code)
    await rpc.RemoveAuthenticator(**owner.by_password())
    notices = await notices_of(
        factory, owner, sign_in_code=1, authenticator_on=2, authenticator_off=1,
        backup_code_used=1, backup_code_regenerated=1,
    )  # fmt: skip
    forbidden = [*codes, *(code.replace(" ", "") for code in codes), owner.secret, owner.password]
    for mail in notices:
        content = content_of(mail)
        assert not [text for text in forbidden if text.lower() in content.lower()]
        assert not re.search(r"^\s*\d{6}\s*$", content, re.MULTILINE)
        assert CLIENT.ip_address in text_of(mail)
        assert re.search(r"\d{1,2} \w+ 20\d\d, \d\d:\d\d UTC", text_of(mail))
        assert "Firefox on Linux" in text_of(mail)
        assert "not you?" in text_of(mail)
    assert len({mail["Message-ID"] for mail in mailbox.to(owner.email)}) == 6


async def test_setup_and_move_have_different_notices(factory: AccountFactory, clock: Clock) -> None:
    owner = await factory.account_with_authenticator()
    clock.advance(STEP)
    await factory.set_up_authenticator(owner)
    first, second = await notices_of(factory, owner, sign_in_code=1, authenticator_on=2)
    assert first["Subject"] == "Your authenticator app is on"
    assert second["Subject"] == "Your authenticator app was moved to a new phone"


async def test_the_use_notice_explains_recovery(factory: AccountFactory, mailbox: Mailbox) -> None:
    """It says how to get the new code if the answer was lost."""
    owner = await factory.account_with_authenticator()
    await sign_in_by_backup_code(factory, owner)
    mail = await mailbox.newest(owner.email, "backup-code-used")
    text = " ".join(text_of(mail).split())
    assert "reload that page" in text
    assert "24 hours" in text
    assert "Regenerate backup code" in text


async def test_removing_twice_sends_one_notice(factory: AccountFactory, rpc: Rpc) -> None:
    """RemoveAuthenticator: "already on e-mail codes: OK, no second mail"."""
    owner = await factory.account_with_authenticator()
    for _ in range(3):
        await rpc.RemoveAuthenticator(**owner.by_password())
    await sign_in_by_email(factory, owner, 2)
    await notices_of(factory, owner, sign_in_code=2, authenticator_on=1, authenticator_off=1)


@pytest.mark.parametrize("what", ["wrong code", "used code", "wrong password", "cancelled setup", "saved", "sign-in"])
async def test_no_notice_without_a_change(
    factory: AccountFactory, rpc: Rpc, postgres: EmbeddedPostgres, what: str
) -> None:
    """Refusals, unconfirmed setups, ConfirmBackupCodeSaved and sign-ins send no notice."""
    owner = await factory.account_with_authenticator()
    used = owner.backup_code
    await sign_in_by_backup_code(factory, owner)
    before = await rows(postgres.url, "outbox", owner.account_id)
    match what:
        case "wrong code":
            with refused("CODE_MISMATCH"):
                await rpc.UseBackupCode(
                    challenge_token=await factory.challenge_for(owner), backup_code="abcd 1234 ef56 7890"
                )
        case "used code":
            with refused("CODE_ALREADY_USED"):
                await rpc.UseBackupCode(challenge_token=await factory.challenge_for(owner), backup_code=used)
        case "wrong password":
            with refused("REAUTHENTICATION_FAILED"):
                await rpc.RegenerateBackupCode(**owner.by_password(password="wrong"))
        case "cancelled setup":
            await rpc.CancelAuthenticatorSetup(
                session_token=owner.session_token,
                setup_id=(await rpc.StartAuthenticatorSetup(**owner.by_password())).setup_id,
            )
        case "saved":
            await rpc.ConfirmBackupCodeSaved(session_token=owner.session_token, generation=owner.generation)
        case "sign-in":
            await sign_in_by_app(factory, owner)
    assert len(await rows(postgres.url, "outbox", owner.account_id)) == len(before)


async def test_payloads_are_erased_on_delivery(
    factory: AccountFactory, mailbox: Mailbox, postgres: EmbeddedPostgres
) -> None:
    """ "The outbox's payloads … are sealed like the TOTP secrets and erased on delivery." """
    owner = await factory.account_with_authenticator()
    await mailbox.wait_for(owner.email, "authenticator-on")
    for _ in range(200):
        outbox = await rows(postgres.url, "outbox", owner.account_id)
        if all(row["send_time"] for row in outbox):
            break
    assert [row["payload"] for row in outbox] == [None, None]
