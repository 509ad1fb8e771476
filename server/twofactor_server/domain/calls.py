"""Who asks, for whom, and until when."""

from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address, ip_network


class DeadlinePassed(Exception):
    """Nobody waits for the answer any more; the step that was due was not begun."""


@dataclass(frozen=True)
class Client:
    """The person's end of the line, as the calling service saw it. Both may be empty: not known."""

    ip_address: str = ""
    user_agent: str = ""

    @cached_property
    def network_prefix(self) -> str:
        """The network that shares a budget: /24 of IPv4, /56 of IPv6 (what one customer is given), "" if unknown."""
        if not self.ip_address:
            return ""
        address = ip_address(self.ip_address)
        mapped = getattr(address, "ipv4_mapped", None)
        address = mapped or address
        return str(ip_network((address, 24 if address.version == 4 else 56), strict=False))


@dataclass(frozen=True)
class Call:
    """One network call: its id (in the log and the audit trail), the calling service, the person, the deadline.

    ``deadline`` is on ``time.monotonic``, in seconds.
    """

    call_id: str
    caller: str
    deadline: float
    client: Client = Client()
    may_assert: bool = False
    may_provision: bool = False
