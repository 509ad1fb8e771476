"""TOTP (RFC 6238): secrets, codes, and the enrolment data that an authenticator app scans or the user types."""

import io
import secrets
from base64 import b32encode
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote

import pyotp

from twofactor_server.domain.authenticator import STEP_SECONDS

SECRET_BYTES = 20
"""160 bits, the size of the HMAC's output (RFC 4226 §4 R6 recommends it)."""

_ISSUER_BYTES = 64
_ACCOUNT_BYTES = 254


@dataclass(frozen=True)
class Enrolment:
    """One secret in three forms: base32 in groups of four, an ``otpauth://`` URI, and a QR code as an SVG document."""

    secret: str = field(repr=False)
    otpauth_uri: str = field(repr=False)
    qr_code_svg: str = field(repr=False)


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def codes_at(secret: bytes, steps: Iterable[int]) -> dict[int, str]:
    """The six-digit code of each time step (SHA-1, 30 s, T0 = 0: the only values that every app supports)."""
    hotp = pyotp.HOTP(_base32(secret))
    return {step: hotp.at(step) for step in steps}


def enrolment(secret: bytes, issuer: str, email: str) -> Enrolment:
    """The forms in which ``email``'s owner can add the secret to an app; ``issuer`` is the name the app shows."""
    text = _base32(secret)
    uri = _otpauth_uri(text, issuer, email)
    return Enrolment(
        secret=" ".join(text[i : i + 4] for i in range(0, len(text), 4)),
        otpauth_uri=uri,
        qr_code_svg=_qr_code_svg(uri),
    )


def _otpauth_uri(secret: str, issuer: str, email: str) -> str:
    # A colon separates issuer and account in the label, so neither may contain one. Apps reject a URI whose label and
    # issuer parameter differ. Spaces are %20, because some apps display a plus sign literally. Long names are
    # truncated, because the URI must fit into a QR code.
    issuer = quote(_truncate(issuer.replace(":", " ").strip(), _ISSUER_BYTES), safe="")
    account = quote(_truncate(email.replace(":", " "), _ACCOUNT_BYTES), safe="@")
    return (
        f"otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}"
        f"&algorithm=SHA1&digits=6&period={STEP_SECONDS}"
    )


def _truncate(text: str, max_bytes: int) -> str:
    return text.encode()[:max_bytes].decode(errors="ignore")


def _qr_code_svg(uri: str) -> str:
    import segno  # on first use: it takes some 15 ms

    svg = io.BytesIO()
    segno.make(uri, error="m", micro=False).save(
        svg, kind="svg", scale=4, border=4, light="#fff", title="Scan with your authenticator app"
    )
    return svg.getvalue().decode()


def _base32(secret: bytes) -> str:
    return b32encode(secret).decode().rstrip("=")
