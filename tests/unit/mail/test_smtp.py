"""SMTP against real servers: plain text, TLS, STARTTLS, passwords, rejections, delays and disconnects."""

import asyncio
import ssl
import time
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.unit.mail.letters import BRAND, MESSAGE_ID, OWNER, parsed, part, sign_in_code
from tests.unit.mail.servers import (
    PASSWORD,
    USER,
    Inbox,
    make_certificate,
    only_the_mailer,
    raw_server,
    smtp_server,
)
from twofactor_server.mail.messages import render
from twofactor_server.mail.smtp import SmtpTransport
from twofactor_server.mail.transports import PermanentDeliveryError, TemporaryDeliveryError

MAIL = render(sign_in_code(), BRAND, MESSAGE_ID)
LOGIN = f"{quote(USER, safe='')}:{quote(PASSWORD, safe='')}@"


async def send(url: str, message: EmailMessage = MAIL, seconds: float = 5.0) -> None:
    await SmtpTransport(url, send_seconds=seconds).send(message, MESSAGE_ID)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def tls(certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The server's TLS context; SSL_CERT_FILE makes this process trust it, as an operator would."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    return certificate[1]


async def test_a_mail_arrives_unchanged() -> None:
    inbox = Inbox()
    async with smtp_server(inbox) as port:
        await send(f"smtp://127.0.0.1:{port}")
    (envelope,) = inbox.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("security@example.com", [OWNER])
    assert isinstance(envelope.content, bytes)
    mail = parsed(envelope.content)
    assert mail["Message-ID"] == MAIL["Message-ID"]
    for subtype in ("plain", "html"):
        assert part(mail, subtype).replace("\r\n", "\n") == part(MAIL, subtype)


async def test_starttls_and_a_percent_encoded_login(tls: ssl.SSLContext) -> None:
    inbox = Inbox(authenticator=only_the_mailer, auth_required=True, require_starttls=True, tls_context=tls)
    async with smtp_server(inbox) as port:
        await send(f"smtp+starttls://{LOGIN}127.0.0.1:{port}")
    (session,) = inbox.sessions
    assert session.ssl is not None
    assert session.authenticated


async def test_implicit_tls_and_a_login(tls: ssl.SSLContext) -> None:
    inbox = Inbox(authenticator=only_the_mailer, auth_require_tls=False)
    async with smtp_server(inbox, tls) as port:
        await send(f"smtps://{LOGIN}127.0.0.1:{port}")
    assert inbox.sessions[0].authenticated


async def test_starttls_never_falls_back_to_plain_text() -> None:
    inbox = Inbox()
    async with smtp_server(inbox) as port:
        with pytest.raises(TemporaryDeliveryError, match="STARTTLS"):
            await send(f"smtp+starttls://127.0.0.1:{port}")
    assert not inbox.envelopes


@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
async def test_a_certificate_of_an_unknown_authority_is_rejected(
    scheme: str, certificate: tuple[Path, ssl.SSLContext]
) -> None:
    implicit = scheme == "smtps"
    inbox = Inbox() if implicit else Inbox(tls_context=certificate[1])
    async with smtp_server(inbox, certificate[1] if implicit else None) as port:
        with pytest.raises(TemporaryDeliveryError, match="CERTIFICATE_VERIFY_FAILED"):
            await send(f"{scheme}://127.0.0.1:{port}")
    assert not inbox.envelopes


async def test_a_wrong_password_is_a_temporary_failure_and_not_quoted() -> None:
    async with smtp_server(Inbox(authenticator=only_the_mailer, auth_require_tls=False)) as port:
        with pytest.raises(TemporaryDeliveryError, match="535") as failure:
            await send(f"smtp://someone:hunter2@127.0.0.1:{port}")
    assert "hunter2" not in str(failure.value)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"RCPT": "550 5.1.1 no such user"}, PermanentDeliveryError),
        ({"RCPT": "451 4.7.1 greylisted"}, TemporaryDeliveryError),
        ({"DATA": "554 5.7.1 looks like spam"}, PermanentDeliveryError),
        ({"DATA": "452 4.3.1 disk full"}, TemporaryDeliveryError),
        ({"MAIL": "550 5.7.1 this sender is not welcome"}, TemporaryDeliveryError),
    ],
)
async def test_permanent_and_temporary_rejections_differ(answers: dict[str, str], expected: type[Exception]) -> None:
    (answer,) = answers.values()
    async with smtp_server(Inbox(answers)) as port:
        with pytest.raises(expected, match=answer[:9]) as failure:
            await send(f"smtp://127.0.0.1:{port}")
    assert str(MESSAGE_ID) in str(failure.value)


