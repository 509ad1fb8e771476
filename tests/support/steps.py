"""Steps that several stories share."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any

from tests.support.factories import AccountFactory, Owner
from tests.support.rpc import CLIENT
from twofactor.v1 import account_service_pb2, types_pb2

STEP = timedelta(seconds=30)
"""One time step of an authenticator app."""

NEW_PASSWORD = "another fine password"

FAILED = "second-factor-failed"
SUSPENDED = "sign-in-suspended"
"""Kinds of e-mails."""


def from_network(number: int) -> types_pb2.ClientInfo:
    """The same browser in another network."""
    return types_pb2.ClientInfo(ip_address=f"198.18.{number}.7", user_agent=CLIENT.user_agent)


def wrong_backup_codes() -> Iterator[str]:
    """Well-formed codes that were never issued, all different."""
    return (f"{number:016d}" for number in count(1))


def wrong_digits(code: str, offset: int = 1) -> str:
    """Six digits that are not ``code``."""
    return f"{(int(code) + offset) % 10**6:06d}"


async def sign_in_by_app(factory: AccountFactory, owner: Owner, request_id: str = "") -> Any:
    """Sign in with the app's current code, in a time step of its own."""
    factory.clock.advance(STEP)
    challenge = await factory.challenge_for(owner)
    code = owner.code_at(factory.clock.now)
    return await factory.rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=code, request_id=request_id)


async def sign_in_by_email(factory: AccountFactory, owner: Owner, nth: int) -> Any:
    """Sign in with the account's ``nth`` e-mailed code, requested once the earlier ones have arrived."""
    await factory.mailbox.wait_for(owner.email, "sign-in-code", nth - 1)
    challenge = await factory.challenge_for(owner)
    code = await factory.mailbox.code(owner.email, nth)
    return await factory.rpc.VerifyEmailCode(challenge_token=challenge, code=code)


async def sign_in_by_backup_code(factory: AccountFactory, owner: Owner, request_id: str = "") -> Any:
    """Sign in with the backup code; the owner keeps the new one."""
    challenge = await factory.challenge_for(owner)
    signed_in = await factory.rpc.UseBackupCode(
        challenge_token=challenge, backup_code=owner.backup_code, request_id=request_id
    )
    owner.backup_code = signed_in.new_backup_code.code
    owner.generation = signed_in.new_backup_code.generation
    return signed_in


async def change_password(
    factory: AccountFactory, owner: Owner, new: str = NEW_PASSWORD, request_id: str = "", current: str = ""
) -> None:
    """Change the password in the owner's session."""
    await factory.rpc.ChangePassword(
        session_token=owner.session_token,
        current_password=current or owner.password,
        new_password=new,
        request_id=request_id,
    )


async def set_password(
    factory: AccountFactory,
    owner: Owner,
    new: str = NEW_PASSWORD,
    request_id: str = "",
    proof: types_pb2.Reauthentication | None = None,
) -> None:
    """Set the first password in the owner's session; a trusted caller's assertion is the default proof."""
    fields = factory.by_assertion(owner)
    if proof is not None:
        fields["reauthentication"] = proof
    await factory.rpc.SetPassword(**fields, new_password=new, request_id=request_id)


async def emailed_reset_token(factory: AccountFactory, email: str, nth: int = 1) -> str:
    """The token of the newest password reset link, once ``nth`` of them have arrived."""
    return await factory.mailbox.link(email, "password-reset", "reset-password", nth)


async def request_reset_token(factory: AccountFactory, email: str, nth: int = 1) -> str:
    """Request a password reset link, and read its token."""
    await factory.rpc.StartPasswordReset(email=email)
    return await emailed_reset_token(factory, email, nth)


async def complete_password_reset(factory: AccountFactory, token: str, new: str = NEW_PASSWORD) -> None:
    """Reset the password by an e-mailed token."""
    await factory.rpc.CompletePasswordReset(reset_token=token, new_password=new)


async def email_change_token(factory: AccountFactory, email: str, nth: int = 1) -> str:
    """The token that confirms the new address, from its newest e-mail."""
    return await factory.mailbox.link(email, "email-change", "confirm-email", nth)


async def move_to_email(factory: AccountFactory, owner: Owner, new_email: str) -> str:
    """Change the e-mail address and confirm it; returns the previous address."""
    await factory.rpc.ChangeEmail(**owner.by_password(), new_email=new_email)
    await factory.rpc.ConfirmEmailChange(token=await email_change_token(factory, new_email))
    old, owner.email = owner.email, new_email
    return old


async def report_not_me(
    factory: AccountFactory, email: str, kind: str, new_password: str = "", nth: int = 1
) -> list[str]:
    """Follow the "this wasn't me" link in the newest e-mail of this kind; returns the names of what was undone."""
    return await report_token(factory, await factory.mailbox.link(email, kind, "not-me", nth), new_password)


async def report_token(factory: AccountFactory, token: str, new_password: str = "") -> list[str]:
    """Report by this token; returns the names of what was undone, without their prefix."""
    undone = (await factory.rpc.ReportNotMe(token=token, new_password=new_password)).undone
    return [account_service_pb2.UndoneChange.Name(one).removeprefix("UNDONE_CHANGE_") for one in undone]


async def unlock_token(factory: AccountFactory, owner: Owner, nth: int = 1) -> str:
    """The token that lifts the owner's ``nth`` suspension."""
    return await factory.mailbox.link(owner.email, "sign-in-suspended", "confirm-sign-in", nth)


async def lift_suspension(factory: AccountFactory, owner: Owner, nth: int = 1) -> None:
    """Follow the link and choose another password; the first factor is no longer suspended."""
    owner.password = f"another good password {nth}"
    token = await unlock_token(factory, owner, nth)
    await factory.rpc.ConfirmFirstFactor(token=token, new_password=owner.password)
