"""Connection URIs as libpq reads them (PostgreSQL documentation, "Connection URIs")."""

import ssl
from typing import Any

import pytest

from twofactor_server.storage.address import driver_address


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
        # What stands in the query wins.
        (
            "postgresql://a:b@db:1/c?host=db2&port=2&user=x&password=y&dbname=z",
            {"host": "db2", "port": 2, "user": "x", "password": "y", "database": "z", "ssl": "prefer"},
        ),
        ("postgresql://db?sslmode=disable", {"host": "db", "ssl": False}),
        ("postgresql://db?sslmode=require", {"host": "db", "ssl": "require"}),
    ],
)
def test_a_uri_is_read_as_libpq_reads_it(url: str, arguments: dict[str, Any]) -> None:
    address, found = driver_address(url)
    assert found == arguments
    assert str(address) == "postgresql+asyncpg://"


@pytest.mark.parametrize(("mode", "checks_the_name"), [("verify-ca", False), ("verify-full", True)])
def test_the_verifying_modes_check_the_certificate(mode: str, checks_the_name: bool) -> None:
    _, arguments = driver_address(f"postgresql://db?sslmode={mode}")
    context = arguments["ssl"]
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
        # A password whose special characters are not escaped: parts of it are taken for something else.
        "postgresql://mia:secret/word@db/shop",
        "postgresql://mia:secret?word@db/shop",
        "postgresql://mia:secret#word@db/shop",
        "postgresql://db?sslmode=verify-full&sslrootcert=/secret/file",
    ],
)
def test_anything_else_is_refused_without_a_word_of_it(url: str) -> None:
    """ "Anything else: ValueError, which names no value": the sentence goes to the log, the URL has a password."""
    with pytest.raises(ValueError, match=r".+") as caught:
        driver_address(url)
    assert "secret" not in str(caught.value)


def test_what_is_not_understood_is_named_without_its_value() -> None:
    with pytest.raises(ValueError, match="not understood: keepalives, options") as caught:
        driver_address("postgresql://db?options=secret&keepalives=1")
    assert "secret" not in str(caught.value)
