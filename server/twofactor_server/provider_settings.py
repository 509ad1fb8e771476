"""Settings of identity providers, collected from groups of names such as ``google_client_id``."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from twofactor_server.urls import is_https_or_loopback

_NAME = re.compile(
    r"(?P<built_in>google|github)_(?P<part>client_id|client_secret|redirect_uris|(?<=github_)url)"
    r"|oidc_(?P<other>[a-z0-9][a-z0-9_]*?)_(?P<other_part>issuer|client_id|client_secret|redirect_uris)"
)
_BUILT_IN_URLS = {"google": "https://accounts.google.com", "github": "https://github.com"}
_MAX_URI_LENGTH = 2048


class RawSetting(NamedTuple):
    """``label`` is the name of the setting for messages: its environment variable, or its key in the file."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """``url`` is the issuer; for GitHub, the base of its web pages."""

    name: str
    url: str
    client_id: str
    client_secret: str = field(repr=False)
    redirect_uris: tuple[str, ...]


def is_provider_setting(key: str) -> bool:
    """``key`` is in lower case, without the prefix."""
    return _NAME.fullmatch(key) is not None


def read_providers(raw: Mapping[str, RawSetting]) -> tuple[tuple[ProviderSettings, ...], list[str]]:
    """The complete providers, and every problem. No problem quotes a value."""
    groups: dict[str, dict[str, RawSetting]] = {}
    providers, problems = [], []
    for key, setting in raw.items():
        match = _NAME.fullmatch(key)
        if match and match["other"] in _BUILT_IN_URLS:
            problems.append(
                f"{setting.label} is not a setting: use those that start with TWOFACTOR_{match['other'].upper()}_."
            )
        elif match:
            name, part = match["built_in"] or match["other"], match["part"] or match["other_part"]
            groups.setdefault(name, {})["url" if part == "issuer" else part] = setting
    for name, parts in sorted(groups.items()):
        provider_problems = _problems(name, parts)
        problems += provider_problems
        if not provider_problems:
            providers.append(_provider(name, parts))
    return tuple(providers), problems + _shared_redirect_uris(providers)


def _problems(name: str, parts: Mapping[str, RawSetting]) -> list[str]:
    required = {"client_id", "client_secret", "redirect_uris"} | (set() if name in _BUILT_IN_URLS else {"url"})
    problems = [f"{_variable(name, part)} is missing." for part in sorted(required - parts.keys())]
    problems += [f"{label} must not be empty." for label, text in parts.values() if not text.strip()]
    if "url" in parts:
        label, text = parts["url"]
        if text.strip() and not _is_base_url(text):
            problems.append(f"{label} must be an https URL (http on loopback) without a query or fragment.")
    if "redirect_uris" in parts:
        label, text = parts["redirect_uris"]
        if not all(map(_is_redirect_uri, text.split())):
            problems.append(f"{label} must be https URLs (http on loopback) without a fragment, separated by spaces.")
    return problems


def _provider(name: str, parts: Mapping[str, RawSetting]) -> ProviderSettings:
    return ProviderSettings(
        name=name,
        url=parts["url"].text if "url" in parts else _BUILT_IN_URLS[name],
        client_id=parts["client_id"].text,
        client_secret=parts["client_secret"].text,
        redirect_uris=tuple(parts["redirect_uris"].text.split()),
    )


def _shared_redirect_uris(providers: Iterable[ProviderSettings]) -> list[str]:
    """With a redirect URI of two providers, a code of one could be sent to the other (RFC 9207)."""
    owners: dict[str, str] = {}
    return [
        f"{_variable(provider.name, 'redirect_uris')} must not contain a redirect URI of {owners[uri]}."
        for provider in providers
        for uri in provider.redirect_uris
        if owners.setdefault(uri, provider.name) != provider.name
    ]


def _variable(name: str, part: str) -> str:
    if name in _BUILT_IN_URLS:
        return f"TWOFACTOR_{name.upper()}_{part.upper()}"
    return f"TWOFACTOR_OIDC_{name.upper()}_{'ISSUER' if part == 'url' else part.upper()}"


def _is_base_url(url: str) -> bool:
    return is_https_or_loopback(url) and not urlsplit(url).query and not urlsplit(url).fragment


def _is_redirect_uri(uri: str) -> bool:
    return is_https_or_loopback(uri) and "#" not in uri and len(uri) <= _MAX_URI_LENGTH
