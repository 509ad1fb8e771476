"""The flows of one server in this process, on a real database, with a clock that tests set and no network."""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pyotp
from sqlalchemy import text

from twofactor_server.crypto.hashing import HashingQueue
from twofactor_server.crypto.keyring import KeyPurpose, Keyring
from twofactor_server.crypto.sealing import unseal
from twofactor_server.crypto.tokens import Token, TokenKind, parse_token
from twofactor_server.domain.backup_codes import normalise
from twofactor_server.domain.calls import Call, Client
from twofactor_server.domain.first_factors import PasswordCredential
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.sessions import SessionLimits
from twofactor_server.flows.account.create import Accounts
from twofactor_server.flows.sign_in.start import SignIn
from twofactor_server.flows.two_factor.authenticator_codes import AuthenticatorCodes
from twofactor_server.flows.two_factor.authenticator_removal import AuthenticatorRemoval
from twofactor_server.flows.two_factor.authenticator_setup import AuthenticatorSetups
from twofactor_server.flows.two_factor.backup_codes import BackupCodes
from twofactor_server.flows.two_factor.complete_sign_in import SignedIn
from twofactor_server.flows.two_factor.email_codes import EmailCodes
from twofactor_server.flows.two_factor.regeneration import Regeneration
from twofactor_server.flows.unit_of_work import Dependencies, outbox_associated_data
from twofactor_server.storage.database import Database
from twofactor_server.storage.statements import Statement, param

HASHING_THREADS = 2
PASSWORD = "correct horse battery staple"
BY_PASSWORD = Reauthentication(password=PASSWORD)


@dataclass
class Owner:
    """An account's owner: what they know, hold, and were shown. ``backup_code`` is normalised."""

    account_id: UUID
    email: str
    session: Token = field(init=False)
    secret: str = ""
    backup_code: str = ""

    def code_at(self, time: datetime) -> str:
        """The authenticator app's code."""
        return pyotp.TOTP(self.secret).at(int(time.timestamp()))


@dataclass
class FlowHarness:
    """``crash_hook`` is called at each crash point; ``wake`` is set when mail delivery is woken."""

    database: Database
    hashing: HashingQueue
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    keyring: Keyring = field(default_factory=Keyring.new)
    crash_hook: Callable[[str], None] = lambda _: None
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.deps = deps = Dependencies(
            database=self.database,
            keyring=self.keyring,
            hashing=self.hashing,
            now=lambda: self.now,
            crash_hook=lambda point: self.crash_hook(point),
            wake_delivery=self.wake.set,
            session_limits=SessionLimits(),
            product_name="Twofactor",
        )
        self.accounts = Accounts(deps)
        self.sign_in = SignIn(deps)
        self.email_codes = EmailCodes(deps)
        self.authenticator_codes = AuthenticatorCodes(deps)
        self.setups = AuthenticatorSetups(deps)
        self.backup_codes = BackupCodes(deps)
        self.regeneration = Regeneration(deps)
        self.removal = AuthenticatorRemoval(deps)

    def call(self, seconds: float = 10.0, address: str = "192.0.2.10") -> Call:
        """A call with a deadline that many seconds from now."""
        return Call(uuid4().hex, time.monotonic() + seconds, "local", Client(address, "Firefox"))

    def advance(self, span: timedelta) -> None:
        """Let time pass."""
        self.now += span

    async def account(self) -> Owner:
        """On e-mail codes, never signed in."""
        email = f"{uuid4().hex}@example.test"
        account = await self.accounts.create(self.call(), email, PASSWORD, None)
        return Owner(account.account_id, email)

    async def account_with_authenticator(self) -> Owner:
        """With an authenticator, the session that set it up, and the first backup code."""
        owner = await self.account()
        challenge = await self.challenge(owner)
        code = await self.mailed_code(owner)
        signed_in = await self.email_codes.verify(self.call(), challenge, code, None)
        owner.session = parse_token(TokenKind.SESSION, signed_in.session_token)
        await self.set_up_authenticator(owner)
        return owner

    async def set_up_authenticator(self, owner: Owner) -> None:
        """Set up a (new) authenticator in the owner's session."""
        started = await self.setups.start(self.call(), owner.session, BY_PASSWORD)
        owner.secret = started.enrolment.secret.replace(" ", "")
        result = await self.setups.confirm(
            self.call(), owner.session, started.setup_id, owner.code_at(self.now), uuid4()
        )
        owner.backup_code = normalise(result.backup_code.code)

    async def challenge(self, owner: Owner) -> Token:
        """Pass the first factor; the new challenge's token."""
        given = PasswordCredential(owner.email, PASSWORD)
        started = await self.sign_in.start(self.call(), given, remember_me=False)
        return parse_token(TokenKind.CHALLENGE, started.challenge_token)

    async def mailed_code(self, owner: Owner) -> str:
        """The newest e-mail code, read from the outbox."""
        statement = """
            SELECT message_id, payload FROM outbox
            WHERE account_id = :p_id AND kind = 'sign-in-code' ORDER BY create_time DESC LIMIT 1
        """
        ((message_id, payload),) = await self.query(statement, id=owner.account_id)
        associated_data = outbox_associated_data(owner.account_id, message_id)
        code: str = json.loads(unseal(self.keyring, KeyPurpose.OUTBOX, associated_data, payload))["code"]
        return code

    async def query(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        """The rows that the statement returns. Its parameters are ``:p_name``."""
        clause = text(statement).bindparams(*(param(name) for name in values))
        async with self.database.reading() as tx:
            return [tuple(row) for row in await tx.fetch_all(Statement(clause), **values)]

    async def query_value(self, statement: str, owner: Owner) -> Any:
        """The first value that the statement returns; ``:p_id`` is the owner's account."""
        return (await self.query(statement, id=owner.account_id))[0][0]


def new_code(signed_in: SignedIn) -> str:
    """The normalised backup code that the sign-in was answered with."""
    assert signed_in.new_backup_code is not None
    return normalise(signed_in.new_backup_code.code)
