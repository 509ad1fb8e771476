"""SMTP: one connection per mail, encrypted as the URL says, bounded in time."""

import asyncio
import re
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from ipaddress import ip_address
from typing import NoReturn
from urllib.parse import SplitResult, unquote, urlsplit
from uuid import UUID

import aiosmtplib

from twofactor_server.mail.failures import PermanentDeliveryError, TemporaryDeliveryError
from twofactor_server.mail.wording import one_line

SEND_SECONDS = 30.0
"""The longest that one ``send`` takes, the farewell aside. A delivery lease must be longer."""

_QUIT_SECONDS = 1.0
_ANSWER_LENGTH = 200
_ENCODE = "percent-encode what is special in user and password"

_Refusal = aiosmtplib.SMTPRecipientsRefused | aiosmtplib.SMTPDataError


@dataclass(frozen=True)
class _Server:
    host: str
    port: int | None
    username: str | None
    password: str | None = field(repr=False)
    use_tls: bool
    start_tls: bool


class SmtpTransport:
    """Hands mails to the server of a URL, ``scheme://[user:password@]host[:port]``.

    Schemes are ``smtp``, ``smtps`` and ``smtp+starttls``, with the ports 25, 465 and 587; user and password
    are percent-encoded. The two TLS forms never fall back to plain text, and check the certificate against
    the system's authorities (environment variable SSL_CERT_FILE: against those of a file). ``smtp`` does not
    encrypt: it is for a relay on the same machine or a closed network, and takes a password only to a
    loopback address. Raises ValueError, which does not repeat the URL, for anything else.
    """

    def __init__(self, url: str, *, send_seconds: float = SEND_SECONDS) -> None:
        self._server = _parse(url)
        encrypted = self._server.use_tls or self._server.start_tls
        self._tls = ssl.create_default_context() if encrypted else None
        self._send_seconds = send_seconds
        self._own_name: str | None = None

    async def send(
        self,
        message: EmailMessage,
        message_id: UUID,
        *,
        first_attempt: bool = False,  # noqa: ARG002
    ) -> None:
        """Hand over the mail; a repeated one is known by its Message-ID. See ``Transport.send``.

        Permanent is what the server says for good of this recipient or this content. Whatever else it refuses
        (greeting, password, sender) is the operator's to mend, and the mail waits for that.
        """
        client = self._client()
        try:
            async with asyncio.timeout(self._send_seconds):
                await client.connect()
                self._own_name = client.local_hostname  # a look-up that can be slow, once is enough
                await client.send_message(message)
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPDataError) as refusal:
            _refused(refusal, message_id)
        except aiosmtplib.SMTPNotSupported:
            raise PermanentDeliveryError(f"mail {message_id}: the server wants an ASCII address") from None
        except TimeoutError:
            raise TemporaryDeliveryError(f"mail {message_id}: the server took too long") from None
        except (aiosmtplib.SMTPException, OSError) as trouble:
            raise TemporaryDeliveryError(f"mail {message_id}: {_told(trouble)}") from None
        else:  # it is accepted, and stays so however the farewell goes
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await client.quit(timeout=_QUIT_SECONDS)
        finally:
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            local_hostname=self._own_name,
            timeout=self._send_seconds,
            use_tls=server.use_tls,
            start_tls=server.start_tls,
            tls_context=self._tls,
        )


def _parse(url: str) -> _Server:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # its text may quote the password
        raise ValueError(f"the SMTP URL cannot be read; {_ENCODE}") from None
    if parts.scheme not in ("smtp", "smtps", "smtp+starttls"):
        raise ValueError("the SMTP URL must begin with smtp://, smtps:// or smtp+starttls://")
    if not parts.hostname or port == 0 or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"the SMTP URL must be scheme://user:password@host:port and no more; {_ENCODE}")
    if bool(parts.username) != bool(parts.password):
        raise ValueError("the SMTP URL must have both a user and a password, or neither")
    if parts.password and parts.scheme == "smtp" and not _is_loopback(parts.hostname):
        raise ValueError("smtp:// would send the password in clear: use smtps:// or smtp+starttls://")
    return _server(parts, parts.hostname, port)


def _server(parts: SplitResult, host: str, port: int | None) -> _Server:
    return _Server(
        host=host,
        port=port,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        use_tls=parts.scheme == "smtps",
        start_tls=parts.scheme == "smtp+starttls",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _refused(refusal: _Refusal, message_id: UUID) -> NoReturn:
    said = refusal.recipients[0] if isinstance(refusal, aiosmtplib.SMTPRecipientsRefused) else refusal
    failure = PermanentDeliveryError if said.code >= 500 else TemporaryDeliveryError
    raise failure(f"mail {message_id}: {_told(said)}") from None


def _told(trouble: Exception) -> str:
    """What went wrong, fit for a log: without addresses or anything that could be a quoted code."""
    text = str(trouble)
    if isinstance(trouble, aiosmtplib.SMTPResponseException):
        text = f"refused: {trouble.code} {trouble.message}"
    return re.sub(r"\S+@\S+|\d{6,}", "…", one_line(text, _ANSWER_LENGTH))
