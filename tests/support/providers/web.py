"""A web server on loopback for the test providers, which can answer with faults."""

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

PATIENCE = 20.0
"""The longest that an answer hangs, in seconds."""


@dataclass
class Request:
    """One request. ``form`` is its query or its body."""

    method: str
    path: str
    headers: Mapping[str, str]
    form: dict[str, str]


@dataclass
class Response:
    """One response. ``content`` is sent as JSON, or unchanged if it is bytes."""

    content: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Page = Callable[[Request], Response]
Fault = str
"""A fault: "hang", "drip", "500", "404", "huge", "endless", "redirect", "html", "deep", "gzip", "cut"."""


class Web:
    """Pages by path. ``faults`` has the faults of paths, and ``seen`` counts the requests by path."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.faults: dict[str, Fault] = {}
        self.seen: Counter[str] = Counter()
        self.cookies: list[str] = []
        self.waiting = 0
        self.broken: list[Exception] = []
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        # An internal error must not look like a fault that the test configured.
        assert self.broken == []

    @contextlib.contextmanager
    def answering(self, path: str, fault: Fault) -> Iterator[None]:
        """Answer this path with the fault for the duration of the block."""
        self.faults[path] = fault
        try:
            yield
        finally:
            del self.faults[path]

    def wait(self, seconds: float) -> None:
        """Wait, but not longer than the test lasts."""
        self._over.wait(seconds)


def answer_with_fault(web: Web, how: Fault, send: Callable[[Response], None], raw: Callable[[bytes], None]) -> None:
    """Answer with this fault."""
    match how:
        case "hang":
            web.waiting += 1
            web.wait(PATIENCE)
        case "drip":
            raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            for _ in range(int(PATIENCE * 2)):
                web.wait(0.5)
                raw(b" ")
        case "huge":
            raw(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
            for _ in range(1600):
                raw(b" " * 65536)
        case "endless":
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(1600):
                raw(b"10000\r\n" + b" " * 65536 + b"\r\n")
        case "redirect":
            send(Response({}, 302, {"Location": f"{web.url}/elsewhere"}))
        case "html":
            send(Response(b"<h1>Sorry</h1>"))
        case "deep":
            send(Response(b"[" * 500_000))
        case "gzip":
            send(Response(b"{}", headers={"Content-Encoding": "gzip"}))
        case "cut":
            raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        case status:
            send(Response({"error": "server_error"}, int(status)))


def _handler(web: Web) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = PATIENCE

        def do_GET(self) -> None:
            self._serve("")

        def do_POST(self) -> None:
            self._serve(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())

        def log_message(self, *_: object) -> None:
            pass

        def _serve(self, body: str) -> None:
            address = urlsplit(self.path)
            web.seen[address.path] += 1
            web.cookies += self.headers.get_all("Cookie", [])
            request = Request(self.command, address.path, dict(self.headers), dict(parse_qsl(body or address.query)))
            try:
                if address.path in web.faults:
                    self.close_connection = True
                    answer_with_fault(web, web.faults[address.path], self._send, self._raw)
                else:
                    page = web.pages.get(address.path)
                    self._send(page(request) if page else Response({}, 404))
            except OSError:
                self.close_connection = True
            except Exception as error:
                web.broken.append(error)
                raise

        def _send(self, answer: Response) -> None:
            content = answer.content if isinstance(answer.content, bytes) else json.dumps(answer.content).encode()
            self.send_response(answer.status)
            headers = {"Content-Type": "application/json", "Set-Cookie": "tracked=1; Path=/"} | answer.headers
            for name, value in (headers | {"Content-Length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def _raw(self, content: bytes) -> None:
            self.wfile.write(content)
            self.wfile.flush()

    return Handler
