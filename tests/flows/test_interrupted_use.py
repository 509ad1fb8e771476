"""UseBackupCode interrupted at every point: charged at most once, never half done, and the honest retry is free.

An interruption is a client that hangs up (at each await in turn), or a server that dies (before, in and after each
transaction: what it had not committed is rolled back).
"""

from collections.abc import Coroutine
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.flows.house import House, Owner
from tests.flows.interruptions import died_at, hung_up_at
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.flows.completion import SignedIn
from twofactor_server.flows.steps import Step

WRONG_CODE = "0000 0000 0000 0000"
USE = (Step.BACKUP_CODE_CHARGED, Step.BACKUP_CODE_REPLACED)
REFUSE = (Step.BACKUP_CODE_CHARGED, Step.BACKUP_CODE_REFUSED)


def points(*steps: Step) -> list[str]:
    """Where a server can die in these steps."""
    return [point for step in steps for point in (step.before, step.uncommitted, step.committed)]


class Use:
    """One logical call, made as often as need be."""

    def __init__(self, house: House, owner: Owner, challenge: str, code: str) -> None:
        self.house, self.owner, self.challenge, self.code = house, owner, challenge, code
        self.request_id = uuid4()

    @classmethod
    async def prepared(cls, house: House, code: str = "") -> "Use":
        """By an owner with an authenticator, on a new challenge; with their own code unless another is given."""
        owner = await house.owner_with_authenticator()
        return cls(house, owner, await house.challenge(owner), code or owner.backup_code)

    def call(self, request_id: UUID | None = None) -> Coroutine[Any, Any, SignedIn]:
        return self.house.backup_codes.use(self.house.call(), self.challenge, self.code, request_id or self.request_id)

    async def attempts(self) -> int:
        """How often this challenge was charged."""
        statement = "SELECT max(attempts) FROM challenges WHERE account_id = :id AND expire_time > now()"
        charged: int = await self.house.first(statement, self.owner)
        return charged

    async def check_all_or_nothing(self) -> bool:
        """Whether the code was spent; spent, replaced, signed in, told and mailed go together, or none of them."""
        await self.house.quiet()
        facts = {
            "spent": "SELECT count(*) FROM spent_backup_codes WHERE account_id = :id",
            "replaced": "SELECT generation - 1 FROM second_factors WHERE account_id = :id",
            "completed": """
                SELECT count(*) - 1 FROM challenges WHERE account_id = :id AND complete_time IS NOT NULL
            """,
            "signed in": "SELECT count(*) - 1 FROM sessions WHERE account_id = :id",
            "kept": "SELECT count(*) FROM replies WHERE account_id = :id",
            "mailed": "SELECT count(*) FROM outbox WHERE account_id = :id AND kind = 'backup-code-used'",
            "audited": """
                SELECT count(*) FROM audit_events
                WHERE account_id = :id AND action = 'use_backup_code' AND outcome = 'success'
            """,
        }
        found: dict[str, int] = {
            fact: await self.house.first(statement, self.owner) for fact, statement in facts.items()
        }
        assert set(found.values()) in ({0}, {1}), found
        return found["spent"] == 1

    async def check_it_ends_well(self) -> None:
        """The repeated call answers, one attempt was charged, the new code works at once and the old one never."""
        answer = await self.call()
        assert await self.check_all_or_nothing()
        assert answer.new_backup_code is not None
        assert await self.attempts() == 1
        again = await self.call()
        assert (again.new_backup_code, again.session_token) == (answer.new_backup_code, answer.session_token)
        assert again.replayed
        with pytest.raises(Refusal) as caught:
            await Use(self.house, self.owner, await self.house.challenge(self.owner), self.code).call()
        assert caught.value.reason is Reason.CODE_ALREADY_USED
        new = Use(self.house, self.owner, await self.house.challenge(self.owner), answer.new_backup_code.code)
        assert (await new.call()).new_backup_code is not None


@pytest.mark.parametrize("n", [1, 2, 3])
async def test_a_client_that_hangs_up_at_any_await(house: House, n: int) -> None:
    """In the charge, in the hashing, in the replacement.

    With the transaction's shield taken out, hanging up in the charge made the guess free, and hanging up in the
    replacement undid it.
    """
    use = await Use.prepared(house)
    assert await hung_up_at(use.call(), n) is None
    # What was under way when the client left goes on to its end.
    assert await use.check_all_or_nothing() is (n == 3)
    assert await use.attempts() == 1, "a guess costs an attempt, even if the client hangs up"
    await use.check_it_ends_well()


