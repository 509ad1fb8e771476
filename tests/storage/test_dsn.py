"""Connection URIs as libpq reads them (PostgreSQL documentation, "Connection URIs")."""

import ssl
from typing import Any

import pytest

from twofactor_server.storage.dsn import parse_dsn


@pytest.mark.parametrize(
    ("url", "arguments"),
    [
        ("postgresql://", {"ssl": "prefer"}),
        ("postgresql://db.example.test", {"host": "db.example.test", "ssl": "prefer"}),
        (
            "postgresql://mia:secret@db.example.test:5433/shop",
            {"host": "db.example.test", "port": 5433, "user": "mia", "password": "secret", "database": "shop"}
            | {"ssl": "prefer"},
        ),
        ("postgres://db/shop", {"host": "db", "database": "shop", "ssl": "prefer"}),
        ("postgresql://[::1]:5433/shop", {"host": "::1", "port": 5433, "database": "shop", "ssl": "prefer"}),
        # Percent-escapes, in every part.
        (
            "postgresql://m%40ia:p%3Aa%2Fs%25s@db/sh%20op",
            {"host": "db", "user": "m@ia", "password": "p:a/s%s", "database": "sh op", "ssl": "prefer"},
        ),
        # Unix sockets, in both of libpq's forms; a socket is never encrypted.
        ("postgresql:///shop?host=/run/postgresql", {"host": "/run/postgresql", "database": "shop"}),
        ("postgresql://mia@%2FRun%2Fpg/shop", {"host": "/Run/pg", "user": "mia", "database": "shop"}),
        (
            "postgresql://mia@/shop?host=/tmp/it's%20odd%2Bü&port=5433&sslmode=require",
            {"host": "/tmp/it's odd+ü", "port": 5433, "user": "mia", "database": "shop"},
        ),
        # A plus is a plus: libpq decodes percent-escapes and nothing else.
        ("postgresql:///shop?host=/tmp/a+b", {"host": "/tmp/a+b", "database": "shop"}),
        ("postgresql://db/?user=m+ia&password=s+e", {"host": "db", "user": "m+ia", "password": "s+e", "ssl": "prefer"}),
        # The query overrides the other parts.
        (
            "postgresql://a:b@db:1/c?host=db2&port=2&user=x&password=y&dbname=z",
            {"host": "db2", "port": 2, "user": "x", "password": "y", "database": "z", "ssl": "prefer"},
        ),
        ("postgresql://db?sslmode=disable", {"host": "db", "ssl": False}),
        ("postgresql://db?sslmode=require", {"host": "db", "ssl": "require"}),
    ],
)
def test_a_uri_is_read_as_libpq_reads_it(url: str, arguments: dict[str, Any]) -> None:
    assert parse_dsn(url) == arguments


@pytest.mark.parametrize(("mode", "checks_the_name"), [("verify-ca", False), ("verify-full", True)])
def test_verifying_modes_check_the_certificate(mode: str, checks_the_name: bool) -> None:
    context = parse_dsn(f"postgresql://db?sslmode={mode}")["ssl"]
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname is checks_the_name


@pytest.mark.parametrize(
    "url",
    [
        "",
        "db.example.test",
        "mysql://db",
        "http://db",
        "postgresql://db?connect_timeout=5",
        "postgresql://db?sslmode=sure",
        "postgresql://db?port=secret",
        "postgresql://db:secret/shop",
        "postgresql://db1:1,secret:2/shop",
        "postgresql://mia:secret[@db/shop",
        # Special characters of the password are not escaped, so parts of it look like another part of the URI.
        "postgresql://mia:secret/word@db/shop",
        "postgresql://mia:secret?word@db/shop",
        "postgresql://mia:secret#word@db/shop",
        "postgresql://db?sslmode=verify-full&sslrootcert=/secret/file",
    ],
)
def test_other_uris_are_rejected_without_repeating_a_value(url: str) -> None:
    """The error goes to the log, and the URL may contain a password."""
    with pytest.raises(ValueError, match=r".+") as caught:
        parse_dsn(url)
    assert "secret" not in str(caught.value)


def test_unknown_parameters_are_named_without_their_values() -> None:
    with pytest.raises(ValueError, match="not understood: keepalives, options") as caught:
        parse_dsn("postgresql://db?options=secret&keepalives=1")
    assert "secret" not in str(caught.value)
