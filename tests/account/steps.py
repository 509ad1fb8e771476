"""What owners do with their accounts, and strangers with other people's."""

from uuid import uuid4

from tests.people import People, Person
from twofactor.v1 import account_service_pb2, types_pb2

NEW_PASSWORD = "another fine password"


def unused_address() -> str:
    """An address that no account has."""
    return f"{uuid4().hex[:12]}@example.test"


async def change_email(people: People, person: Person, new_email: str) -> account_service_pb2.ChangeEmailResponse:
    """ChangeEmail, for the password."""
    request = account_service_pb2.ChangeEmailRequest(
        session_token=person.session_token,
        reauthentication=types_pb2.Reauthentication(password=person.password),
        new_email=new_email,
        client=people.client,
    )
    return await people.stubs.accounts.ChangeEmail(request)


async def confirm_email(people: People, token: str) -> types_pb2.Account:
    """ConfirmEmailChange."""
    request = account_service_pb2.ConfirmEmailChangeRequest(token=token, client=people.client)
    return (await people.stubs.accounts.ConfirmEmailChange(request)).account


async def change_link(people: People, email: str, count: int = 1) -> str:
    """The token by which the new address is confirmed, from its newest mail."""
    return await people.mailbox.link(email, "email-change", "confirm-email", count)


async def move_to(people: People, person: Person, new_email: str) -> str:
    """Change the address and confirm it; the address before."""
    await change_email(people, person, new_email)
    await confirm_email(people, await change_link(people, new_email))
    old, person.email = person.email, new_email
    return old


async def not_me(people: People, email: str, kind: str, new_password: str = "", count: int = 1) -> list[str]:
    """Press "this wasn't me" in the newest mail of this kind."""
    return await report(people, await people.mailbox.link(email, kind, "not-me", count), new_password)


async def report(people: People, token: str, new_password: str = "") -> list[str]:
    """ReportNotMe; the names of what was undone, without their prefix."""
    request = account_service_pb2.ReportNotMeRequest(token=token, new_password=new_password, client=people.client)
    undone = (await people.stubs.accounts.ReportNotMe(request)).undone
    return [account_service_pb2.UndoneChange.Name(one).removeprefix("UNDONE_CHANGE_") for one in undone]


async def close_account(people: People, person: Person) -> None:
    """CloseAccount by the person's session, for the password."""
    request = account_service_pb2.CloseAccountRequest(
        session_token=person.session_token,
        reauthentication=types_pb2.Reauthentication(password=person.password),
        client=people.client,
    )
    await people.stubs.accounts.CloseAccount(request)


async def account(people: People, *, account_id: str = "", email: str = "") -> types_pb2.Account:
    """GetAccount."""
    request = (
        account_service_pb2.GetAccountRequest(account_id=account_id)
        if account_id
        else account_service_pb2.GetAccountRequest(email=email)
    )
    return (await people.stubs.accounts.GetAccount(request)).account
