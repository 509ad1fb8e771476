"""What the database holds of one account."""

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

_FACTOR = "SELECT method, generation, backup_code_hash IS NOT NULL FROM second_factors WHERE account_id = $1"
_SPENT = "SELECT generation FROM spent_backup_codes WHERE account_id = $1 ORDER BY generation"
_SESSIONS = "SELECT challenge_id, proof FROM sessions WHERE account_id = $1"
_CHALLENGES = "SELECT challenge_id, attempts, complete_time IS NOT NULL FROM challenges WHERE account_id = $1"
_ATTEMPTS = "SELECT verdict FROM backup_code_attempts WHERE account_id = $1"
_REAUTHENTICATIONS = "SELECT count(*) FROM reauthentication_attempts WHERE account_id = $1"
_STALE_REPLIES = """SELECT count(*) FROM replies JOIN sessions USING (account_id, session_id)
WHERE account_id = $1 AND sealed IS NOT NULL AND (end_time IS NOT NULL OR replies.generation < $2)"""
_FAILURES = "SELECT count(*) FROM second_factor_failures WHERE account_id = $1"
_SUSPENDED = "SELECT suspend_time IS NOT NULL FROM accounts WHERE account_id = $1"
_IDENTITIES = "SELECT issuer, subject, provider FROM identities WHERE account_id = $1"
_OWNED = "SELECT issuer, subject FROM identity_owners WHERE account_id = $1"
_MAILS = "SELECT kind FROM outbox WHERE account_id = $1"
_EVENTS = "SELECT action, outcome FROM audit_events WHERE account_id = $1"


@dataclass(frozen=True)
class Snapshot:
    """``verdicts`` counts those of the backup codes tried, ``charged`` the attempts of all challenges together,
    ``reauthentications`` the attempts that were charged and not reset, ``failures`` the second-factor failures."""

    method: str
    generation: int
    spent: list[int]
    sessions: Counter[str]
    verdicts: Counter[str]
    challenges: int
    charged: int
    reauthentications: int
    failures: int
    suspended: bool
    identities: Counter[str]
    mails: Counter[str]
    events: Counter[tuple[str, str]]


@dataclass(frozen=True)
class SnapshotReader:
    """Reads accounts directly from the database."""

    connection: Any

    async def snapshot(self, account_id: str) -> Snapshot:
        """Read the account, and check what holds in any state.

        There is a backup code only with an authenticator. Completed challenges and sessions correspond. Every charged
        backup code has a verdict, and no code is spent before it exists. Linked identities and their owners correspond.
        No stored reply contains a retired code or belongs to an ended session.
        """
        account = UUID(account_id)
        method, generation, has_code = await self.connection.fetchrow(_FACTOR, account)
        assert has_code == (method == "authenticator")
        opened = await self.connection.fetch(_SESSIONS, account)
        challenges = await self.connection.fetch(_CHALLENGES, account)
        completed = sorted(challenge for challenge, _, complete in challenges if complete)
        assert sorted(challenge for challenge, _ in opened) == completed
        spent = await self._column(_SPENT, account)
        assert all(1 <= one <= generation - (method == "authenticator") for one in spent), (spent, generation)
        verdicts = Counter(await self._column(_ATTEMPTS, account))
        assert not verdicts["pending"], verdicts
        assert not await self.connection.fetchval(_STALE_REPLIES, account, generation)
        linked = await self.connection.fetch(_IDENTITIES, account)
        owned = await self.connection.fetch(_OWNED, account)
        assert {(issuer, subject) for issuer, subject, _ in linked} == {(issuer, subject) for issuer, subject in owned}
        return Snapshot(
            method=method,
            generation=generation,
            spent=spent,
            sessions=Counter(proof for _, proof in opened),
            verdicts=verdicts,
            challenges=len(challenges),
            charged=sum(attempts for _, attempts, _ in challenges),
            reauthentications=await self.connection.fetchval(_REAUTHENTICATIONS, account),
            failures=await self.connection.fetchval(_FAILURES, account),
            suspended=await self.connection.fetchval(_SUSPENDED, account),
            identities=Counter(provider for _, _, provider in linked),
            mails=Counter(await self._column(_MAILS, account)),
            events=Counter((action, outcome) for action, outcome in await self.connection.fetch(_EVENTS, account)),
        )

    async def _column(self, statement: str, account: UUID) -> list[Any]:
        return [row[0] for row in await self.connection.fetch(statement, account)]
