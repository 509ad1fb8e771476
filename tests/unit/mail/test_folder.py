"""The mail folder, on the real file system."""

import asyncio
import os
import re
import stat
import time
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from tests.unit.mail.letters import BRAND, MESSAGE_ID, OWNER, parsed, part, sign_in_code
from twofactor_server.mail.folder import MailFolder
from twofactor_server.mail.messages import render
from twofactor_server.mail.transports import TemporaryDeliveryError

MAIL = render(sign_in_code(), BRAND, MESSAGE_ID)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "mail"


def files(path: Path) -> list[Path]:
    return sorted(path.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_mail_is_a_private_file_named_after_time_and_id(path: Path) -> None:
    before = time.time_ns() // 1_000_000
    await MailFolder(path).send(MAIL, MESSAGE_ID)
    (file,) = files(path)
    name = re.fullmatch(r"(\d+)-([0-9a-f-]{36})\.eml", file.name)
    assert name is not None
    assert before <= int(name[1]) <= time.time_ns() // 1_000_000
    assert UUID(name[2]) == MESSAGE_ID
    assert (mode(path), mode(file)) == (0o700, 0o600)


async def test_the_file_is_the_mail(path: Path) -> None:
    await MailFolder(path).send(MAIL, MESSAGE_ID)
    (file,) = files(path)
    mail = parsed(file.read_bytes())
    assert mail["To"] == OWNER
    assert part(mail, "plain").splitlines().count("042137") == 1
    assert b"\r" not in file.read_bytes()


async def test_a_repeated_delivery_adds_no_file(path: Path) -> None:
    for _ in range(2):
        await MailFolder(path).send(MAIL, MESSAGE_ID)
    await MailFolder(path).send(MAIL, uuid4())
    assert len(files(path)) == 2


async def test_a_first_attempt_does_not_search(path: Path) -> None:
    for _ in range(2):
        await MailFolder(path).send(MAIL, MESSAGE_ID, first_attempt=True)
        await asyncio.sleep(0.002)
    assert len(files(path)) == 2


async def test_the_partial_file_of_a_killed_attempt_is_deleted(path: Path) -> None:
    folder = MailFolder(path)
    (path / f".{MESSAGE_ID}-{uuid4().hex}.partial").write_text("half a mai")
    await folder.send(MAIL, MESSAGE_ID)
    (file,) = files(path)
    assert file.suffix == ".eml"


async def test_readers_never_see_a_partial_mail(path: Path) -> None:
    folder = MailFolder(path)
    size = len(MAIL.as_bytes())
    sending = asyncio.gather(*(folder.send(MAIL, uuid4(), first_attempt=True) for _ in range(64)))
    while not sending.done():
        assert all(file.stat().st_size == size for file in path.glob("*.eml"))
        await asyncio.sleep(0)
    await sending
    assert len(list(path.glob("*.eml"))) == len(files(path)) == 64


async def test_the_event_loop_runs_while_the_disk_is_slow(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _handle: time.sleep(0.1))
    sending = asyncio.create_task(MailFolder(path).send(MAIL, MESSAGE_ID))
    turns = 0
    while not sending.done():
        await asyncio.sleep(0.005)
        turns += 1
    await sending
    assert turns > 5


async def test_an_existing_folder_is_closed_to_other_users(path: Path) -> None:
    path.mkdir(mode=0o755, parents=True)
    MailFolder(path)
    assert mode(path) == 0o700


async def test_a_deleted_folder_is_created_again(path: Path) -> None:
    folder = MailFolder(path)
    path.rmdir()
    await folder.send(MAIL, MESSAGE_ID)
    assert mode(path) == 0o700


async def test_a_folder_that_cannot_be_written_is_a_temporary_failure(path: Path) -> None:
    folder = MailFolder(path)
    path.rmdir()
    path.write_text("in the way")
    with pytest.raises(TemporaryDeliveryError, match=str(MESSAGE_ID)):
        await folder.send(MAIL, MESSAGE_ID)


async def test_a_non_ascii_address_can_be_parsed_again(path: Path) -> None:
    await MailFolder(path).send(render(sign_in_code(recipient="jürgen@example.com"), BRAND, MESSAGE_ID), MESSAGE_ID)
    (file,) = files(path)
    assert "\nTo: jürgen@example.com\n" in file.read_text("utf-8")
