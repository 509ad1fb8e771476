"""The keyring file is created once, readable by its owner only; errors contain no key."""

import json
import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from twofactor_server.crypto.keyring import KeyPurpose, Keyring, KeyringError

MATERIAL = b64encode(b"k" * 32).decode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "keyring.json"


def entries(*more: dict[str, Any]) -> list[dict[str, Any]]:
    """One key for every purpose, and more behind them."""
    return [{"purpose": purpose.value, "id": "1", "key": MATERIAL} for purpose in KeyPurpose] + list(more)


def write(path: Path, content: object, mode: int = 0o600) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    path.chmod(mode)


def test_it_is_created_on_first_use_readable_by_its_owner_only(path: Path) -> None:
    """The umask does not matter."""
    before = os.umask(0)
    try:
        made = Keyring.load_or_create(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == [path.name]
    again = Keyring.load_or_create(path)
    for purpose in KeyPurpose:
        assert again.current(purpose) == made.current(purpose)


def test_every_purpose_has_a_key_of_its_own(path: Path) -> None:
    keyring = Keyring.load_or_create(path)
    keys = {keyring.current(purpose).material for purpose in KeyPurpose}
    assert len(keys) == len(KeyPurpose)
    assert {len(key) for key in keys} == {32}


def test_only_one_of_several_processes_creates_it(path: Path) -> None:
    """All use the same keys, and no partial file remains.

    With the draft renamed into place (os.replace) where it is linked now, two keyrings were in use.
    """
    program = (
        "import sys, pathlib; from twofactor_server.crypto.keyring import Keyring, KeyPurpose; sys.stdin.read(1);"
        "print(Keyring.load_or_create(pathlib.Path(sys.argv[1])).current(KeyPurpose.REPLY).material.hex())"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(8)
    ]
    keys = set()
    for racer in racers:
        assert racer.stdin
        racer.stdin.write("x")
        racer.stdin.flush()
    for racer in racers:
        keys.add(racer.communicate()[0])
        assert racer.returncode == 0
    assert len(keys) == 1
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610])
def test_a_keyring_that_other_users_can_read_is_rejected(path: Path, mode: int) -> None:
    write(path, {"keys": entries()}, mode)
    with pytest.raises(KeyringError, match="chmod 600"):
        Keyring.load_or_create(path)


NONSENSE = "x" * 300


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"{",
        [],
        None,
        {},
        {"keys": None},
        {"keys": 7},
        {"keys": ["x"]},
        {"keys": entries({"purpose": "reply", "id": "2"})},
        {"keys": entries({"purpose": "sending", "id": "2", "key": MATERIAL})},
        {"keys": entries({"purpose": "reply", "id": "2", "key": "?"})},
        {"keys": entries({"purpose": "reply", "id": "2", "key": MATERIAL[:-4]})},
        {"keys": entries({"purpose": "reply", "id": "2", "key": 7})},
        {"keys": entries({"purpose": "reply", "id": NONSENSE, "key": MATERIAL})},  # its length is one byte of a seal
    ],
)
def test_a_malformed_keyring_is_rejected_without_quoting_it(path: Path, content: object) -> None:
    """The file stays unchanged: a server must not replace keys that it cannot read."""
    write(path, content)
    before = path.read_bytes()
    with pytest.raises(KeyringError) as caught:
        Keyring.load_or_create(path)
    assert str(path) in str(caught.value)
    assert MATERIAL[:8] not in str(caught.value)
    assert caught.value.__cause__ is None
    assert path.read_bytes() == before


def test_a_duplicate_id_for_a_purpose_is_rejected(path: Path) -> None:
    write(path, {"keys": entries({"purpose": "reply", "id": "1", "key": b64encode(b"x" * 32).decode()})})
    with pytest.raises(KeyringError, match="twice for reply"):
        Keyring.load(path)


@pytest.mark.parametrize("missing", KeyPurpose)
def test_a_purpose_without_a_key_is_named(path: Path, missing: KeyPurpose) -> None:
    write(path, {"keys": [entry for entry in entries() if entry["purpose"] != missing]})
    with pytest.raises(KeyringError, match=f"no key for {missing}"):
        Keyring.load(path)


def test_an_unreadable_file_is_rejected(path: Path) -> None:
    with pytest.raises(KeyringError, match="No such file"):
        Keyring.load(path)
    path.mkdir(parents=True, mode=0o700)
    with pytest.raises(KeyringError, match="directory"):
        Keyring.load(path)


def test_the_first_key_of_a_purpose_is_current_and_the_others_stay_live(path: Path) -> None:
    """Rotation inserts a new key before the old one. Keys of different purposes may have the same id."""
    new = {"purpose": "reply", "id": "2", "key": b64encode(b"n" * 32).decode()}
    write(path, {"keys": [new, *entries()]})
    keyring = Keyring.load(path)
    assert keyring.current(KeyPurpose.REPLY).key_id == "2"
    assert [key.key_id for key in keyring.live(KeyPurpose.REPLY)] == ["2", "1"]
    old = keyring.find(KeyPurpose.REPLY, "1")
    assert old is not None
    assert old.material == b"k" * 32
    assert keyring.find(KeyPurpose.REPLY, "3") is None
    assert keyring.find(KeyPurpose.OUTBOX, "2") is None, "a key never serves two purposes"


def test_repr_of_a_key_hides_its_material() -> None:
    key = Keyring.new().current(KeyPurpose.REPLY)
    assert "material" not in repr(key)
    assert repr(key.material) not in repr(key)
