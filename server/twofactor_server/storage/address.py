"""A libpq connection URI, translated for the driver."""

import ssl
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sqlalchemy import URL

_MODES = {"disable": False, "allow": False, "prefer": "prefer", "require": "require"}
_VERIFYING = ("verify-ca", "verify-full")


def driver_address(url: str) -> tuple[URL, dict[str, Any]]:
    """SQLAlchemy's address and the driver's arguments for ``postgresql://…`` as libpq reads it.

    Hosts may stand in the query (``?host=/run/postgresql``), as libpq wants it for unix sockets. Understood
    besides: port, user, password, dbname, sslmode, sslrootcert. Anything else: ValueError, which names no value.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError("must start with postgresql://")
    query = dict(parse_qsl(parts.query))
    found = {
        "host": query.pop("host", None) or (unquote(parts.hostname) if parts.hostname else None),
        "port": query.pop("port", None) or parts.port,
        "user": query.pop("user", None) or (unquote(parts.username) if parts.username else None),
        "password": query.pop("password", None) or (unquote(parts.password) if parts.password else None),
        "database": query.pop("dbname", None) or unquote(parts.path.lstrip("/")) or None,
    }
    tls = _tls(query.pop("sslmode", "prefer"), query.pop("sslrootcert", None), found["host"])
    if query:
        raise ValueError(f"has a parameter that is not understood: {', '.join(sorted(query))}")
    arguments = {key: value for key, value in found.items() if value is not None}
    if "port" in arguments:
        arguments["port"] = int(arguments["port"])
    return URL.create("postgresql+asyncpg"), arguments | tls


def _tls(mode: str, root: str | None, host: Any) -> dict[str, Any]:
    if host and str(host).startswith("/"):
        return {}
    if mode in _VERIFYING:
        context = ssl.create_default_context(cafile=root)
        context.check_hostname = mode == "verify-full"
        return {"ssl": context}
    if mode not in _MODES:
        raise ValueError("has an sslmode that is not known")
    return {"ssl": _MODES[mode]}
