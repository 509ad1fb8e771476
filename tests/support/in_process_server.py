"""A server in the process of the test, whose parts can be inspected or made to fail."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import grpc

from tests.support.clock import Clock
from tests.support.providers.both import Providers
from tests.support.rpc import Rpc
from tests.support.servers import Server
from twofactor_server.api.server import GrpcServer
from twofactor_server.crypto.hashing import QUEUED, Argon2id, Argon2Parameters, HashingQueue
from twofactor_server.crypto.keyring import Keyring
from twofactor_server.domain.sessions import SessionLimits
from twofactor_server.flows.unit_of_work import Dependencies
from twofactor_server.identity.github import GitHubProvider
from twofactor_server.identity.openid import OpenIdProvider
from twofactor_server.identity.provider import Provider
from twofactor_server.identity.providers import IdentityProviders
from twofactor_server.storage.database import Database

THREADS = 2


@dataclass(frozen=True)
class InProcessServer:
    """The server's channel and its parts."""

    channel: grpc.aio.Channel
    argon2id: Argon2id
    hashing: HashingQueue

    @property
    def rpc(self) -> Rpc:
        """Calls this server."""
        return Rpc(self.channel)

    @property
    def hashing_slots(self) -> int:
        """How many calls may hash or wait for it at the same time."""
        return THREADS + QUEUED

    @property
    def free_slots(self) -> int:
        """How many slots are free now."""
        return self.hashing._free


class FailingDatabase:
    """A database whose every use raises this error, like a bug below the handlers."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def transaction(self) -> NoReturn:
        raise self._error

    def reading(self) -> NoReturn:
        raise self._error


@contextlib.asynccontextmanager
async def in_process_server(
    folder: Path, clock: Clock, database: Any, keyring: Keyring | None = None, known: Providers | None = None
) -> AsyncIterator[InProcessServer]:
    """Run a server on a unix socket for the duration of the block, real from the socket down to ``database``.

    It is configured with the ``known`` identity providers, by default with none.
    """
    argon2id = Argon2id(Argon2Parameters(memory_kib=256, time=1))
    hashing = HashingQueue(argon2id, threads=THREADS)
    deps = Dependencies(
        database=database,
        keyring=keyring or Keyring.new(),
        hashing=hashing,
        now=lambda: clock.now,
        crash_hook=lambda _: None,
        wake_delivery=lambda: None,
        session_limits=SessionLimits(),
        product_name="Twofactor",
        providers=IdentityProviders(_providers(known, clock) if known else ()),
    )
    server = GrpcServer(deps, share_port=False)
    address = f"unix:{folder / 'socket'}"
    await server.start(address)
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            yield InProcessServer(channel, argon2id, hashing)
    finally:
        await server.drain()
        await deps.providers.close()
        hashing.close()


@contextlib.asynccontextmanager
async def second_in_process_server(
    server: Server, folder: Path, known: Providers | None = None
) -> AsyncIterator[InProcessServer]:
    """Run another server on the database and with the keys of this one."""
    database = Database(server.database_url, pool_size=4)
    try:
        keyring = Keyring.load(server.data_dir / "keyring.json")
        async with in_process_server(folder, server.clock, database, keyring, known) as second:
            yield second
    finally:
        await database.close()


def _providers(known: Providers, clock: Clock) -> list[Provider]:
    openid, github = known.openid, known.github
    return [
        OpenIdProvider(
            openid.name, openid.issuer, openid.client_id, openid.client_secret, (openid.redirect_uri,),
            lambda: clock.now,
        ),
        GitHubProvider(github.web.url, github.client_id, github.client_secret, (github.redirect_uri,)),
    ]  # fmt: skip
