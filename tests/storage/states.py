"""Records in the states that the tests start from, written by storage itself."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from tests.storage.databases import commit
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.authenticator import AuthenticatorSetup
from twofactor_server.domain.calls import Client
from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.mailed_links import LinkPurpose, MailedLink
from twofactor_server.domain.second_factors import Proof
from twofactor_server.domain.sessions import Session
from twofactor_server.storage import accounts, challenges, second_factors, sessions
from twofactor_server.storage.database import Database, Transaction
from twofactor_server.storage.outbox import OutboxMessage
from twofactor_server.storage.replies import Reply

NOON = datetime(2026, 7, 2, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PREFIX = "192.0.2.0/24"


async def account(database: Database, email: str = "", create_time: datetime = NOON) -> Account:
    """An account on e-mail codes."""
    record = Account(uuid4(), email or f"{uuid4().hex}@example.test", None, create_time, "$argon2id$…", 1)

    async with database.transaction() as tx:
        assert await accounts.claim_email(tx, record.email, record.account_id)
        await accounts.create(tx, record)
    return record


async def account_with_authenticator(database: Database) -> Account:
    """An account with an authenticator and the backup code of generation 1; step 100 is spent."""
    record = await account(database)
    await commit(database, turn_on, record.account_id, generation=0)
    return record


async def turn_on(tx: Transaction, account_id: UUID, generation: int) -> None:
    """Turn on an authenticator with the backup code of the generation after this one."""
    await second_factors.turn_on_authenticator(
        tx, account_id, generation=generation, secret=b"sealed", step=100, code_hash="$argon2id$1", now=NOON
    )


async def challenge(
    database: Database, owner: Account, *, digest: bytes = b"", create_time: datetime = NOON
) -> Challenge:
    """An open challenge of the account."""
    record = Challenge(
        account_id=owner.account_id,
        challenge_id=uuid4(),
        caller="local",
        email=owner.email,
        first_factor="password",
        password_version=1,
        remember_me=False,
        attempts=0,
        create_time=create_time,
        expire_time=create_time + 10 * MINUTE,
        complete_time=None,
        void_time=None,
    )
    await commit(database, challenges.create, record, digest or uuid4().bytes)
    return record


def session_record(owner: Account, create_time: datetime = NOON, proof: Proof = Proof.EMAIL_CODE) -> Session:
    """A live session of the account, not written yet."""
    return Session(
        account_id=owner.account_id,
        session_id=uuid4(),
        email=owner.email,
        first_factor="password",
        proof=proof,
        proof_time=create_time,
        client=Client("192.0.2.10", "Firefox"),
        create_time=create_time,
        expire_time=create_time + 24 * HOUR,
        last_active_time=create_time,
        end_time=None,
    )


async def session(database: Database, owner: Account, *, digest: bytes = b"", create_time: datetime = NOON) -> Session:
    """A live session of the account."""
    record = session_record(owner, create_time)
    await commit(database, sessions.create, record, uuid4(), digest or uuid4().bytes)
    return record


def setup(owner: Account, create_time: datetime = NOON) -> AuthenticatorSetup:
    """A setup that waits for its code, not written yet."""
    return AuthenticatorSetup(
        setup_id=uuid4(),
        session_id=uuid4(),
        totp_secret=b"sealed",
        attempts=0,
        expire_time=create_time + 10 * MINUTE,
        end_time=None,
    )


def reply(
    owner: Account,
    *,
    scope_id: UUID | None = None,
    session_id: UUID | None = None,
    generation: int | None = 1,
    create_time: datetime = NOON,
) -> Reply:
    """A sealed reply, not written yet."""
    return Reply(
        account_id=owner.account_id,
        scope_id=scope_id or uuid4(),
        request_id=uuid4(),
        method="UseBackupCode",
        fingerprint=b"fingerprint",
        session_id=session_id or uuid4(),
        generation=generation,
        key_id="1",
        sealed=b"sealed",
        create_time=create_time,
        expire_time=create_time + 24 * HOUR,
    )


def link(
    owner: Account,
    purpose: LinkPurpose = LinkPurpose.UNDO,
    *,
    secret: bytes | None = None,
    create_time: datetime = NOON,
    **details: Any,
) -> MailedLink:
    """An unused link, not written yet."""
    expire_time = create_time + HOUR
    return MailedLink(owner.account_id, uuid4(), purpose, details, secret, create_time, expire_time, None, None, None)


def mail(owner: Account, create_time: datetime = NOON, lifetime: timedelta = HOUR) -> OutboxMessage:
    """A mail that is due when it is created, not written yet."""
    return OutboxMessage(
        owner.account_id, uuid4(), "sign-in-code", b"sealed", create_time, create_time + lifetime, tries=0
    )
