"""Identity providers, read from the same environment variables as the server reads."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from twofactor_try.errors import CannotStartError

_WELL_KNOWN = {"google": "https://accounts.google.com", "github": "https://github.com"}
_OIDC_ISSUER = re.compile(r"TWOFACTOR_OIDC_(.+)_ISSUER")


@dataclass(frozen=True)
class Provider:
    """What a front end knows of a provider: all but the client secret. `url` is the issuer, or GitHub's URL."""

    name: str
    url: str
    client_id: str
    redirect_uris: tuple[str, ...]

    @property
    def redirect_uri(self) -> str:
        """The first one on which this machine can listen; if there is none, the first one."""
        return next(filter(loopback_address, self.redirect_uris), self.redirect_uris[0])


def provider_from_environment(name: str, environment: Mapping[str, str]) -> Provider:
    """The provider of this name. CannotStartError lists the variables that are missing."""
    prefix = f"TWOFACTOR_{name.upper()}" if name in _WELL_KNOWN else f"TWOFACTOR_OIDC_{name.upper()}"
    url_variable = f"{prefix}_URL" if name == "github" else f"{prefix}_ISSUER"
    values = {
        f"{prefix}_{suffix}": environment.get(f"{prefix}_{suffix}", "") for suffix in ("CLIENT_ID", "REDIRECT_URIS")
    }
    client_id, redirect_uris = values.values()
    url = environment.get(url_variable, "") or _WELL_KNOWN.get(name, "")
    missing = [variable for variable, value in values.items() if not value.strip()] + ([] if url else [url_variable])
    if missing:
        raise CannotStartError(
            f"The provider {name} is not configured here. Set the same values as for the server: {', '.join(missing)}."
        )
    return Provider(name, url.rstrip("/"), client_id, tuple(redirect_uris.split()))


def find_loopback_provider(environment: Mapping[str, str]) -> Provider | None:
    """The first OpenID provider with an issuer on this machine, where the demo can act as it; None if not found."""
    for variable, issuer in sorted(environment.items()):
        match = _OIDC_ISSUER.fullmatch(variable)
        if match and loopback_address(issuer):
            return provider_from_environment(match[1].lower(), environment)
    return None


def loopback_address(url: str) -> tuple[str, int] | None:
    """Host and port of an http URL on loopback; None for any other URL."""
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost") and parts.port:
        return parts.hostname, parts.port
    return None
