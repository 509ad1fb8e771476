"""Puts the parts together; the only module that knows them all."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

from twofactor_server.api.access import UndecidedMethod
from twofactor_server.api.serve import AddressBusy, GrpcServer
from twofactor_server.clock import Clock, file_clock, system_clock
from twofactor_server.crypto.hashing import Argon2id, Argon2Parameters, HashingQueue
from twofactor_server.crypto.keyring import Keyring, KeyringError
from twofactor_server.domain.identities import GITHUB
from twofactor_server.domain.sessions import SessionLimits
from twofactor_server.flows import housekeeping
from twofactor_server.flows.delivery import Delivery
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.steps import crash_points
from twofactor_server.identity.github import GitHubProvider
from twofactor_server.identity.openid import OpenIdProvider
from twofactor_server.identity.provider import Provider
from twofactor_server.identity.providers import IdentityProviders
from twofactor_server.mail.messages import Branding
from twofactor_server.mail.transports import transport_from
from twofactor_server.settings import PREFIX, Settings, SettingsError
from twofactor_server.storage.database import Database
from twofactor_server.storage.migrate import DatabaseAhead, DatabaseUnreachable, database_time, migrate

CANNOT_START = (SettingsError, KeyringError, DatabaseAhead, DatabaseUnreachable, UndecidedMethod, AddressBusy)
"""What a server refuses to start for; the text is a sentence for the operator."""

CLOCK_TOLERANCE = timedelta(seconds=2)


@contextlib.asynccontextmanager
async def running(settings: Settings, database_url: str, *, share_port: bool) -> AsyncIterator[GrpcServer]:
    """A server with everything behind it running, ready to listen; drained and closed at the end of the block."""
    await migrate(database_url)
    await _check_clock(database_url)
    database = Database(database_url, statement_cache=settings.database_statement_cache)
    parameters = Argon2Parameters(settings.argon2_memory_kib, settings.argon2_time, settings.argon2_parallelism)
    hashing = HashingQueue(Argon2id(parameters), threads=os.cpu_count() or 1)
    wanted = asyncio.Event()
    providers = IdentityProviders(_providers(settings))
    deps = Dependencies(
        database=database,
        keyring=Keyring.load_or_create(settings.keyring),
        hashing=hashing,
        now=_clock(settings),
        reached=_crash_at(settings.test_crash_at),
        wake_delivery=wanted.set,
        session_limits=SessionLimits(
            settings.session_lifetime,
            settings.session_idle,
            settings.session_remembered_lifetime,
            settings.session_remembered_idle,
        ),
        product_name=settings.product_name,
        providers=providers,
    )
    server = GrpcServer(deps, share_port=share_port)
    tasks = [
        asyncio.create_task(_delivery(settings, deps, wanted).run(), name="delivery"),
        asyncio.create_task(housekeeping.run(database, deps.now), name="housekeeping"),
    ]
    try:
        yield server
    finally:
        await server.drain()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        hashing.close()
        await providers.close()
        await database.close()


def _delivery(settings: Settings, deps: Dependencies, wanted: asyncio.Event) -> Delivery:
    try:
        transport = transport_from(settings.smtp_url, settings.mail_folder)
        branding = Branding(settings.product_name, settings.link_base_url, settings.mail_from)
    except ValueError as error:
        raise SettingsError([f"{PREFIX}SMTP_URL, _MAIL_FROM or _PRODUCT_NAME: {error}."]) from None
    return Delivery(deps.database, deps.keyring, transport, branding, deps.now, wanted)


def _providers(settings: Settings) -> list[Provider]:
    return [
        GitHubProvider(one.url, one.client_id, one.client_secret, one.redirect_uris)
        if one.name == GITHUB
        else OpenIdProvider(one.name, one.url, one.client_id, one.client_secret, one.redirect_uris, _clock(settings))
        for one in settings.providers
    ]


def _clock(settings: Settings) -> Clock:
    return file_clock(settings.test_clock_file) if settings.test_clock_file else system_clock


def _crash_at(point: str | None) -> Callable[[str], None]:
    """What is told of crash points: nothing happens, unless one was named in test mode. There the process dies as if
    the power failed: no handler, no flush, no goodbye."""
    if point is None:
        return lambda _: None
    if point not in crash_points():
        raise SettingsError([f"{PREFIX}TEST_CRASH_AT must be one of: {', '.join(crash_points())}."])

    def reached(here: str) -> None:
        if here == point:
            os.kill(os.getpid(), signal.SIGKILL)

    return reached


async def _check_clock(database_url: str) -> None:
    off = system_clock() - await database_time(database_url)
    if abs(off) > CLOCK_TOLERANCE:
        # Codes, waits and sessions would be judged by a time that other servers do not share.
        raise SettingsError([f"the system's clock is {off.total_seconds():+.0f} s off the database's; set it right."])
