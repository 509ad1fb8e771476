"""The suspended first factor in stories: the mail that tells of it, and the owner who follows its link."""

import re
from email.message import EmailMessage

from tests.people import People, Person
from tests.servers import text_of
from twofactor.v1 import account_service_pb2

SUSPENDED = "sign-in-suspended"
FAILED = "second-factor-failed"


def link_in(mail: EmailMessage) -> str:
    """The token of the mail's link, which stands alone on its line."""
    found = re.search(r"^http://localhost:8080/confirm-sign-in\?token=(tfr_[\w-]+)$", text_of(mail), re.MULTILINE)
    assert found, text_of(mail)
    return found[1]


async def mailed_link(people: People, owner: Person, nth: int = 1) -> str:
    """The token of the link that lifts the owner's ``nth`` suspension."""
    return link_in(await people.mailbox.newest(owner.email, SUSPENDED, nth))


async def confirm(people: People, token: str, new_password: str = "") -> None:
    """ConfirmFirstFactor."""
    request = account_service_pb2.ConfirmFirstFactorRequest(
        token=token, new_password=new_password, client=people.client
    )
    await people.stubs.accounts.ConfirmFirstFactor(request)


async def lift(people: People, owner: Person, nth: int = 1) -> None:
    """The owner follows the link, chooses another password, and is suspended no longer."""
    owner.password = f"another good password {nth}"
    await confirm(people, await mailed_link(people, owner, nth), owner.password)
