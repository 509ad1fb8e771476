"""Which way out is taken, and the URLs that are none."""

import subprocess
import sys
from pathlib import Path

import pytest

from twofactor_server.mail.smtp import SmtpTransport
from twofactor_server.mail.transports import MailFolder, transport_from

PASSWORD = "hunter2-%2Fsecret"


def test_without_a_url_mails_are_files(tmp_path: Path) -> None:
    assert isinstance(transport_from(None, tmp_path / "mail"), MailFolder)


def test_with_a_url_they_go_by_smtp_and_no_folder_is_made(tmp_path: Path) -> None:
    assert isinstance(transport_from("smtp://127.0.0.1", tmp_path / "mail"), SmtpTransport)
    assert not (tmp_path / "mail").exists()


@pytest.mark.parametrize(
    "url",
    [
        "smtp://localhost",
        "smtp://relay.example:2525/",
        "smtp://[::1]:25",
        f"smtp://user:{PASSWORD}@127.0.0.1:25",
        f"smtps://user%40example.com:{PASSWORD}@relay.example",
        f"smtp+starttls://user:{PASSWORD}@relay.example:587",
    ],
)
def test_urls_that_can_be_used(url: str, tmp_path: Path) -> None:
    transport = transport_from(url, tmp_path)
    assert PASSWORD not in repr(transport)


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "must begin with"),
        ("relay.example:25", "must begin with"),
        (f"http://user:{PASSWORD}@relay.example", "must begin with"),
        (f"smtps://user:{PASSWORD}@", "scheme://user:password@host:port"),
        (f"smtps://user:{PASSWORD}@relay.example/path", "percent-encode"),
        (f"smtps://user:{PASSWORD}@relay.example?x=1", "percent-encode"),
        (f"smtps://user:{PASSWORD}#@relay.example", "percent-encode"),
        (f"smtps://user:/{PASSWORD}@relay.example", "percent-encode"),
        (f"smtps://user:{PASSWORD}@relay.example:99999", "percent-encode"),
        (f"smtps://user:{PASSWORD}@relay.example:0", "scheme://user:password@host:port"),
        (f"smtps://user:{PASSWORD}℀@relay.example", "percent-encode"),
        (f"smtps://user:[{PASSWORD}@relay.example", "percent-encode"),
        ("smtps://user@relay.example", "both a user and a password"),
        (f"smtps://:{PASSWORD}@relay.example", "both a user and a password"),
        (f"smtp://user:{PASSWORD}@relay.example", "in clear"),
    ],
)
def test_urls_that_cannot_be_used_are_refused_and_not_repeated(url: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=complaint) as refusal:
        transport_from(url, tmp_path)
    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_a_start_waits_for_no_library_that_it_does_not_need() -> None:
    program = (
        "import sys, pathlib, tempfile\n"
        "import twofactor_server.mail.messages\n"
        "from twofactor_server.mail.transports import transport_from\n"
        "transport_from(None, pathlib.Path(tempfile.mkdtemp()))\n"
        "print(sorted({'jinja2', 'aiosmtplib', 'idna'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[]"
