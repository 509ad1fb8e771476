"""The address on which the server listens: an IP address and port, or a Unix socket."""

import ipaddress
from dataclasses import dataclass

_MAX_SOCKET_PATH_BYTES = 107


@dataclass(frozen=True)
class ListenAddress:
    """``host`` and ``port`` of TCP, or ``path`` of a Unix socket. With port 0 the system chooses one."""

    host: str = ""
    port: int = 0
    path: str = ""

    @property
    def is_local(self) -> bool:
        """Whether only this machine can connect."""
        return bool(self.path) or ipaddress.ip_address(self.host).is_loopback

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_listen(text: str) -> ListenAddress:
    """Parse ``127.0.0.1:50051``, ``[::1]:50051``, ``localhost:50051`` or ``unix:/path``. Raises ValueError."""
    if text.startswith("unix:"):
        path = text.removeprefix("unix:").removeprefix("//")
        if not path or len(path.encode()) > _MAX_SOCKET_PATH_BYTES:
            raise ValueError(f"must have a socket path of at most {_MAX_SOCKET_PATH_BYTES} bytes after unix:")
        return ListenAddress(path=path)
    host, colon, port = text.rpartition(":")
    host = "127.0.0.1" if host == "localhost" else host.strip("[]")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise ValueError("must be an address and port such as 127.0.0.1:50051, or unix:/path") from None
    if not colon or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ValueError("must end in a port from 0 to 65535")
    return ListenAddress(str(address), int(port))
