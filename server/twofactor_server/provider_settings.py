"""Settings of identity providers: four for each, gathered from names such as ``google_client_id``."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from twofactor_server.web_addresses import is_private_to_us

_NAME = re.compile(
    r"(?P<named>google|github)_(?P<what>client_id|client_secret|redirect_uris|(?<=github_)url)"
    r"|oidc_(?P<other>[a-z0-9][a-z0-9_]*?)_(?P<of>issuer|client_id|client_secret|redirect_uris)"
)
_BUILT_IN = {"google": "https://accounts.google.com", "github": "https://github.com"}
_LONGEST = 2048


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """One provider. ``url`` is its issuer; for GitHub, where its web pages are."""

    name: str
    url: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uris: tuple[str, ...]


def is_provider_setting(key: str) -> bool:
    """Whether ``key`` (lower case, without the prefix) is of a provider."""
    return _NAME.fullmatch(key) is not None


def read_providers(given: Mapping[str, tuple[str, str]]) -> tuple[tuple[ProviderSettings, ...], list[str]]:
    """The providers that the settings in ``given`` (key: its name for a person, and its text) make, and every problem
    with them, none of which repeats a value."""
    parts: dict[str, dict[str, tuple[str, str]]] = {}
    providers, problems = [], []
    for key, (person, text) in given.items():
        match = _NAME.fullmatch(key)
        if match and match["other"] in _BUILT_IN:
            problems.append(f"{person} is not a setting: {match['other']} has settings of its own.")
        elif match:
            name, what = match["named"] or match["other"], match["what"] or match["of"]
            parts.setdefault(name, {})["url" if what == "issuer" else what] = (person, text)
    for name, texts in sorted(parts.items()):
        found = _problems(name, texts)
        problems += found
        if not found:
            providers.append(_provider(name, texts))
    return tuple(providers), problems + _shared(providers)


def _problems(name: str, texts: Mapping[str, tuple[str, str]]) -> list[str]:
    needed = {"client_id", "client_secret", "redirect_uris"} | (set() if name in _BUILT_IN else {"url"})
    missing = [f"{_setting(name, what)} is missing." for what in sorted(needed - texts.keys())]
    empty = [f"{person} must not be empty." for person, text in texts.values() if not text.strip()]
    problems = missing + empty
    if "url" in texts and texts["url"][1].strip() and not _is_origin(texts["url"][1]):
        problems.append(f"{texts['url'][0]} must be an https address (http on loopback) without query or fragment.")
    if "redirect_uris" in texts:
        person, text = texts["redirect_uris"]
        if not all(is_private_to_us(uri) and "#" not in uri and len(uri) <= _LONGEST for uri in text.split()):
            problems.append(f"{person} must be https addresses (http on loopback) without fragment, parted by spaces.")
    return problems


def _provider(name: str, texts: Mapping[str, tuple[str, str]]) -> ProviderSettings:
    url = texts["url"][1] if "url" in texts else _BUILT_IN[name]
    return ProviderSettings(
        name=name,
        url=url,
        client_id=texts["client_id"][1],
        client_secret=texts["client_secret"][1],
        redirect_uris=tuple(texts["redirect_uris"][1].split()),
    )


def _shared(providers: Iterable[ProviderSettings]) -> list[str]:
    """With one redirect URI for two providers, a code of the one could be sent to the other."""
    owners: dict[str, str] = {}
    problems = []
    for provider in providers:
        for uri in provider.redirect_uris:
            if owners.setdefault(uri, provider.name) != provider.name:
                problems.append(
                    f"{_setting(provider.name, 'redirect_uris')} must share no address with that of {owners[uri]}."
                )
    return problems


def _setting(name: str, what: str) -> str:
    if name in _BUILT_IN:
        return f"TWOFACTOR_{name.upper()}_{what.upper()}"
    return f"TWOFACTOR_OIDC_{name.upper()}_{'ISSUER' if what == 'url' else what.upper()}"


def _is_origin(url: str) -> bool:
    return is_private_to_us(url) and not urlsplit(url).query and not urlsplit(url).fragment
