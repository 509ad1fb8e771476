"""A TCP proxy that delivers a request to the server and drops the response."""

import socket
import threading
from contextlib import suppress
from typing import Self

_DATA, _HEADERS, _RST_STREAM = 0x0, 0x1, 0x3
_END_STREAM = 0x1
_FRAME_HEADER_BYTES = 9
_GRPC_HEADER_BYTES = 5
_JOIN_SECONDS = 2.0


class DropProxy:
    """Listens on loopback, for one connection with one call.

    It forwards everything to the server, and everything back until the response starts. It keeps the response, and
    closes both connections when the response is complete.
    """

    def __init__(self, server: str) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._dropped = bytearray()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def dropped_message(self) -> bytes:
        """The dropped response message; empty if the response was an error, or there was none."""
        length = int.from_bytes(self._dropped[1:_GRPC_HEADER_BYTES])
        return bytes(self._dropped[_GRPC_HEADER_BYTES : _GRPC_HEADER_BYTES + length])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        _close(self._listener)
        self._thread.join(_JOIN_SECONDS)

    def _run(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return  # closed before a client connected
        try:
            server = _connect(self._server)
        except OSError:
            _close(client)
            return
        threading.Thread(target=_forward, args=(client, server), daemon=True).start()
        with suppress(OSError):  # one side closed its connection
            self._forward_until_response(server, client)
        _close(server)
        _close(client)

    def _forward_until_response(self, server: socket.socket, client: socket.socket) -> None:
        """Forward HTTP/2 frames (RFC 9113 section 4.1) until the response starts, then keep the rest of it."""
        response_started = False
        while header := _receive_exactly(server, _FRAME_HEADER_BYTES):
            payload = _receive_exactly(server, int.from_bytes(header[:3]))
            frame_type, flags = header[3], header[4]
            response_started = response_started or frame_type == _HEADERS
            if not response_started:
                client.sendall(header + payload)
                continue
            if frame_type == _DATA:
                self._dropped += payload
            if frame_type == _RST_STREAM or (frame_type in (_DATA, _HEADERS) and flags & _END_STREAM):
                return


def _connect(server: str) -> socket.socket:
    if server.startswith("unix:"):
        unix_socket = socket.socket(socket.AF_UNIX)
        unix_socket.connect(server.removeprefix("unix:").removeprefix("//"))
        return unix_socket
    host, _, port = server.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)))


def _forward(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):  # the proxy closed the connections
        while data := source.recv(65536):
            target.sendall(data)


def _receive_exactly(source: socket.socket, size: int) -> bytes:
    """`size` bytes; empty if the connection ends earlier."""
    received = bytearray()
    while len(received) < size:
        data = source.recv(size - len(received))
        if not data:
            return b""
        received += data
    return bytes(received)


def _close(connection: socket.socket) -> None:
    # shutdown wakes a thread that waits in accept or recv; close alone does not.
    with suppress(OSError):  # not connected any more
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
