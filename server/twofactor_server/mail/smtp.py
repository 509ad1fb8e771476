"""SMTP: one connection per mail, encrypted as the URL says, bounded in time."""

import asyncio
import re
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit
from uuid import UUID

import aiosmtplib

from twofactor_server.mail.formatting import one_line
from twofactor_server.mail.transports import PermanentDeliveryError, TemporaryDeliveryError

SEND_SECONDS = 30.0
"""The time limit of one ``send``, without QUIT. A delivery lease must be longer."""

_QUIT_SECONDS = 1.0
_REPLY_LENGTH = 200
_ENCODE = "percent-encode special characters in user and password"


@dataclass(frozen=True)
class _Server:
    host: str
    port: int | None
    username: str | None
    password: str | None = field(repr=False)
    use_tls: bool
    start_tls: bool


class SmtpTransport:
    """Sends mail to the server at ``scheme://[user:password@]host[:port]``.

    The schemes are ``smtp``, ``smtps`` and ``smtp+starttls``, with the default ports 25, 465 and 587. User and
    password are percent-encoded. The two TLS schemes never fall back to plain text, and verify the certificate against
    the system's authorities (or those in the file named by the environment variable SSL_CERT_FILE). ``smtp`` does not
    encrypt: it is for a relay on the same machine or a closed network, and sends a password only to a loopback
    address. Raises ValueError, without quoting the URL, for any other URL.
    """

    def __init__(self, url: str, *, send_seconds: float = SEND_SECONDS) -> None:
        self._server = _parse(url)
        encrypted = self._server.use_tls or self._server.start_tls
        self._tls = ssl.create_default_context() if encrypted else None
        self._send_seconds = send_seconds
        self._local_hostname: str | None = None

    async def send(
        self,
        message: EmailMessage,
        message_id: UUID,
        *,
        first_attempt: bool = False,  # noqa: ARG002
    ) -> None:
        """Hand over the mail; a second copy has the same Message-ID. See ``Transport.send``.

        Recipient and content rejections are permanent. All others (greeting, password, sender) are retried until the
        operator fixes them.
        """
        client = self._client()
        try:
            async with asyncio.timeout(self._send_seconds):
                await client.connect()
                self._local_hostname = client.local_hostname  # cached: the lookup can be slow
                await client.send_message(message)
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPDataError) as error:
            raise _rejection(error, message_id) from None
        except aiosmtplib.SMTPNotSupported:
            raise PermanentDeliveryError(f"mail {message_id}: the server requires an ASCII address") from None
        except TimeoutError:
            raise TemporaryDeliveryError(f"mail {message_id}: the server took too long") from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise TemporaryDeliveryError(f"mail {message_id}: {_redacted(error)}") from None
        else:  # the mail is accepted, even if QUIT fails
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
            local_hostname=self._local_hostname,
            timeout=self._send_seconds,
            use_tls=server.use_tls,
            start_tls=server.start_tls,
            tls_context=self._tls,
        )


def _parse(url: str) -> _Server:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:  # the text of the error may quote the password
        raise ValueError(f"the SMTP URL is malformed; {_ENCODE}") from None
    if parts.scheme not in ("smtp", "smtps", "smtp+starttls"):
        raise ValueError("the SMTP URL must begin with smtp://, smtps:// or smtp+starttls://")
    if not parts.hostname or port == 0 or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"the SMTP URL must be scheme://user:password@host:port; {_ENCODE}")
    if bool(parts.username) != bool(parts.password):
        raise ValueError("the SMTP URL must have both a user and a password, or neither")
    if parts.password and parts.scheme == "smtp" and not _is_loopback(parts.hostname):
        raise ValueError("smtp:// sends the password unencrypted: use smtps:// or smtp+starttls://")
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


def _rejection(
    error: aiosmtplib.SMTPRecipientsRefused | aiosmtplib.SMTPDataError, message_id: UUID
) -> PermanentDeliveryError | TemporaryDeliveryError:
    reply = error.recipients[0] if isinstance(error, aiosmtplib.SMTPRecipientsRefused) else error
    kind = PermanentDeliveryError if reply.code >= 500 else TemporaryDeliveryError
    return kind(f"mail {message_id}: {_redacted(reply)}")


def _redacted(error: Exception) -> str:
    """The text of the error for the log, without addresses and digits that could be a quoted code."""
    text = str(error)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        text = f"refused: {error.code} {error.message}"
    return re.sub(r"\S+@\S+|\d{6,}", "…", one_line(text, _REPLY_LENGTH))
