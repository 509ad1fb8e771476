"""Puts the parts together. The only module that knows all of them."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable

from twofactor_server.api.access import UndecidedMethod
from twofactor_server.api.server import AddressBusy, GrpcServer
from twofactor_server.clock import Clock, file_clock, system_clock
from twofactor_server.crypto.hashing import Argon2id, Argon2Parameters, HashingQueue
from twofactor_server.crypto.keyring import Keyring, KeyringError
from twofactor_server.domain.identities import GITHUB
from twofactor_server.domain.limits import CLOCK_TOLERANCE
from twofactor_server.domain.sessions import SessionLimits
from twofactor_server.flows.background import housekeeping
from twofactor_server.flows.background.mail_delivery import MailDelivery
from twofactor_server.flows.transactions import crash_points
from twofactor_server.flows.unit_of_work import Dependencies
from twofactor_server.identity.provider import Provider
from twofactor_server.identity.providers import IdentityProviders
from twofactor_server.mail import transport_from
from twofactor_server.mail.messages import Branding
from twofactor_server.settings import PREFIX, Settings, SettingsError
from twofactor_server.storage.database import Database
from twofactor_server.storage.migrate import DatabaseAhead, DatabaseUnreachable, database_time, migrate

CANNOT_START = (SettingsError, KeyringError, DatabaseAhead, DatabaseUnreachable, UndecidedMethod, AddressBusy)
"""Why a server refuses to start. The text is a sentence for the operator."""


@contextlib.asynccontextmanager
async def running(settings: Settings, database_url: str, *, share_port: bool) -> AsyncIterator[GrpcServer]:
    """A server that is ready to listen, with its background tasks. Drained and closed at the end of the block."""
    await migrate(database_url)
    await _check_clock(database_url)
    database = Database(database_url, statement_cache=settings.database_statement_cache)
    parameters = Argon2Parameters(settings.argon2_memory_kib, settings.argon2_time, settings.argon2_parallelism)
    hashing = HashingQueue(Argon2id(parameters), threads=os.cpu_count() or 1)
    wake_delivery = asyncio.Event()
    providers = IdentityProviders(_providers(settings))
    deps = Dependencies(
        database=database,
        keyring=Keyring.load_or_create(settings.keyring),
        hashing=hashing,
        now=_clock(settings),
        crash_hook=_crash_hook(settings.test_crash_at),
        wake_delivery=wake_delivery.set,
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
        asyncio.create_task(_mail_delivery(settings, deps, wake_delivery).run(), name="mail delivery"),
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


def _mail_delivery(settings: Settings, deps: Dependencies, wake: asyncio.Event) -> MailDelivery:
    try:
        transport = transport_from(settings.smtp_url, settings.mail_folder)
        branding = Branding(settings.product_name, settings.link_base_url, settings.mail_from)
    except ValueError as error:
        raise SettingsError([f"{PREFIX}SMTP_URL, _MAIL_FROM or _PRODUCT_NAME: {error}."]) from None
    return MailDelivery(deps.database, deps.keyring, transport, branding, deps.now, wake)


def _providers(settings: Settings) -> list[Provider]:
    if not settings.providers:
        return []
    # Imported late: only a server with providers needs httpx and joserfc, a fifth of the import time.
    from twofactor_server.identity.github import GitHubProvider
    from twofactor_server.identity.openid import OpenIdProvider

    return [
        GitHubProvider(provider.url, provider.client_id, provider.client_secret, provider.redirect_uris)
        if provider.name == GITHUB
        else OpenIdProvider(
            provider.name,
            provider.url,
            provider.client_id,
            provider.client_secret,
            provider.redirect_uris,
            _clock(settings),
        )
        for provider in settings.providers
    ]


def _clock(settings: Settings) -> Clock:
    return file_clock(settings.test_clock_file) if settings.test_clock_file else system_clock


def _crash_hook(point: str | None) -> Callable[[str], None]:
    """In test mode, kill the process at the named crash point, as if the power failed; otherwise do nothing."""
    if point is None:
        return lambda _: None
    if point not in crash_points():
        raise SettingsError([f"{PREFIX}TEST_CRASH_AT must be one of: {', '.join(crash_points())}."])

    def crash(reached: str) -> None:
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    return crash


async def _check_clock(database_url: str) -> None:
    offset = system_clock() - await database_time(database_url)
    if abs(offset) > CLOCK_TOLERANCE:
        # Codes, waits and sessions would be decided by a time that other servers do not share.
        seconds = f"{offset.total_seconds():+.0f}"
        raise SettingsError([f"the system clock differs from the database's clock by {seconds} s; correct it."])
