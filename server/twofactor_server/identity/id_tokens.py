"""ID tokens (OpenID Connect Core 1.0 §3.1.3.7): the signature and the claims."""

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import JWKRegistry, KeySet

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Asymmetric signatures only: anyone can produce ``none``, and anyone who knows the public key could produce HS*."""

LEEWAY_SECONDS = 60
"""Accepted difference between the provider's clock and ours."""

MAX_SUBJECT_LENGTH = 255
_MIN_MODULUS_LENGTH = 342
"""Base64 characters of 2,048 bits."""


class TokenRejected(Exception):
    """The token is invalid. The message names the reason and quotes nothing of the token."""


class UnknownKeyId(TokenRejected):
    """No published key has the token's key id. The provider may have rotated its keys since they were fetched."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The values that the claims must have."""

    issuers: Collection[str]
    client_id: str
    now: datetime


def key_set(published: Any) -> KeySet:
    """The keys that may sign ID tokens. Skips other keys (RFC 7517 §5), weak keys, and malformed ones."""
    if not isinstance(published, dict) or not isinstance(published.get("keys"), list):
        raise TokenRejected("publishes no key set")
    keys = []
    for data in published["keys"]:
        if not isinstance(data, dict) or data.get("kty") not in ("RSA", "EC") or data.get("use", "sig") != "sig":
            continue
        if data["kty"] == "RSA" and len(str(data.get("n", ""))) < _MIN_MODULUS_LENGTH:
            continue
        try:
            keys.append(JWKRegistry.import_key(data))
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return KeySet(keys)


def verify(token: str, keys: KeySet, expected: Expected) -> dict[str, Any]:
    """The claims of a token that is valid except for its nonce. Keys in its header (``jku``, ``jwk``) are ignored."""
    registry = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    try:
        claims = jwt.decode(token, keys, registry=registry).claims
    except InvalidKeyIdError:
        raise UnknownKeyId("signed with an unpublished key") from None
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise TokenRejected(f"no valid signature ({type(error).__name__})") from None
    try:
        _claims_registry(expected).validate(claims)
    except JoseError as error:
        raise TokenRejected(error.description) from None
    _check_authorized_party(claims, expected.client_id)
    subject = claims["sub"]
    if len(subject) > MAX_SUBJECT_LENGTH or not (subject.isascii() and subject.isprintable()):
        raise TokenRejected("its subject is not 1 to 255 printable ASCII characters")
    return claims


def has_nonce(claims: dict[str, Any], nonce: str) -> bool:
    """Whether the token was issued for the sign-in that sent this nonce."""
    claim = claims.get("nonce")
    return isinstance(claim, str) and hmac.compare_digest(_encode(claim), _encode(nonce))


def _claims_registry(expected: Expected) -> jwt.JWTClaimsRegistry:
    return jwt.JWTClaimsRegistry(
        now=int(expected.now.timestamp()),
        leeway=LEEWAY_SECONDS,
        iss={"essential": True, "values": list(expected.issuers)},
        aud={"essential": True, "value": expected.client_id},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )


def _check_authorized_party(claims: dict[str, Any], client_id: str) -> None:
    """``azp`` is required with several audiences (§3.1.3.7, steps 4 and 5)."""
    authorized = claims.get("azp")
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if authorized != client_id and (authorized is not None or several):
        raise TokenRejected("issued to another client")


def _encode(text: str) -> bytes:
    # JSON may contain a lone surrogate, which UTF-8 cannot encode.
    return text.encode(errors="surrogatepass")
