"""The choice of the transport, and valid and invalid SMTP URLs."""

import subprocess
import sys
from pathlib import Path

import pytest

from twofactor_server.mail import transport_from
from twofactor_server.mail.folder import MailFolder
from twofactor_server.mail.smtp import SmtpTransport

PASSWORD = "hunter2-%2Fsecret"


def test_without_a_url_mail_is_written_to_files(tmp_path: Path) -> None:
    assert isinstance(transport_from(None, tmp_path / "mail"), MailFolder)


def test_with_a_url_mail_is_sent_by_smtp_and_no_folder_is_created(tmp_path: Path) -> None:
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
def test_valid_urls(url: str, tmp_path: Path) -> None:
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
        (f"smtp://user:{PASSWORD}@relay.example", "unencrypted"),
    ],
)
def test_invalid_urls_are_rejected_without_quoting_them(url: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=complaint) as refusal:
        transport_from(url, tmp_path)
    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


def test_start_does_not_import_unused_libraries() -> None:
    program = (
        "import sys, pathlib, tempfile\n"
        "import twofactor_server.mail.messages\n"
        "from twofactor_server.mail import transport_from\n"
        "transport_from(None, pathlib.Path(tempfile.mkdtemp()))\n"
        "print(sorted({'jinja2', 'aiosmtplib', 'idna'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[]"
