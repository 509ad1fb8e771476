"""A wire that loses an answer: the call reaches the server and is done, and its caller never hears of it."""

import socket
import threading
from contextlib import suppress
from types import TracebackType

_DATA, _HEADERS, _RST_STREAM = 0x0, 0x1, 0x3
_END_STREAM = 0x1
_FRAME_HEADER = 9
_MESSAGE_HEADER = 5
_JOIN_SECONDS = 2.0


class LossyWire:
    """A relay on the loopback for one connection with one call.

    It carries everything to the server, and everything back until the answer begins. The answer it keeps to itself,
    and when that is complete it cuts the connection on both sides. Nothing is pretended: the bytes were sent, and
    `lost_message` holds them.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._lost = bytearray()
        self._thread = threading.Thread(target=self._relay, daemon=True)

    @property
    def lost_message(self) -> bytes:
        """The message of the lost answer; empty if the answer was a refusal, or did not come."""
        if not self._lost:
            return b""
        length = int.from_bytes(self._lost[1:_MESSAGE_HEADER])
        return bytes(self._lost[_MESSAGE_HEADER : _MESSAGE_HEADER + length])

    def __enter__(self) -> "LossyWire":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _cut(self._listener)
        self._thread.join(_JOIN_SECONDS)

    def _relay(self) -> None:
        try:
            near, _ = self._listener.accept()
        except OSError:
            return  # closed before anybody came
        try:
            far = _connect(self._server)
        except OSError:
            _cut(near)
            return
        outward = threading.Thread(target=_carry, args=(near, far), daemon=True)
        outward.start()
        try:
            self._carry_back(far, near)
        except OSError:
            pass  # one of the two has hung up
        finally:
            _cut(far)
            _cut(near)

    def _carry_back(self, far: socket.socket, near: socket.socket) -> None:
        """HTTP/2 frames (RFC 9113 section 4.1) up to the end of the answer; from its beginning on they stay here."""
        losing = False
        while header := _exactly(far, _FRAME_HEADER):
            payload = _exactly(far, int.from_bytes(header[:3]))
            kind, flags = header[3], header[4]
            losing = losing or kind == _HEADERS
            if not losing:
                near.sendall(header + payload)
                continue
            if kind == _DATA:
                self._lost += payload
            if kind == _RST_STREAM or (kind in (_DATA, _HEADERS) and flags & _END_STREAM):
                return


def _connect(server: str) -> socket.socket:
    if server.startswith("unix:"):
        near_end = socket.socket(socket.AF_UNIX)
        near_end.connect(server.removeprefix("unix:").removeprefix("//"))
        return near_end
    host, _, port = server.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)))


def _carry(source: socket.socket, target: socket.socket) -> None:
    try:
        while some := source.recv(65536):
            target.sendall(some)
    except OSError:
        pass  # cut: the answer has been lost


def _exactly(source: socket.socket, size: int) -> bytes:
    """`size` bytes, or none if the other side ends before."""
    got = bytearray()
    while len(got) < size:
        some = source.recv(size - len(got))
        if not some:
            return b""
        got += some
    return bytes(got)


def _cut(wire: socket.socket) -> None:
    # Shutting down wakes the thread that waits in accept or recv; closing alone does not.
    with suppress(OSError):  # it may be down already
        wire.shutdown(socket.SHUT_RDWR)
    wire.close()
