"""The providers that the server was set to know, as far as the same environment tells: the front end's share of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from twofactor_try.failures import CannotStartError

_BUILT_IN = {"google": "https://accounts.google.com", "github": "https://github.com"}
_OTHER = re.compile(r"TWOFACTOR_OIDC_(.+)_ISSUER")


@dataclass(frozen=True)
class Provider:
    """`url` is the issuer, or GitHub's web address. The client's secret is the server's business."""

    name: str
    url: str
    client_id: str
    redirect_uris: tuple[str, ...]

    @property
    def redirect_uri(self) -> str:
        """The one to ask for: where we can listen, if there is one."""
        return next(filter(listening_at, self.redirect_uris), self.redirect_uris[0])


def provider(name: str, environment: Mapping[str, str]) -> Provider:
    """The provider of this name; CannotStartError with the settings that are missing."""
    prefix = f"TWOFACTOR_{name.upper()}" if name in _BUILT_IN else f"TWOFACTOR_OIDC_{name.upper()}"
    address = f"{prefix}_URL" if name == "github" else f"{prefix}_ISSUER"
    found = {what: environment.get(f"{prefix}_{what}", "") for what in ("CLIENT_ID", "REDIRECT_URIS")}
    url = environment.get(address, "") or _BUILT_IN.get(name, "")
    missing = [f"{prefix}_{what}" for what, text in found.items() if not text.strip()] + ([] if url else [address])
    if missing:
        raise CannotStartError(f"To sign in with {name}, set here too what the server has: {', '.join(missing)}.")
    return Provider(name, url.rstrip("/"), found["CLIENT_ID"], tuple(found["REDIRECT_URIS"].split()))


def on_this_machine(environment: Mapping[str, str]) -> Provider | None:
    """The first OpenID provider that is on this machine, where a walk can play it; None if there is none."""
    for name, text in sorted(environment.items()):
        match = _OTHER.fullmatch(name)
        if match and listening_at(text):
            return provider(match[1].lower(), environment)
    return None


def listening_at(url: str) -> tuple[str, int] | None:
    """Host and port of a plain address on loopback; None for any other."""
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost") and parts.port:
        return parts.hostname, parts.port
    return None
