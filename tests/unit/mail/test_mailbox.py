"""The mailbox of the tests orders mails deterministically, or fails."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.support.mailbox import Mailbox
from tests.unit.mail.letters import BRAND, OWNER, sign_in_code
from twofactor_server.mail.folder import MailFolder
from twofactor_server.mail.messages import render
from twofactor_server.mail.notices import SignInCode

EARLIER, LATER = replace(sign_in_code(), code="111111"), replace(sign_in_code(), code="222222")
MOMENT = timedelta(seconds=1)


async def deliver(folder: Path, *notices: SignInCode, message_id: UUID | None = None) -> None:
    for notice in notices:
        name = message_id or uuid4()
        await MailFolder(folder).send(render(notice, BRAND, name), name)


async def test_of_two_moments_the_later_is_newer_whichever_was_delivered_first(tmp_path: Path) -> None:
    later = replace(LATER, time=EARLIER.time + MOMENT)
    await deliver(tmp_path, later, EARLIER)
    mailbox = Mailbox(tmp_path)
    assert await mailbox.code(OWNER, 2) == "222222"
    assert [mail["Date"].datetime for mail in mailbox.to(OWNER)] == [
        notice.time.replace(microsecond=0) for notice in (EARLIER, later)
    ]


async def test_of_one_moment_the_earlier_is_the_one_that_was_waited_for(tmp_path: Path) -> None:
    mailbox = Mailbox(tmp_path)
    await deliver(tmp_path, EARLIER)
    assert await mailbox.code(OWNER) == "111111"
    await deliver(tmp_path, LATER)
    assert await mailbox.code(OWNER, 2) == "222222"
    assert await mailbox.code(OWNER, 2) == "222222"


@pytest.mark.parametrize("waited", [False, True])
async def test_of_one_moment_that_came_together_neither_is_the_newer(tmp_path: Path, waited: bool) -> None:
    """It fails at once, and not only where the order of delivery happens to be the other one."""
    await deliver(tmp_path, EARLIER, LATER)
    mailbox = Mailbox(tmp_path)
    if waited:
        await mailbox.wait_for(OWNER, "sign-in-code", 2)
    with pytest.raises(AssertionError, match="ambiguous"):
        await mailbox.code(OWNER, 2)


async def test_a_mail_delivered_twice_is_one(tmp_path: Path) -> None:
    message_id = uuid4()
    mailbox = Mailbox(tmp_path)
    await deliver(tmp_path, EARLIER, message_id=message_id)
    (first,) = tmp_path.glob("*.eml")
    first.rename(tmp_path / f"0-{message_id}x.eml")
    await deliver(tmp_path, EARLIER, message_id=message_id)
    assert len(list(tmp_path.glob("*.eml"))) == 2
    assert len(mailbox.to(OWNER)) == 1
