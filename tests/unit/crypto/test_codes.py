"""Codes are uniform; their keyed digests are bound to account, challenge and key."""

import base64
from collections import Counter
from collections.abc import Iterable
from uuid import UUID, uuid4

from twofactor_server.crypto import codes
from twofactor_server.crypto.keyring import Key, KeyPurpose, Keyring
from twofactor_server.domain.backup_codes import ALPHABET

MANY = 100_000
# The probability of failing without a bias is 1 in 10^9; a symbol that is 5 % too frequent is detected.
LIMITS = {31: 100.0, 9: 60.0}

ACCOUNT, OTHER_ACCOUNT = uuid4(), uuid4()
CHALLENGE, OTHER_CHALLENGE = uuid4(), uuid4()


def chi_square(drawn: Iterable[str], symbols: str) -> float:
    """Pearson's statistic against a uniform distribution."""
    counts = Counter(drawn)
    assert set(counts) <= set(symbols)
    share = counts.total() / len(symbols)
    return sum((counts[symbol] - share) ** 2 for symbol in symbols) / share


def test_backup_codes_are_uniform_and_do_not_repeat() -> None:
    """16 symbols of 32: 80 unbiased random bits, at each position."""
    drawn = [codes.new_backup_code() for _ in range(MANY)]
    assert {len(code) for code in drawn} == {16}
    assert len(set(drawn)) == MANY
    for position in zip(*drawn, strict=True):
        assert chi_square(position, ALPHABET) < LIMITS[31]


def test_email_codes_are_uniform_and_keep_their_leading_zeros() -> None:
    """A code is any of 000000 to 999999: one in ten begins with 0."""
    drawn = [codes.new_email_code() for _ in range(MANY)]
    assert {len(code) for code in drawn} == {6}
    for position in zip(*drawn, strict=True):
        assert chi_square(position, "0123456789") < LIMITS[9]


def email_code_keys(*ids: str) -> Keyring:
    """A keyring whose e-mail code and fingerprint keys have these ids, the current one first."""
    changed = (KeyPurpose.EMAIL_CODE, KeyPurpose.BACKUP_CODE_FINGERPRINT)
    new = Keyring.new()
    kept = [new.current(purpose) for purpose in KeyPurpose if purpose not in changed]
    return Keyring([*kept, *(Key(one, purpose, one.encode().ljust(32, b"\0")) for one in ids for purpose in changed)])


def matches(keyring: Keyring, made: tuple[str, bytes], account: UUID, challenge: UUID, code: str) -> bool:
    return codes.email_code_matches(keyring, made[0], made[1], account, challenge, code)


def test_an_email_code_mac_is_bound_to_challenge_account_and_digits() -> None:
    keyring = email_code_keys("a")
    made = codes.email_code_mac(keyring, ACCOUNT, CHALLENGE, "000123")
    assert matches(keyring, made, ACCOUNT, CHALLENGE, "000123")
    assert not matches(keyring, made, ACCOUNT, CHALLENGE, "000124")
    assert not matches(keyring, made, ACCOUNT, OTHER_CHALLENGE, "000123")
    assert not matches(keyring, made, OTHER_ACCOUNT, CHALLENGE, "000123")
    assert not matches(email_code_keys("b"), (made[0], made[1]), ACCOUNT, CHALLENGE, "000123")


def test_an_email_code_is_valid_after_key_rotation_and_invalid_once_its_key_is_retired() -> None:
    made = codes.email_code_mac(email_code_keys("old"), ACCOUNT, CHALLENGE, "123456")
    rotated = email_code_keys("new", "old")
    assert matches(rotated, made, ACCOUNT, CHALLENGE, "123456")
    assert codes.email_code_mac(rotated, ACCOUNT, CHALLENGE, "123456")[0] == "new"
    assert not matches(email_code_keys("new"), made, ACCOUNT, CHALLENGE, "123456")


def test_a_used_backup_code_is_recognised_under_every_live_key() -> None:
    code = codes.new_backup_code()
    (old,) = codes.backup_code_fingerprints(email_code_keys("old"), ACCOUNT, code)
    new, *others = codes.backup_code_fingerprints(email_code_keys("new", "old"), ACCOUNT, code)
    assert others == [old]
    assert new != old


def test_the_same_code_has_different_fingerprints_on_different_accounts() -> None:
    """So the database does not reveal that two accounts have the same code."""
    keyring = email_code_keys("a")
    code = codes.new_backup_code()
    prints = {codes.backup_code_fingerprints(keyring, account, code)[0] for account in (ACCOUNT, OTHER_ACCOUNT)}
    assert len(prints) == 2
    assert {len(one) for one in prints} == {32}


def test_a_mac_does_not_reveal_its_code() -> None:
    """The MAC contains the code in no encoding, and depends on the key."""
    code = "000123"
    made = [codes.email_code_mac(email_code_keys(key), ACCOUNT, CHALLENGE, code)[1] for key in ("a", "b")]
    assert made[0] != made[1]
    for encoded in (code.encode(), base64.b64encode(code.encode()), code.encode().hex().encode()):
        assert encoded not in made[0]
