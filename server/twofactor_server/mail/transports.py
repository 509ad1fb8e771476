"""The interface of mail transports, and their errors."""

from email.message import EmailMessage
from typing import Protocol
from uuid import UUID


class PermanentDeliveryError(Exception):
    """This mail will never be accepted; do not retry. The message holds no address, code or password."""


class TemporaryDeliveryError(Exception):
    """The mail was not accepted now; retry later. The message holds no address, code or password."""


class Transport(Protocol):
    """``send`` may run concurrently."""

    async def send(self, message: EmailMessage, message_id: UUID, *, first_attempt: bool = False) -> None:
        """Hand over one mail to its one recipient. When this returns, the mail is stored durably.

        ``first_attempt``: the caller knows that ``message_id`` was never sent before, which saves the search for an
        earlier copy. Raises PermanentDeliveryError, or TemporaryDeliveryError; after the latter the mail may, rarely,
        have been accepted anyway.
        """
