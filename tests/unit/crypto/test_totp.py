"""TOTP against the test vectors of the RFCs; enrolment against third-party parsers and a QR code reader."""

import re
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote, urlsplit

import pyotp
import pytest

from tests.unit.crypto.qr_codes import decoded
from twofactor_server.crypto import totp
from twofactor_server.domain.authenticator import STEP_SECONDS, steps_around
from twofactor_server.mail.addresses import header_address

SEED = b"12345678901234567890"
# RFC 6238, Appendix B, SHA-1: seconds since 1970 and the code of eight digits.
RFC_6238 = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]
# RFC 4226, Appendix D: the codes of the counters 0 to 9.
RFC_4226 = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
NAMES = [
    ("Example Hosting", "mia@example.test"),
    ("Example Hosting", "mia+shop@example.test"),
    ("Bücher: Söhne & Co", "änne@bücher.test"),
    ("100 % A/B?#=;", "o'hara&x=1/%2B@example.test"),
    ("  Twofactor\t", "a@b"),
    ("書店", "書@書店.test"),
]


@pytest.mark.parametrize(("moment", "eight"), RFC_6238)
def test_the_vectors_of_rfc_6238(moment: int, eight: str) -> None:
    """Six digits are the last six of eight: both are the truncated value, modulo a power of ten."""
    step = moment // STEP_SECONDS
    assert totp.codes_at(SEED, [step]) == {step: eight[-6:]}
    assert steps_around(datetime.fromtimestamp(moment, UTC))[1] == step


def test_the_vectors_of_rfc_4226() -> None:
    assert totp.codes_at(SEED, range(10)) == dict(enumerate(RFC_4226))


def test_secrets_are_160_bits_and_never_the_same() -> None:
    """RFC 4226 §4 R6 recommends the length of the HMAC's output."""
    secrets = {totp.new_secret() for _ in range(1000)}
    assert len(secrets) == 1000
    assert {len(secret) for secret in secrets} == {20}


def by_pyotp(uri: str) -> tuple[str, str, str]:
    parsed = pyotp.parse_uri(uri)
    assert isinstance(parsed, pyotp.TOTP)
    assert (parsed.digits, parsed.interval, parsed.digest().name) == (6, 30, "sha1")
    assert parsed.issuer
    return parsed.issuer, parsed.name, parsed.secret


def by_the_standard_library(uri: str) -> tuple[str, str, str]:
    parts = urlsplit(uri)
    assert (parts.scheme, parts.netloc, parts.fragment) == ("otpauth", "totp", "")
    issuer, account = unquote(parts.path.removeprefix("/")).split(":")
    parameters = parse_qsl(parts.query, strict_parsing=True)
    values = dict(parameters)
    assert len(values) == len(parameters) == 5
    assert values["issuer"] == issuer, "apps refuse a label and a parameter that differ"
    assert (values["algorithm"], values["digits"], values["period"]) == ("SHA1", "6", "30")
    return issuer, account, values["secret"]


STRICT = re.compile(
    r"otpauth://totp/(?P<issuer>(?:[\w.~-]|%[0-9A-F]{2})+):(?P<account>(?:[\w.~@-]|%[0-9A-F]{2})+)"
    r"\?secret=(?P<secret>[A-Z2-7]{32})&issuer=(?P=issuer)&algorithm=SHA1&digits=6&period=30",
    re.ASCII,
)


def by_a_strict_reading(uri: str) -> tuple[str, str, str]:
    """The key URI format, strictly: %20 instead of a plus, upper-case base32 without padding."""
    found = STRICT.fullmatch(uri)
    assert found, uri
    return unquote(found["issuer"]), unquote(found["account"]), found["secret"]


@pytest.mark.parametrize(("issuer", "email"), NAMES)
def test_three_parsers_agree_on_the_uri(issuer: str, email: str) -> None:
    """A colon separates issuer and account, so it is the one character that is replaced in a name."""
    shown = totp.enrolment(SEED, issuer, email)
    expected = (issuer.replace(":", " ").strip(), email, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")
    for parser in (by_pyotp, by_the_standard_library, by_a_strict_reading):
        assert parser(shown.otpauth_uri) == expected


@pytest.mark.parametrize(("issuer", "email"), NAMES)
def test_the_qr_code_contains_exactly_the_uri(issuer: str, email: str) -> None:
    shown = totp.enrolment(SEED, issuer, email)
    assert decoded(shown.qr_code_svg) == shown.otpauth_uri.encode()


@pytest.mark.parametrize(
    ("issuer", "email"),
    [
        ("x" * 200, f"{'m' * 64}@{'.'.join(['x' * 46] * 4)}"),
        ("Example", f"{'🐎' * 64}@{'.'.join(['書' * 46] * 4)}"),
        ("書" * 100, "mia@example.test"),
    ],
    ids=["ASCII", "address", "issuer"],
)
def test_the_longest_names_still_fit_into_a_qr_code(issuer: str, email: str) -> None:
    """Names that CreateAccount and the settings accept must not break a setup. Labels may be truncated."""
    assert len(email) <= 254
    assert header_address(email), "mail can be sent to this address"
    shown = totp.enrolment(SEED, issuer, email)
    assert decoded(shown.qr_code_svg) == shown.otpauth_uri.encode()
    assert by_the_standard_library(shown.otpauth_uri)[2] == shown.secret.replace(" ", "")


def test_the_secret_for_manual_entry_is_in_groups_of_four() -> None:
    shown = totp.enrolment(SEED, "Example", "mia@example.test")
    assert shown.secret == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"


def test_repr_hides_the_secret() -> None:
    shown = totp.enrolment(SEED, "Example", "mia@example.test")
    assert "GEZD" not in repr(shown)
