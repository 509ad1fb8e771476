"""A libpq connection URI, translated for asyncpg."""

import ssl
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

_MODES = {"disable": False, "allow": False, "prefer": "prefer", "require": "require"}
_VERIFYING = ("verify-ca", "verify-full")


def parse_dsn(url: str) -> dict[str, Any]:
    """The arguments of ``asyncpg.connect`` for ``postgresql://…`` as libpq reads it.

    The host may be in the query (``?host=/run/postgresql``), as libpq writes it for unix sockets. Also understood:
    port, user, password, dbname, sslmode, sslrootcert. Anything else: ValueError, which repeats no value.
    """
    parts = _split(url)
    # libpq decodes percent-escapes and nothing else: a plus is a plus.
    query = {key: unquote(value) for key, _, value in (one.partition("=") for one in parts.query.split("&") if one)}
    if parts.fragment:
        raise ValueError("has a # that is not escaped as %23")
    found = {
        "host": query.pop("host", None) or (unquote(parts.hostname) if parts.hostname else None),
        "port": _port(query.pop("port", None), parts),
        "user": query.pop("user", None) or (unquote(parts.username) if parts.username else None),
        "password": query.pop("password", None) or (unquote(parts.password) if parts.password else None),
        "database": query.pop("dbname", None) or unquote(parts.path.lstrip("/")) or None,
    }
    tls = _tls(query.pop("sslmode", "prefer"), query.pop("sslrootcert", None), found["host"])
    if query:
        raise ValueError(f"has a parameter that is not understood: {', '.join(sorted(query))}")
    arguments = {key: value for key, value in found.items() if value is not None}
    return arguments | tls


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError("is not a URI: special characters in a password must be %-escaped") from None
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError("must start with postgresql://")
    return parts


def _port(asked: str | None, parts: SplitResult) -> int | None:
    try:
        return int(asked) if asked else parts.port
    except ValueError:
        raise ValueError(
            "has a port that is not a number; special characters in a password must be %-escaped"
        ) from None


def _tls(mode: str, root: str | None, host: Any) -> dict[str, Any]:
    if host and str(host).startswith("/"):
        return {}
    if mode in _VERIFYING:
        try:
            context = ssl.create_default_context(cafile=root)
        except OSError:
            raise ValueError("has an sslrootcert that cannot be read") from None
        context.check_hostname = mode == "verify-full"
        return {"ssl": context}
    if mode not in _MODES:
        raise ValueError("has an sslmode that is not known")
    return {"ssl": _MODES[mode]}
