"""The mail folder: each mail a file, for developers, demonstrations and tests."""

import asyncio
import os
import time
from email.message import EmailMessage
from email.policy import EmailPolicy
from pathlib import Path
from uuid import UUID, uuid4

from twofactor_server.mail.failures import TemporaryDeliveryError


class MailFolder:
    """Writes ``<UTC milliseconds>-<message id>.eml``, mode 0600, into a folder of mode 0700.

    The milliseconds are the system clock's at the writing: names sort by age whatever a test clock says.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._make_folder()
        path.chmod(0o700)  # it may have been there before us

    async def send(self, message: EmailMessage, message_id: UUID, *, first_attempt: bool = False) -> None:
        """Write the mail, unless a file of this ``message_id`` is there already. See ``Transport.send``."""
        try:
            await asyncio.to_thread(self._deliver, message, message_id, first_attempt)
        except OSError as trouble:
            raise TemporaryDeliveryError(f"mail {message_id}: mail folder: {trouble.strerror}") from trouble

    def _deliver(self, message: EmailMessage, message_id: UUID, first_attempt: bool) -> None:
        self._make_folder()
        if not first_attempt and self._is_delivered(message_id):
            return
        # A name of its own for each attempt: two servers may hold the same mail when a lease has run out.
        partial = self._path / f".{message_id}-{uuid4().hex}.partial"
        try:
            _write(partial, _bytes(message))
            partial.rename(self._path / f"{time.time_ns() // 1_000_000}-{message_id}.eml")
        finally:
            partial.unlink(missing_ok=True)
        _sync(self._path)  # or the new name may be gone after a power failure, and the mail with it

    def _is_delivered(self, message_id: UUID) -> bool:
        """Whether an earlier attempt succeeded. What a killed one left half written is cleared away."""
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
    # Only an address outside ASCII needs headers in UTF-8 (RFC 6532), which not every tool reads.
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
