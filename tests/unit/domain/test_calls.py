"""The network that shares a budget: /24 of IPv4, /56 of IPv6."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofactor_server.domain.calls import Client


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("", ""),
        ("192.0.2.10", "192.0.2.0/24"),
        ("192.0.2.255", "192.0.2.0/24"),
        ("192.0.3.10", "192.0.3.0/24"),
        ("::ffff:192.0.2.10", "192.0.2.0/24"),  # the same client through a dual-stack socket
        ("2001:db8:1:2345::1", "2001:db8:1:2300::/56"),
        ("2001:db8:1:23ff:ffff::", "2001:db8:1:2300::/56"),
        ("2001:db8:1:2400::1", "2001:db8:1:2400::/56"),
        ("fe80::1%eth0", "fe80::/56"),
        ("::1", "::/56"),
    ],
)
def test_network_prefixes(address: str, prefix: str) -> None:
    assert Client(address).network_prefix == prefix


@given(st.ip_addresses())
def test_every_address_is_in_its_prefix(address: IPv4Address | IPv6Address) -> None:
    network = ip_network(Client(str(address)).network_prefix)
    seen = getattr(address, "ipv4_mapped", None) or address
    assert seen in network
    assert network.prefixlen == (24 if network.version == 4 else 56)


@given(st.ip_addresses(v=4))
def test_a_mapped_ipv4_address_shares_the_budget_of_the_plain_one(address: IPv4Address) -> None:
    mapped = ip_address(f"::ffff:{address}")
    assert Client(str(mapped)).network_prefix == Client(str(address)).network_prefix
