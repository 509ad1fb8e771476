"""What owners do with their passwords in these stories, and the link that is mailed to them."""

import re
from uuid import UUID, uuid4

from google.protobuf.timestamp_pb2 import Timestamp

from tests.article.steps import vouched_challenge
from tests.people import People, Person
from tests.servers import text_of
from twofactor.v1 import account_service_pb2, types_pb2

NEW = "an even better horse"
_LINK = re.compile(r"^\S*/reset-password\?token=(tfr_\S+)$", re.MULTILINE)


async def change(people: People, owner: Person, new: str = NEW, request_id: str = "", current: str = "") -> None:
    """ChangePassword in the owner's session."""
    request = account_service_pb2.ChangePasswordRequest(
        session_token=owner.session_token, current_password=current or owner.password, new_password=new,
        request_id=request_id, client=people.client,
    )  # fmt: skip
    await people.stubs.accounts.ChangePassword(request)


async def set_first(
    people: People, owner: Person, new: str = NEW, request_id: str = "", given: types_pb2.Reauthentication | None = None
) -> None:
    """SetPassword in the owner's session; a trusted caller vouches unless something else is given."""
    request = account_service_pb2.SetPasswordRequest(
        session_token=owner.session_token, reauthentication=given or vouched_for(people, owner), new_password=new,
        request_id=request_id, client=people.client,
    )  # fmt: skip
    await people.stubs.accounts.SetPassword(request)


async def start_reset(people: People, email: str, client: types_pb2.ClientInfo | None = None) -> bytes:
    """StartPasswordReset; the answer's bytes."""
    request = account_service_pb2.StartPasswordResetRequest(email=email, client=client or people.client)
    return (await people.stubs.accounts.StartPasswordReset(request)).SerializeToString()


async def complete_reset(people: People, token: str, new: str = NEW) -> None:
    """CompletePasswordReset."""
    request = account_service_pb2.CompletePasswordResetRequest(
        reset_token=token, new_password=new, client=people.client
    )
    await people.stubs.accounts.CompletePasswordReset(request)


async def mailed_token(people: People, email: str, count: int = 1) -> str:
    """The token in the newest reset mail, once there are ``count`` of them."""
    text = text_of(await people.mailbox.newest(email, "password-reset", count))
    (token,) = _LINK.findall(text)
    assert isinstance(token, str)
    return token


def mailed_tokens(people: People, email: str) -> list[str]:
    """The tokens in all reset mails that have come."""
    texts = [text_of(mail) for mail in people.mailbox.to(email, "password-reset")]
    return [_LINK.findall(text)[0] for text in texts]


async def reset_token(people: People, email: str, count: int = 1) -> str:
    """Ask for a link, and read it."""
    await start_reset(people, email)
    return await mailed_token(people, email, count)


async def without_a_password(people: People) -> Person:
    """On e-mail codes and signed in, by the word of a trusted caller."""
    request = account_service_pb2.CreateAccountRequest(email=f"{uuid4().hex[:12]}@example.test")
    account = (await people.stubs.accounts.CreateAccount(request)).account
    owner = Person(account.email, account.account_id)
    challenge = await vouched_challenge(people, owner)
    signed_in = await people.verify_email_code(challenge, await people.mailbox.code(owner.email))
    owner.session_token = signed_in.session_token
    return owner


def vouched_for(people: People, owner: Person) -> types_pb2.Reauthentication:
    """A trusted caller's word, given now."""
    auth_time = Timestamp()
    auth_time.FromDatetime(people.clock.now)
    return types_pb2.Reauthentication(
        asserted=types_pb2.AssertedFirstFactor(account_id=str(UUID(owner.account_id)), auth_time=auth_time)
    )


async def account(people: People, owner: Person) -> types_pb2.Account:
    """GetAccount."""
    request = account_service_pb2.GetAccountRequest(account_id=owner.account_id)
    return (await people.stubs.accounts.GetAccount(request)).account
