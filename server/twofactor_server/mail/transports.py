"""How a mail leaves. Every way out has the same ``send``, and fails with one of two errors."""

from email.message import EmailMessage
from pathlib import Path
from typing import Protocol
from uuid import UUID

from twofactor_server.mail.failures import PermanentDeliveryError, TemporaryDeliveryError
from twofactor_server.mail.folder import MailFolder

__all__ = ["MailFolder", "PermanentDeliveryError", "TemporaryDeliveryError", "Transport", "transport_from"]


class Transport(Protocol):
    """A way out. Any number of ``send`` may run at once."""

    async def send(self, message: EmailMessage, message_id: UUID, *, first_attempt: bool = False) -> None:
        """Hand over one mail to its one recipient, for good when this returns.

        ``first_attempt``: the caller knows that nobody has tried to send ``message_id`` before, which spares
        the search for an earlier copy. Raises PermanentDeliveryError if this mail will never be accepted, and
        TemporaryDeliveryError if it may be later; it may then, rarely, have been accepted all the same.
        """


def transport_from(url: str | None, folder: Path) -> Transport:
    """SMTP if there is a URL, otherwise ``.eml`` files in ``folder``, which is made if it is absent.

    Raises ValueError, with a sentence that does not repeat the URL, if the URL cannot be used; OSError if the
    folder cannot be made.
    """
    if url is None:
        return MailFolder(folder)
    # Its library takes some 50 ms to import: only who uses it waits, and at the start, not at the first mail.
    from twofactor_server.mail.smtp import SmtpTransport

    return SmtpTransport(url)
