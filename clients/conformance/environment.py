"""The server that cases run against, and the transports that lead to it."""

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

from clients.conformance.certificates import SERVER_NAME, Authority, Certificate
from clients.conformance.scripted_proxy import ScriptedProxy, start_proxy
from tests.support.clock import Clock
from tests.support.factories import AccountFactory, factory_for
from tests.support.fault_proxy import AnswerProxy, Connection, forward, proxy
from tests.support.servers import Server, serving
from twofactor_server.postgres import EmbeddedPostgres

Transports = dict[str, dict[str, Any]]
"""Per name of a transport, what a driver's `connect` takes."""


@dataclass(frozen=True)
class Environment:
    """A server with its test data, and its transports. README.md lists them."""

    factory: AccountFactory
    scripted: ScriptedProxy
    lossy: AnswerProxy
    transports: Transports


@contextlib.asynccontextmanager
async def environment_for(server: Server) -> AsyncIterator[Environment]:
    """The environment of a running server."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twofactor-conformance-")))
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(server.address))
        scripted, scripted_address = await stack.enter_async_context(start_proxy(channel))
        lossy = AnswerProxy()
        # Bound but not listening: connections are refused, and no other process can take the port.
        unreachable = stack.enter_context(socket.socket())
        unreachable.bind(("127.0.0.1", 0))
        transports = {
            "direct": {"address": server.address},
            "lossy": {"address": await stack.enter_async_context(lossy.to(server.address))},
            "proxy": {"address": scripted_address},
            "unreachable": {"address": f"127.0.0.1:{unreachable.getsockname()[1]}"},
            **await stack.enter_async_context(_terminate_tls(server.address, folder)),
        }
        yield Environment(factory_for(server, channel), scripted, lossy, transports)


@contextlib.asynccontextmanager
async def start_environment() -> AsyncIterator[Environment]:
    """An environment with a PostgreSQL and a server of its own."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twofactor-conformance-"))).resolve()
        # When this process is root, PostgreSQL runs as another user, who must be able to enter the folder.
        folder.chmod(0o711)
        postgres = stack.enter_context(
            EmbeddedPostgres(folder / "data", lambda _: None, settings={"fsync": "off", "max_connections": "100"})
        )
        server = Server(folder / "server", postgres.url, Clock(folder / "now"))
        stack.enter_context(serving(server))
        async with environment_for(server) as environment:
            yield environment


@contextlib.asynccontextmanager
async def _terminate_tls(address: str, folder: Path) -> AsyncIterator[Transports]:
    """A port that requires mutual TLS and forwards to the plaintext address."""
    authority = Authority(folder, "authority")
    server = authority.issue_server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certificate, server.key)
    context.load_verify_locations(authority.certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    host, _, port = address.rpartition(":")

    async with proxy(lambda: asyncio.open_connection(host, int(port)), _forward_both_ways, context) as tls_port:

        def transport(caller: Certificate, server_name: str = SERVER_NAME) -> dict[str, Any]:
            files = {"ca": authority.certificate, "certificate": caller.certificate, "key": caller.key}
            return {
                "address": f"127.0.0.1:{tls_port}",
                "tls": {name: str(path) for name, path in files.items()} | {"server_name": server_name},
            }

        web = authority.issue_client("web")
        yield {
            "mtls": transport(web),
            "mtls, untrusted client": transport(Authority(folder, "untrusted").issue_client("untrusted-client")),
            "mtls, wrong server name": transport(web, "other.example.test"),
        }


def _forward_both_ways(connection: Connection) -> tuple[Any, Any]:
    return forward(connection.client, connection.server), forward(connection.server, connection.client)
