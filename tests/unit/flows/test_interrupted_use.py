"""UseBackupCode interrupted at every point: charged at most once, never half done, and the honest retry is free.

The client hangs up, or the server dies: before, in and after each transaction.
"""

from typing import Any
from uuid import uuid4

import pytest

from tests.unit.flows.harness import FlowHarness, Owner, new_code
from tests.unit.flows.interruptions import die_at, hang_up_at, points
from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.calls import Call
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.two_factor.complete_sign_in import SignedIn

WRONG_CODE = "0" * 16
CHARGED, REPLACED = TransactionName.BACKUP_CODE_CHARGED, TransactionName.BACKUP_CODE_REPLACED
REFUSED = TransactionName.BACKUP_CODE_REFUSED
UNCHARGED = (CHARGED.before, CHARGED.uncommitted)


class Use:
    """One request, sent as often as needed."""

    def __init__(self, harness: FlowHarness, owner: Owner, challenge: Token, code: str) -> None:
        self.harness, self.owner, self.challenge, self.code = harness, owner, challenge, code
        self.request_id = uuid4()

    @classmethod
    async def prepare(cls, harness: FlowHarness, code: str = "") -> "Use":
        """By an owner with an authenticator, on a new challenge; with their own code unless another is given."""
        owner = await harness.account_with_authenticator()
        return cls(harness, owner, await harness.challenge(owner), code or owner.backup_code)

    async def send(self, call: Call | None = None) -> SignedIn:
        return await self.harness.backup_codes.use(
            call or self.harness.call(), self.challenge, self.code, self.request_id
        )

    async def attempts(self) -> int:
        """How many attempts this challenge was charged."""
        statement = "SELECT max(attempts) FROM challenges WHERE account_id = :p_id AND expire_time > now()"
        charged: int = await self.harness.query_value(statement, self.owner)
        return charged

    async def was_completed(self) -> bool:
        """Whether the code was spent. Everything that belongs to it was done with it, or nothing was."""
        counts: dict[str, Any] = {
            name: await self.harness.query_value(statement, self.owner) for name, statement in TRACES.items()
        }
        assert set(counts.values()) in ({0}, {1}), counts
        return bool(counts["spent"])

    async def check_that_retry_succeeds(self) -> None:
        """The repeated call is answered, one attempt was charged, the new code works and the old one does not."""
        answer = await self.send()
        assert await self.was_completed()
        assert await self.attempts() == 1
        again = await self.send()
        assert (again.new_backup_code, again.session_token) == (answer.new_backup_code, answer.session_token)
        assert again.replayed
        with pytest.raises(Refusal) as caught:
            await Use(self.harness, self.owner, await self.harness.challenge(self.owner), self.code).send()
        assert caught.value.reason is Reason.CODE_ALREADY_USED
        challenge = await self.harness.challenge(self.owner)
        assert (await Use(self.harness, self.owner, challenge, new_code(answer)).send()).new_backup_code


TRACES = {
    "spent": "SELECT count(*) FROM spent_backup_codes WHERE account_id = :p_id",
    "replaced": "SELECT generation - 1 FROM second_factors WHERE account_id = :p_id",
    "completed": "SELECT count(*) - 1 FROM challenges WHERE account_id = :p_id AND complete_time IS NOT NULL",
    "signed in": "SELECT count(*) - 1 FROM sessions WHERE account_id = :p_id",
    "stored": "SELECT count(*) FROM replies WHERE account_id = :p_id AND method = 'UseBackupCode'",
    "mailed": "SELECT count(*) FROM outbox WHERE account_id = :p_id AND kind = 'backup-code-used'",
    "audited": """
        SELECT count(*) FROM audit_events
        WHERE account_id = :p_id AND action = 'use_backup_code' AND outcome = 'success'
    """,
}


@pytest.mark.parametrize("point", points(CHARGED, REPLACED))
async def test_the_client_hangs_up(harness: FlowHarness, point: str) -> None:
    """An open transaction is finished, and no further one is begun.

    Without the task of its own that ``CallRunner`` gives each call, a hang-up in the first transaction made the guess
    free, and one in the second undid it.
    """
    use = await Use.prepare(harness)
    await hang_up_at(harness, point, use.send)
    assert await use.was_completed() is (point in points(REPLACED))
    assert await use.attempts() == 1
    await use.check_that_retry_succeeds()


@pytest.mark.parametrize("point", points(CHARGED, REPLACED))
async def test_the_server_dies(harness: FlowHarness, point: str) -> None:
    use = await Use.prepare(harness)
    await die_at(harness, point, use.send)
    assert await use.was_completed() is (point == REPLACED.committed)
    assert await use.attempts() == (0 if point in UNCHARGED else 1)
    await use.check_that_retry_succeeds()


async def test_nine_crashes_after_the_charge_and_then_success_charge_one_attempt(harness: FlowHarness) -> None:
    use = await Use.prepare(harness)
    for _ in range(9):
        await die_at(harness, CHARGED.committed, use.send)
    assert await use.attempts() == 1
    await use.check_that_retry_succeeds()


async def test_a_pending_code_is_verified_again_at_most_20_times(harness: FlowHarness) -> None:
    """A bound on the work that one charged attempt can cause."""
    use = await Use.prepare(harness)
    for _ in range(21):
        await die_at(harness, CHARGED.committed, use.send)
    with pytest.raises(Refusal) as caught:
        await use.send()
    assert caught.value.reason is Reason.CHALLENGE_EXHAUSTED
    assert await use.attempts() == 1
    await Use(harness, use.owner, await harness.challenge(use.owner), use.code).check_that_retry_succeeds()


@pytest.mark.parametrize("point", points(CHARGED, REFUSED))
@pytest.mark.parametrize("interrupt", [die_at, hang_up_at])
async def test_a_wrong_code_is_charged_once(harness: FlowHarness, point: str, interrupt: Any) -> None:
    """No verdict is given away before the charge is committed, and repeating the call costs nothing."""
    use = await Use.prepare(harness, WRONG_CODE)
    try:
        await interrupt(harness, point, use.send)
    except Refusal as refusal:
        assert refusal.reason is Reason.CODE_MISMATCH  # noqa: PT017 - the client hung up too late to miss the answer
    if interrupt is die_at:
        assert await use.attempts() == (0 if point in UNCHARGED else 1)
    for _ in range(3):
        with pytest.raises(Refusal) as caught:
            await use.send()
        assert caught.value.reason is Reason.CODE_MISMATCH
        assert caught.value.details == {"attempts_left": 4}
    assert await use.attempts() == 1
    assert not await use.was_completed()


async def test_a_used_code_is_charged_once_wherever_the_server_dies(harness: FlowHarness) -> None:
    """Its charge and its verdict are in one transaction."""
    use = await Use.prepare(harness)
    await use.send()
    again = Use(harness, use.owner, await harness.challenge(use.owner), use.code)
    for point in points(CHARGED):
        await die_at(harness, point, again.send)
    with pytest.raises(Refusal) as caught:
        await again.send()
    assert caught.value.reason is Reason.CODE_ALREADY_USED
    assert "used_at" in caught.value.details
    assert await again.attempts() == 1