async def test_addresses_and_codes_in_a_rejection_are_redacted() -> None:
    async with smtp_server(Inbox({"DATA": f"554 <{OWNER}> rejects 'code 042137'"})) as port:
        with pytest.raises(PermanentDeliveryError, match="rejects") as failure:
            await send(f"smtp://127.0.0.1:{port}")
    assert OWNER not in str(failure.value)
    assert "042137" not in str(failure.value)
    assert failure.value.__suppress_context__


async def test_a_non_ascii_address_needs_a_server_with_smtputf8() -> None:
    message = render(sign_in_code(recipient="jürgen@example.com"), BRAND, MESSAGE_ID)
    inbox = Inbox(enable_SMTPUTF8=True)
    async with smtp_server(inbox) as port:
        await send(f"smtp://127.0.0.1:{port}", message)
    assert inbox.envelopes[0].rcpt_tos == ["jürgen@example.com"]
    async with smtp_server(Inbox()) as port:
        with pytest.raises(PermanentDeliveryError, match="ASCII"):
            await send(f"smtp://127.0.0.1:{port}", message)


async def test_an_unreachable_server_is_a_temporary_failure() -> None:
    async with raw_server(lambda _reader, _writer: asyncio.sleep(0)) as port:
        pass
    with pytest.raises(TemporaryDeliveryError):
        await send(f"smtp://127.0.0.1:{port}")


async def test_a_silent_server_times_out() -> None:
    async with raw_server(lambda _reader, _writer: asyncio.sleep(60)) as port:
        begun = time.monotonic()
        with pytest.raises(TemporaryDeliveryError, match="too long"):
            await send(f"smtp://127.0.0.1:{port}", seconds=0.2)
        assert time.monotonic() - begun < 1


async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, until: bytes, pause: float = 0) -> None:
    """Accept every command after ``pause`` seconds, up to the line that starts with ``until``."""
    writer.write(b"220 hello\r\n")
    while line := await reader.readline():
        await asyncio.sleep(pause)
        if line.startswith(until):
            return
        if line == b"DATA\r\n":
            writer.write(b"354 go on\r\n")
            await reader.readuntil(b"\r\n.\r\n")
        writer.write(b"250 fine\r\n")


async def test_the_time_limit_covers_the_whole_dialogue() -> None:
    async with raw_server(lambda reader, writer: accept(reader, writer, until=b"QUIT", pause=0.15)) as port:
        begun = time.monotonic()
        with pytest.raises(TemporaryDeliveryError, match="too long"):
            await send(f"smtp://127.0.0.1:{port}", seconds=0.25)
        assert time.monotonic() - begun < 1


async def test_an_accepted_mail_is_delivered_even_if_quit_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("twofactor_server.mail.smtp._QUIT_SECONDS", 0.1)

    async def never_says_goodbye(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await accept(reader, writer, until=b"QUIT")
        await asyncio.sleep(60)

    async with raw_server(never_says_goodbye) as port:
        await send(f"smtp://127.0.0.1:{port}", seconds=0.5)


async def test_a_disconnect_is_a_temporary_failure() -> None:
    async with raw_server(lambda reader, writer: accept(reader, writer, until=b"RCPT")) as port:
        with pytest.raises(TemporaryDeliveryError):
            await send(f"smtp://127.0.0.1:{port}")


async def test_a_slow_server_does_not_block_other_tasks() -> None:
    inbox = Inbox()
    async with raw_server(lambda _reader, _writer: asyncio.sleep(60)) as silent, smtp_server(inbox) as port:
        stuck = asyncio.create_task(send(f"smtp://127.0.0.1:{silent}"))
        await asyncio.gather(*(send(f"smtp://127.0.0.1:{port}") for _ in range(8)))
        assert not stuck.done()
        stuck.cancel()
        with pytest.raises(asyncio.CancelledError):
            await stuck
    assert len(inbox.envelopes) == 8