async def test_a_use_waits_three_times_and_no_more(house: House) -> None:
    """So the test above is complete."""
    use = await Use.prepared(house)
    assert await hung_up_at(use.call(), 4) is not None


@pytest.mark.parametrize("point", points(*USE))
async def test_a_server_that_dies_at_any_point(house: House, point: str) -> None:
    """ "Afterwards exactly one of {old code works, the repeated call returns the replacement and it works}"."""
    use = await Use.prepared(house)
    await died_at(house, point, use.call)
    assert await use.check_all_or_nothing() is (point == Step.BACKUP_CODE_REPLACED.committed)
    uncharged = (Step.BACKUP_CODE_CHARGED.before, Step.BACKUP_CODE_CHARGED.uncommitted)
    assert await use.attempts() == (0 if point in uncharged else 1)
    await use.check_it_ends_well()


async def test_nine_crashes_after_the_charge_and_then_success_charge_one_attempt(house: House) -> None:
    """ "One code on one challenge is charged once, so an honest retry costs nothing": the retries are counted apart."""
    use = await Use.prepared(house)
    for _ in range(9):
        await died_at(house, Step.BACKUP_CODE_CHARGED.committed, use.call)
    assert await use.attempts() == 1
    await use.check_it_ends_well()


async def test_nine_hang_ups_while_hashing_and_then_success_charge_one_attempt(house: House) -> None:
    """The verdict of a job whose caller left may serve the next call, so one of the nine may come through."""
    use = await Use.prepared(house)
    for _ in range(9):
        await hung_up_at(use.call(), 2)
    assert await use.attempts() == 1
    await use.check_it_ends_well()


async def test_a_code_is_judged_again_for_free_twenty_times(house: House) -> None:
    """A bound on the work that one charged attempt can cause: "at most 20 times, then CHALLENGE_EXHAUSTED"."""
    use = await Use.prepared(house)
    for _ in range(21):
        await died_at(house, Step.BACKUP_CODE_CHARGED.committed, use.call)
    with pytest.raises(Refusal) as caught:
        await use.call()
    assert caught.value.reason is Reason.CHALLENGE_EXHAUSTED
    assert await use.attempts() == 1
    fresh = Use(house, use.owner, await house.challenge(use.owner), use.code)
    await fresh.check_it_ends_well()


@pytest.mark.parametrize("point", points(*REFUSE))
async def test_a_wrong_code_is_charged_once_wherever_the_server_dies(house: House, point: str) -> None:
    """Dying before the charge is committed gives no verdict away; afterwards the attempt is charged."""
    use = await Use.prepared(house, WRONG_CODE)
    await died_at(house, point, use.call)
    uncharged = (Step.BACKUP_CODE_CHARGED.before, Step.BACKUP_CODE_CHARGED.uncommitted)
    assert await use.attempts() == (0 if point in uncharged else 1)
    for _ in range(3):
        with pytest.raises(Refusal) as caught:
            await use.call()
        assert caught.value.reason is Reason.CODE_MISMATCH
        assert caught.value.details == {"attempts_left": 4}
    assert await use.attempts() == 1
    assert not await use.check_all_or_nothing()


@pytest.mark.parametrize("n", [1, 2, 3])
async def test_a_wrong_code_is_charged_once_wherever_the_client_hangs_up(house: House, n: int) -> None:
    use = await Use.prepared(house, WRONG_CODE)
    assert await hung_up_at(use.call(), n) is None
    await house.quiet()
    assert await use.attempts() == 1
    with pytest.raises(Refusal) as caught:
        await use.call()
    assert caught.value.reason is Reason.CODE_MISMATCH
    assert await use.attempts() == 1


async def test_a_used_code_is_charged_once_wherever_the_server_dies(house: House) -> None:
    """Its charge and its verdict are one transaction."""
    use = await Use.prepared(house)
    await use.call()
    again = Use(house, use.owner, await house.challenge(use.owner), use.code)
    for point in points(Step.BACKUP_CODE_CHARGED):
        await died_at(house, point, again.call)
    with pytest.raises(Refusal) as caught:
        await again.call()
    assert caught.value.reason is Reason.CODE_ALREADY_USED
    assert "used_at" in caught.value.details
    assert await again.attempts() == 1
