"""The mail folder: one file per mail, for development, demonstrations and tests."""

import asyncio
import os
import time
from email.message import EmailMessage
from email.policy import EmailPolicy
from pathlib import Path
from uuid import UUID, uuid4

from twofactor_server.mail.transports import TemporaryDeliveryError


class MailFolder:
    """Writes ``<UTC milliseconds>-<message id>.eml``, mode 0600, into a folder of mode 0700.

    The milliseconds come from the system clock, so names sort by age even if the server runs on a test clock.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._make_folder()
        path.chmod(0o700)  # the folder may have existed with another mode

    async def send(self, message: EmailMessage, message_id: UUID, *, first_attempt: bool = False) -> None:
        """Write the mail unless a file with this ``message_id`` exists. See ``Transport.send``."""
        try:
            await asyncio.to_thread(self._deliver, message, message_id, first_attempt)
        except OSError as error:
            raise TemporaryDeliveryError(f"mail {message_id}: mail folder: {error.strerror}") from error

    def _deliver(self, message: EmailMessage, message_id: UUID, first_attempt: bool) -> None:
        self._make_folder()
        if not first_attempt and self._is_delivered(message_id):
            return
        # Each attempt writes a file of its own: after a lease has expired, two servers may hold the same mail.
        partial = self._path / f".{message_id}-{uuid4().hex}.partial"
        try:
            _write(partial, _bytes(message))
            partial.rename(self._path / f"{time.time_ns() // 1_000_000}-{message_id}.eml")
        finally:
            partial.unlink(missing_ok=True)
        _sync(self._path)  # makes the new name, and so the mail, survive a power failure

    def _is_delivered(self, message_id: UUID) -> bool:
        """Whether an earlier attempt succeeded. Also deletes the partial file of a killed attempt."""
        delivered = False
        for name in os.listdir(self._path):
            if name.endswith(f"-{message_id}.eml"):
                delivered = True
            elif name.startswith(f".{message_id}-"):
                (self._path / name).unlink(missing_ok=True)
        return delivered

    def _make_folder(self) -> None:
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)


def _bytes(message: EmailMessage) -> bytes:
    # Headers in UTF-8 (RFC 6532) only for a non-ASCII address: not every tool can read them.
    return message.as_bytes(policy=EmailPolicy(utf8=not str(message["To"]).isascii()))


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
