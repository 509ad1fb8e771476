"""Mails: the owner is told of every change, once, and never a code or a secret with it."""

import re
from email.message import EmailMessage

import pytest

from tests.article.steps import STEP, sign_in_by_app, sign_in_by_backup_code, sign_in_by_mail
from tests.conftest import Refusing
from tests.people import CLIENT, People, Person
from tests.security.tables import rows
from tests.servers import text_of
from twofactor_server.postgres import EmbeddedPostgres

KINDS = ("sign-in-code", "authenticator-on", "authenticator-off", "backup-code-used", "backup-code-regenerated")


async def mails(people: People, owner: Person, **expected: int) -> list[EmailMessage]:
    """Wait for so many mails of each kind; there are no others, and the notices among them are returned."""
    counts = {name.replace("_", "-"): count for name, count in expected.items()}
    for kind, count in counts.items():
        await people.mailbox.wait_for(owner.email, kind, count)
    found = people.mailbox.to(owner.email)
    told = {kind: sum(mail["X-Twofactor-Kind"] == kind for mail in found) for kind in KINDS}
    assert told == dict.fromkeys(KINDS, 0) | counts
    return [mail for mail in found if mail["X-Twofactor-Kind"] != "sign-in-code"]


def whole(mail: EmailMessage) -> str:
    """All that the mail says, headers and both forms."""
    html = mail.get_body(("html",))
    assert html is not None
    return "\n".join([*(f"{name}: {value}" for name, value in mail.items()), text_of(mail), html.get_content()])


async def test_each_change_is_mailed_once(people: People) -> None:
    """ "Every use, regeneration, setup and removal is mailed to the owner (never with a code in it), with the time, the
    IP address" and what to do if it was somebody else."""
    owner = await people.with_authenticator()
    codes = [owner.backup_code]
    await sign_in_by_backup_code(people, owner)
    codes.append(owner.backup_code)
    codes.append((await people.regenerate(owner)).backup_code.code)
    people.clock.advance(STEP)
    await people.set_up_authenticator(owner)
    codes.append(owner.backup_code)
    await people.remove_authenticator(owner)
    notices = await mails(
        people, owner, sign_in_code=1, authenticator_on=2, authenticator_off=1,
        backup_code_used=1, backup_code_regenerated=1,
    )  # fmt: skip
    forbidden = [*codes, *(code.replace(" ", "") for code in codes), owner.secret, owner.password]
    for mail in notices:
        said = whole(mail)
        assert not [text for text in forbidden if text.lower() in said.lower()]
        assert not re.search(r"^\s*\d{6}\s*$", said, re.MULTILINE)
        assert CLIENT.ip_address in text_of(mail)
        assert re.search(r"\d{1,2} \w+ 20\d\d, \d\d:\d\d UTC", text_of(mail))
        assert "Firefox on Linux" in text_of(mail)
        assert "not you?" in text_of(mail)
    assert len({mail["Message-ID"] for mail in people.mailbox.to(owner.email)}) == 6


async def test_a_move_is_told_as_a_move(people: People) -> None:
    """The first setup and the move to a new phone are two different things to be told."""
    owner = await people.with_authenticator()
    people.clock.advance(STEP)
    await people.set_up_authenticator(owner)
    first, second = await mails(people, owner, sign_in_code=1, authenticator_on=2)
    assert first["Subject"] == "Your authenticator app is on"
    assert second["Subject"] == "Your authenticator app was moved to a new phone"


async def test_the_use_mail_says_how_to_get_back(people: People) -> None:
    """ "The "backup code used" mail says how to get back to" the new code when the answer was lost."""
    owner = await people.with_authenticator()
    await sign_in_by_backup_code(people, owner)
    mail = await people.mailbox.newest(owner.email, "backup-code-used")
    text = " ".join(text_of(mail).split())
    assert "Reload that page" in text
    assert "24 hours" in text
    assert "Regenerate backup code" in text


async def test_removing_twice_is_told_once(people: People) -> None:
    """RemoveAuthenticator: "already on e-mail codes: OK, no second mail"."""
    owner = await people.with_authenticator()
    for _ in range(3):
        await people.remove_authenticator(owner)
    await sign_in_by_mail(people, owner, 2)
    await mails(people, owner, sign_in_code=2, authenticator_on=1, authenticator_off=1)


@pytest.mark.parametrize("what", ["wrong code", "used code", "wrong password", "cancelled setup", "saved", "sign-in"])
async def test_nobody_is_bothered_for_nothing(
    people: People, refused: Refusing, postgres: EmbeddedPostgres, what: str
) -> None:
    """What changes nothing mails nothing: refusals, setups that were not confirmed, saying saved, signing in."""
    owner = await people.with_authenticator()
    used = owner.backup_code
    await sign_in_by_backup_code(people, owner)
    before = await rows(postgres.url, "outbox", owner.account_id)
    match what:
        case "wrong code":
            with refused("CODE_MISMATCH"):
                await people.use_backup_code(await people.challenge_for(owner), "abcd 1234 ef56 7890")
        case "used code":
            with refused("CODE_ALREADY_USED"):
                await people.use_backup_code(await people.challenge_for(owner), used)
        case "wrong password":
            with refused("REAUTHENTICATION_FAILED"):
                await people.regenerate(owner, password="wrong")
        case "cancelled setup":
            await people.cancel_setup(owner, (await people.start_setup(owner)).setup_id)
        case "saved":
            await people.confirm_saved(owner.session_token, owner.generation)
        case "sign-in":
            await sign_in_by_app(people, owner)
    assert len(await rows(postgres.url, "outbox", owner.account_id)) == len(before)


async def test_a_delivered_mail_leaves_no_payload(people: People, postgres: EmbeddedPostgres) -> None:
    """ "The outbox's payloads … are sealed like the TOTP secrets and erased on delivery." """
    owner = await people.with_authenticator()
    await people.mailbox.wait_for(owner.email, "authenticator-on")
    for _ in range(200):
        outbox = await rows(postgres.url, "outbox", owner.account_id)
        if all(row["send_time"] for row in outbox):
            break
    assert [row["payload"] for row in outbox] == [None, None]
