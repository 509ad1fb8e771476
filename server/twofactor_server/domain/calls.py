"""Who calls, on whose behalf, and until when."""

from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address, ip_network


class DeadlinePassed(Exception):
    """The deadline passed, or the client hung up: no one waits for the answer, and what was due next was not begun."""


@dataclass(frozen=True)
class Client:
    """The person's device as the calling service sees it. Both fields are "" if not known."""

    ip_address: str = ""
    user_agent: str = ""

    @cached_property
    def network_prefix(self) -> str:
        """The network that shares a budget: /24 of IPv4, /56 of IPv6 (one customer's), "" if not known."""
        if not self.ip_address:
            return ""
        address = ip_address(self.ip_address)
        mapped = getattr(address, "ipv4_mapped", None)
        address = mapped or address
        return str(ip_network((address, 24 if address.version == 4 else 56), strict=False))


@dataclass(slots=True)
class Call:
    """One network call.

    ``call_id`` appears in the log and in the audit log. ``deadline`` is in seconds of ``time.monotonic``. ``caller`` is
    the calling service; ``may_assert`` and ``may_provision`` are two of its roles. ``abandoned``: the client hung up,
    or the server answered that the outcome is unknown.
    """

    call_id: str
    deadline: float
    caller: str = ""
    client: Client = Client()
    may_assert: bool = False
    may_provision: bool = False
    abandoned: bool = False
