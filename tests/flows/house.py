"""One server's inside: every flow on one set of parts, and people whom these flows made."""

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
from twofactor_server.crypto.keyring import Keyring, Purpose
from twofactor_server.crypto.sealing import unseal
from twofactor_server.domain.calls import Call, Client
from twofactor_server.domain.first_factors import PasswordCredential
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.sessions import SessionLimits
from twofactor_server.flows.accounts import Accounts
from twofactor_server.flows.authenticator_codes import AuthenticatorCodes
from twofactor_server.flows.authenticator_removal import AuthenticatorRemoval
from twofactor_server.flows.authenticator_setup import AuthenticatorSetups
from twofactor_server.flows.backup_codes import BackupCodes
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.email_codes import EmailCodes
from twofactor_server.flows.regeneration import Regeneration
from twofactor_server.flows.sign_in import SignIn
from twofactor_server.flows.trail import outbox_place
from twofactor_server.storage.database import Database, Transaction

THREADS = 2
"""Of the hashing queue."""

PASSWORD = "correct horse battery staple"
BY_PASSWORD = Reauthentication(password=PASSWORD)


@dataclass
class Owner:
    """An account's owner: what they know, hold, and were shown."""

    account_id: UUID
    email: str
    session_token: str = ""
    secret: str = ""
    backup_code: str = ""

    def code_at(self, moment: datetime) -> str:
        """What the app shows."""
        return pyotp.TOTP(self.secret).at(int(moment.timestamp()))


@dataclass
class House:
    """``reached`` is told of every crash point; ``wanted`` is set when delivery is woken."""

    database: Database
    hashing: HashingQueue
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    keyring: Keyring = field(default_factory=Keyring.new)
    reached: Callable[[str], None] = lambda _: None
    wanted: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        deps = Dependencies(
            database=self.database,
            keyring=self.keyring,
            hashing=self.hashing,
            now=lambda: self.now,
            reached=lambda point: self.reached(point),
            wake_delivery=self.wanted.set,
            session_limits=SessionLimits(),
            product_name="Twofactor",
        )
        self.deps = deps
        self.accounts = Accounts(deps)
        self.sign_in = SignIn(deps)
        self.email_codes = EmailCodes(deps)
        self.authenticator_codes = AuthenticatorCodes(deps)
        self.setups = AuthenticatorSetups(deps)
        self.backup_codes = BackupCodes(deps)
        self.regeneration = Regeneration(deps)
        self.removal = AuthenticatorRemoval(deps)

    def call(self, seconds: float = 10.0, address: str = "192.0.2.10") -> Call:
        """A network call with a deadline so far away."""
        return Call(uuid4().hex, "local", time.monotonic() + seconds, Client(address, "Firefox"))

    def later(self, span: timedelta) -> None:
        """Let time pass."""
        self.now += span

    async def owner(self) -> Owner:
        """On e-mail codes, never signed in."""
        email = f"{uuid4().hex}@example.test"
        account = await self.accounts.create(self.call(), email, PASSWORD, None)
        return Owner(account.account_id, email)

    async def owner_with_authenticator(self) -> Owner:
        """With an authenticator, a session that set it up, and the first backup code in hand."""
        owner = await self.owner()
        challenge = await self.challenge(owner)
        signed_in = await self.email_codes.verify(self.call(), challenge, await self.mailed_code(owner), None)
        owner.session_token = signed_in.session_token
        started = await self.setups.start(self.call(), owner.session_token, BY_PASSWORD)
        owner.secret = started.enrolment.secret.replace(" ", "")
        shown = await self.setups.confirm(
            self.call(), owner.session_token, started.setup_id, owner.code_at(self.now), None
        )
        owner.backup_code = shown.backup_code.code
        return owner

    async def challenge(self, owner: Owner) -> str:
        """The token of a new challenge."""
        given = PasswordCredential(owner.email, PASSWORD)
        return (await self.sign_in.start(self.call(), given, remember_me=False)).challenge_token

    async def mailed_code(self, owner: Owner) -> str:
        """The newest mailed code, read in the outbox."""
        statement = """
            SELECT message_id, payload FROM outbox
            WHERE account_id = :id AND kind = 'sign-in-code' ORDER BY create_time DESC LIMIT 1
        """
        ((message_id, payload),) = await self.ask(statement, id=owner.account_id)
        place = outbox_place(owner.account_id, message_id)
        code: str = json.loads(unseal(self.keyring, Purpose.OUTBOX, place, payload))["code"]
        return code

    async def ask(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        """What the database says."""

        async def work(tx: Transaction) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in (await tx.execute(text(statement), values)).all()]

        return await self.database.read(work)

    async def quiet(self) -> None:
        """Wait until what outlived its callers is done."""
        while running := self.database._running:
            await asyncio.wait(running)

    async def first(self, statement: str, owner: Owner) -> Any:
        """The first value of the answer to a question about the owner."""
        return (await self.ask(statement, id=owner.account_id))[0][0]
