"""ID tokens (OpenID Connect Core 1.0 §3.1.3.7): the signature by a published key, then each claim."""

import hmac
import math
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, KeySet

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures by a private key only: with ``none`` anybody, with HS* whoever has the public key could sign."""

LEEWAY = 60
"""Seconds that the provider's clock may be off ours."""

LONGEST_SUBJECT = 255
_SHORTEST_MODULUS = 342
"""Symbols of base64 in 2,048 bits."""


class TokenRefused(Exception):
    """The token is not what it should be; the text says in which respect, and repeats nothing of it."""


class UnknownKey(TokenRefused):
    """No published key has the token's key id: they may have been changed since they were fetched."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token has to say."""

    issuers: Collection[str]
    client_id: str
    now: datetime


def key_set(published: Any) -> KeySet:
    """The keys that can have signed an ID token. Others (RFC 7517 §5), weak and broken ones are passed over."""
    if not isinstance(published, dict) or not isinstance(published.get("keys"), list):
        raise TokenRefused("the published keys are no key set")
    keys = []
    for data in published["keys"]:
        if not isinstance(data, dict) or data.get("kty") not in ("RSA", "EC") or data.get("use", "sig") != "sig":
            continue
        if data["kty"] == "RSA" and len(str(data.get("n", ""))) < _SHORTEST_MODULUS:
            continue
        try:
            keys.append(JWKRegistry.import_key(data))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return KeySet(keys)


def read(token: str, keys: KeySet, expected: Expected) -> dict[str, Any]:
    """The claims of a token that is right in all but its nonce. What its header says of keys (``jku``, ``jwk``) is not
    looked at."""
    registry = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    try:
        claims = jwt.decode(token, keys, registry=registry).claims
    except InvalidKeyIdError:
        raise UnknownKey("signed by a key that is not published") from None
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise TokenRefused(f"not a token signed as it should be ({type(error).__name__})") from None
    _check_parties(claims, expected)
    _check_times(claims, expected.now.timestamp())
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT or not _plain(subject):
        raise TokenRefused("no subject in it")
    return claims


def has_nonce(claims: dict[str, Any], nonce: str) -> bool:
    """Whether the token was issued for the sign-in that sent this nonce."""
    found = claims.get("nonce")
    return isinstance(found, str) and hmac.compare_digest(_bytes(found), _bytes(nonce))


def _check_parties(claims: dict[str, Any], expected: Expected) -> None:
    if claims.get("iss") not in tuple(expected.issuers):
        raise TokenRefused("of another issuer")
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in audiences:
        raise TokenRefused("for another client")
    authorized = claims.get("azp")
    if authorized != expected.client_id and (authorized is not None or len(audiences) > 1):
        raise TokenRefused("given to another client")


def _check_times(claims: dict[str, Any], now: float) -> None:
    expires, issued, begins = (_number(claims.get(name)) for name in ("exp", "iat", "nbf"))
    if expires is None or now >= expires + LEEWAY:
        raise TokenRefused("over, or without an end")
    if issued is None or issued > now + LEEWAY:
        raise TokenRefused("issued in the future, or never")
    if "nbf" in claims and (begins is None or begins > now + LEEWAY):
        raise TokenRefused("not valid yet")


def _number(value: object) -> int | float | None:
    """A time as JSON writes it. NaN, with which every comparison is false, is none."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _bytes(text: str) -> bytes:
    # JSON can carry half of a surrogate pair, which is in no nonce of ours.
    return text.encode(errors="surrogatepass")


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable()
