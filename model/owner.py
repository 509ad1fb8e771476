"""What the owner could still do if every server stopped now: it decides "a valid code exists" and "recoverable".

The answer is not computed from the rows: the servers' own transactions run on them, one after the other.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from model.calls import OK, Outcome, UseBackupCode
from model.mechanisms import Promise
from model.moves import transact
from model.programs import first_transaction, next_transaction
from model.rows import ACCOUNT, AUTHENTICATOR, FACTOR, Challenge, Code, Factor, Rows
from model.transitions import apply_result
from model.world import Execution, Scenario, Script, World

TRIAL_CHALLENGE = 99
"""The challenge of a new sign-in, on which a code is tried."""

Broken = tuple[Promise, str]


class Owner:
    """The owner of a scenario's account. Caches its results, because most states ask what was asked before."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._results: dict[tuple[Any, ...], Broken | None] = {}
        self._trials: dict[tuple[Rows, Code], Outcome] = {}
        self._retries: dict[tuple[Rows, int, int], Outcome] = {}

    def broken_promise(self, world: World) -> Broken | None:
        """The promise that this state breaks; None if exactly one code is valid and the owner can obtain it."""
        unanswered = tuple(self._unanswered(world))
        key = (world.rows, world.known_code, unanswered)
        if key not in self._results:
            self._results[key] = self._check(world.rows, world.known_code, unanswered)
        return self._results[key]

    def _unanswered(self, world: World) -> Iterator[tuple[int, int]]:
        """The owner's calls that were sent and not answered: each can be retried."""
        for index, client in enumerate(world.clients):
            if client.sent and self._scenario.scripts[index].owner:
                yield index, client.position

    def _check(self, rows: Rows, known: Code | None, unanswered: tuple[tuple[int, int], ...]) -> Broken | None:
        factor: Factor = rows.get(FACTOR)
        if factor.method != AUTHENTICATOR:
            return None
        if factor.code is None or not self._is_valid(rows, factor.code):
            return Promise.VALID_CODE, "the authenticator is on and no backup code is valid"
        replayed = {outcome.code for outcome in (self._retry(rows, *call) for call in unanswered) if outcome.replayed}
        valid = {code for code in {known, *replayed} if code is not None and self._is_valid(rows, code)}
        if len(valid) > 1:
            return Promise.SINGLE_USE, f"{len(valid)} backup codes are valid at once"
        if valid or _is_waived(rows, factor):
            return None
        return Promise.RECOVERABLE, "the owner does not have the valid backup code, and no retry returns it"

    def _is_valid(self, rows: Rows, code: Code) -> bool:
        """Whether a new sign-in with this code succeeds."""
        key = (rows, code)
        if key not in self._trials:
            trial = Script("owner", (UseBackupCode(TRIAL_CHALLENGE, code, "trial"),))
            scenario = replace(self._scenario, scripts=(*self._scenario.scripts, trial))
            version = rows.get(ACCOUNT).password_version
            prepared = rows.with_writes({("challenges", TRIAL_CHALLENGE): Challenge(password_version=version)})
            self._trials[key] = perform(scenario, prepared, len(scenario.scripts) - 1, 0)
        return self._trials[key].reason == OK

    def _retry(self, rows: Rows, client: int, position: int) -> Outcome:
        """The answer to the client's call if it is sent again."""
        key = (rows, client, position)
        if key not in self._retries:
            self._retries[key] = perform(self._scenario, rows, client, position)
        return self._retries[key]


def perform(scenario: Scenario, rows: Rows, client: int, position: int) -> Outcome:
    """Run one call from its first transaction to its answer, with nothing else running."""
    action = scenario.scripts[client].actions[position]
    execution = Execution(client, position, 0, first_transaction(action, scenario.removed), "z")
    world = World(rows, (), (execution,), None, 0, 0)
    while execution.outcome is None:
        committed, result = transact(next_transaction(scenario, execution), world.rows)
        world, _ = apply_result(scenario, world._replace(rows=committed), execution, result)
        (execution,) = world.running
    return execution.outcome


def _is_waived(rows: Rows, factor: Factor) -> bool:
    """Whether a documented rule lets the owner miss the code: the call had no request_id, or the session that could
    return the code again has ended or confirmed that it is saved."""
    replies = [reply for _, reply in rows.table("replies") if reply.generation == factor.generation]
    return not replies or any(reply.erased in ("session ended", "saved") for reply in replies)
