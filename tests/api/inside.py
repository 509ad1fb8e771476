"""A server inside the test's own process, whose parts can be looked at, or be made to fail."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import grpc

from tests.people import Stubs
from tests.providers.both import Providers
from tests.servers import Clock, Server
from twofactor_server.api.serve import GrpcServer
from twofactor_server.crypto.hashing import QUEUED, Argon2id, Argon2Parameters, HashingQueue
from twofactor_server.crypto.keyring import Keyring
from twofactor_server.domain.sessions import SessionLimits
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.identity.github import GitHubProvider
from twofactor_server.identity.openid import OpenIdProvider
from twofactor_server.identity.provider import Provider
from twofactor_server.identity.providers import IdentityProviders
from twofactor_server.storage.database import Database

THREADS = 2


@dataclass(frozen=True)
class Inside:
    """The server's channel and its parts."""

    channel: grpc.aio.Channel
    stubs: Stubs
    argon2id: Argon2id
    hashing: HashingQueue

    @property
    def places(self) -> int:
        """How many calls may hash or wait for it at once."""
        return THREADS + QUEUED

    @property
    def free(self) -> int:
        """How many places are not taken now."""
        return self.hashing._free


class FailingDatabase:
    """Whatever is asked of it ends in this error, as a bug anywhere below the handlers would."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    async def transact(self, work: Any) -> NoReturn:
        raise self._error

    async def read(self, work: Any) -> NoReturn:
        raise self._error


@contextlib.asynccontextmanager
async def serving_inside(
    folder: Path, clock: Clock, database: Any, keyring: Keyring | None = None, known: Providers | None = None
) -> AsyncIterator[Inside]:
    """One server on a unix socket, real from the socket down to ``database``; it is stopped with the block. It knows no
    identity providers, or these."""
    argon2id = Argon2id(Argon2Parameters(memory_kib=256, time=1))
    hashing = HashingQueue(argon2id, threads=THREADS)
    deps = Dependencies(
        database=database,
        keyring=keyring or Keyring.new(),
        hashing=hashing,
        now=lambda: clock.now,
        reached=lambda _: None,
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
            yield Inside(channel, Stubs(channel), argon2id, hashing)
    finally:
        await server.drain()
        await deps.providers.close()
        hashing.close()


@contextlib.asynccontextmanager
async def beside(server: Server, folder: Path, known: Providers | None = None) -> AsyncIterator[Inside]:
    """One more server on the same database, with the same keys; it knows no identity providers, or these."""
    database = Database(server.database_url, pool_size=4)
    try:
        keyring = Keyring.load(server.data_dir / "keyring.json")
        async with serving_inside(folder, server.clock, database, keyring, known) as inside:
            yield inside
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
