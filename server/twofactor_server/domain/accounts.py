"""Accounts: one person's sign-in identity."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Account:
    """A row of ``accounts``. ``password_hash`` is a PHC string, or None for an account without a password.

    ``suspend_time``: since then no sign-in can start, until the owner unlocks the account by a mailed link.
    ``close_time``: since then the account is closed.
    """

    account_id: UUID
    email: str
    email_verify_time: datetime | None
    create_time: datetime
    password_hash: str | None
    password_version: int
    suspend_time: datetime | None = None
    close_time: datetime | None = None
    linked_providers: tuple[str, ...] = ()
