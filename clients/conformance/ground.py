"""What cases are played on: the real server, and five other ways to it."""

import asyncio
import contextlib
import socket
import ssl
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from clients.conformance.certificates import SERVER_NAME, Authority, Pair
from clients.conformance.front import Front, standing_before
from tests.faults.answer_wire import AnswerWire
from tests.faults.wire import Ends, pour, wire
from tests.people import People, people_of
from tests.servers import Clock, Server, serving
from twofactor_server.postgres import EmbeddedPostgres

DIRECT = "direct"


@dataclass(frozen=True)
class Ground:
    """A server with its people, and by name what a driver has to connect to.

    `direct`; over a `wire` that can lose an answer; through the `front`; over `tls`, where the certificate of a
    `tls-stranger` is not accepted and `tls-other-name` expects a name that the server does not bear; `nowhere`.
    """

    people: People
    front: Front
    wire: AnswerWire
    ways: dict[str, dict[str, Any]]


@contextlib.asynccontextmanager
async def standing_on(server: Server) -> AsyncIterator[Ground]:
    """The ground around this running server, for the time of the block."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twofactor-conformance-")))
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(server.address))
        front, before = await stack.enter_async_context(standing_before(channel))
        answers = AnswerWire()
        nowhere = stack.enter_context(socket.socket())
        # Bound, and nobody listens: the port is refused, and given to nobody else.
        nowhere.bind(("127.0.0.1", 0))
        ways = {
            DIRECT: {"address": server.address},
            "wire": {"address": await stack.enter_async_context(answers.to(server.address))},
            "front": {"address": before},
            "nowhere": {"address": f"127.0.0.1:{nowhere.getsockname()[1]}"},
            **await stack.enter_async_context(tls_before(server.address, folder)),
        }
        yield Ground(people_of(server, channel), front, answers, ways)


@contextlib.asynccontextmanager
async def standing() -> AsyncIterator[Ground]:
    """The same with a PostgreSQL and a server of its own."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twofactor-conformance-"))).resolve()
        # Started by root the database runs as another user, who must be able to pass through.
        folder.chmod(0o711)
        postgres = stack.enter_context(
            EmbeddedPostgres(folder / "data", lambda _: None, settings={"fsync": "off", "max_connections": "100"})
        )
        server = Server(folder / "server", postgres.url, Clock(folder / "now"))
        stack.enter_context(serving(server))
        async with standing_on(server) as ground:
            yield ground


@contextlib.asynccontextmanager
async def tls_before(address: str, folder: Path) -> AsyncIterator[dict[str, dict[str, Any]]]:
    """A port that speaks TLS, wants to see a certificate of its authority, and hands on to the address in plaintext."""
    authority = Authority(folder, "authority")
    server = authority.server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certificate, server.key)
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    host, _, port = address.rpartition(":")

    async with wire(lambda: asyncio.open_connection(host, int(port)), _both_ways, context) as near:

        def way(caller: Pair, server_name: str = SERVER_NAME) -> dict[str, Any]:
            files = {"ca": authority.certificate, "certificate": caller.certificate, "key": caller.key}
            return {
                "address": f"127.0.0.1:{near}",
                "tls": {name: str(path) for name, path in files.items()} | {"server_name": server_name},
            }

        known = authority.caller("web")
        yield {
            "tls": way(known),
            "tls-stranger": way(Authority(folder, "stranger").caller("somebody")),
            "tls-other-name": way(known, "other.example.test"),
        }


def _both_ways(ends: Ends) -> tuple[Any, Any]:
    return pour(ends.near, ends.far), pour(ends.far, ends.near)
