"""Parsing of the listen address."""

# ruff: noqa: S104 - these addresses are only parsed

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofactor_server.listen import ListenAddress, parse_listen


@pytest.mark.parametrize(
    ("text", "address", "written"),
    [
        ("127.0.0.1:50051", ListenAddress("127.0.0.1", 50051), "127.0.0.1:50051"),
        ("127.0.0.1:0", ListenAddress("127.0.0.1", 0), "127.0.0.1:0"),
        ("localhost:50051", ListenAddress("127.0.0.1", 50051), "127.0.0.1:50051"),
        ("[::1]:50051", ListenAddress("::1", 50051), "[::1]:50051"),
        ("0.0.0.0:65535", ListenAddress("0.0.0.0", 65535), "0.0.0.0:65535"),
        ("unix:/run/twofactor.sock", ListenAddress(path="/run/twofactor.sock"), "unix:/run/twofactor.sock"),
        ("unix:///run/twofactor.sock", ListenAddress(path="/run/twofactor.sock"), "unix:/run/twofactor.sock"),
        ("unix:twofactor.sock", ListenAddress(path="twofactor.sock"), "unix:twofactor.sock"),
    ],
)
def test_an_address_survives_a_round_trip(text: str, address: ListenAddress, written: str) -> None:
    assert parse_listen(text) == address
    assert str(address) == written
    assert parse_listen(written) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "50051",
        ":50051",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:-1",
        "127.0.0.1:65536",
        "127.0.0.1:port",
        "127.0.0.1:\u0665\u0660",
        "127.0.0.1:5 ",
        pytest.param(f"127.0.0.1:{'9' * 5000}", id="endless"),
        "example.test:50051",
        "[::1]",
        "http://127.0.0.1:50051",
        "unix:",
        "unix://",
        f"unix:/{'x' * 107}",
    ],
)
def test_malformed_addresses_are_rejected_without_quoting_them(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must |digits") as caught:
        parse_listen(text)
    for part in ("example.test", "http", "port", "99999"):
        assert part not in str(caught.value).replace("a port from", "").replace("address and port", "")


@given(st.text())
def test_any_text_is_parsed_or_rejected(text: str) -> None:
    try:
        address = parse_listen(text)
    except ValueError:
        return
    assert parse_listen(str(address)) == address


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("127.0.0.1:1", True),
        ("127.9.9.9:1", True),
        ("[::1]:1", True),
        ("unix:/run/x", True),
        ("0.0.0.0:1", False),
        ("[::]:1", False),
        ("192.0.2.1:1", False),
        ("[::ffff:192.0.2.1]:1", False),
    ],
)
def test_whether_only_this_machine_can_connect(text: str, local: bool) -> None:
    assert parse_listen(text).is_local is local
