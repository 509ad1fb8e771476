"""TOTP (RFC 6238): secrets, the codes of given steps, and what an authenticator app is given to scan or type."""

import io
import secrets
from base64 import b32encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote

import pyotp
import segno

from twofactor_server.domain.authenticator import STEP_SECONDS

SECRET_BYTES = 20
"""160 bits, the size of the HMAC's output (RFC 4226 §4 R6 recommends it)."""

_ISSUER_BYTES = 64
_ACCOUNT_BYTES = 254


@dataclass(frozen=True)
class Enrolment:
    """One secret in the three forms that an app takes."""

    secret: str = field(repr=False)
    otpauth_uri: str = field(repr=False)
    qr_code_svg: str = field(repr=False)


def new_secret() -> bytes:
    """A fresh secret from the operating system's CSPRNG."""
    return secrets.token_bytes(SECRET_BYTES)


def codes_at(secret: bytes, steps: Iterable[int]) -> dict[int, str]:
    """The six-digit code of each step (SHA-1, 30 s, T0 = 0: the only values that every app honours)."""
    hotp = pyotp.HOTP(_base32(secret))
    return {step: hotp.at(step) for step in steps}


def enrolment(secret: bytes, issuer: str, email: str) -> Enrolment:
    """The secret as an app is given it: by hand, as a URI, as a QR code (an SVG document)."""
    text = _base32(secret)
    uri = _otpauth_uri(text, issuer, email)
    return Enrolment(
        secret=" ".join(text[i : i + 4] for i in range(0, len(text), 4)),
        otpauth_uri=uri,
        qr_code_svg=_qr_code_svg(uri),
    )


def _otpauth_uri(secret: str, issuer: str, email: str) -> str:
    # A colon parts issuer and account in the label, so neither may hold one; the issuer stands in the label and
    # in the parameter, and apps that find them different refuse. Spaces are %20: some apps show a plus as it is.
    # Both are cut so that the whole still fits into a QR code: a label may be shorter than a name, a code is needed.
    issuer = quote(_cut(issuer.replace(":", " ").strip(), _ISSUER_BYTES), safe="")
    account = quote(_cut(email.replace(":", " "), _ACCOUNT_BYTES), safe="@")
    return (
        f"otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}"
        f"&algorithm=SHA1&digits=6&period={STEP_SECONDS}"
    )


def _cut(text: str, most: int) -> str:
    return text.encode()[:most].decode(errors="ignore")


def _qr_code_svg(uri: str) -> str:
    drawing = io.BytesIO()
    segno.make(uri, error="m", micro=False).save(
        drawing, kind="svg", scale=4, border=4, light="#fff", title="Scan with your authenticator app"
    )
    return drawing.getvalue().decode()


def _base32(secret: bytes) -> str:
    return b32encode(secret).decode().rstrip("=")
