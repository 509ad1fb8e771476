"""What the owner could do now, if every server died at this moment: the question behind "neither" and "lost".

The servers' own programs answer it, run one after the other on what is committed.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from model.calls import OK, ConfirmSetup, Outcome, Regenerate, Use
from model.mechanisms import Promise
from model.moves import transact
from model.programs import first_phase, program
from model.rows import ACCOUNT, AUTHENTICATOR, FACTOR, Challenge, Code, Factor, Rows
from model.stepping import settle_step
from model.world import Execution, Scenario, Script, World

FRESH = 99
"""The challenge of a new sign-in, at which a code is tried."""

Broken = tuple[Promise, str]


class Owner:
    """The owner of a scenario's account, with a good memory: most states ask what was asked before."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._looks: dict[tuple[Any, ...], Broken | None] = {}
        self._trials: dict[tuple[Rows, Code], Outcome] = {}
        self._repeats: dict[tuple[Rows, int, int], Outcome] = {}

    def stuck(self, world: World) -> Broken | None:
        """What promise is broken to the owner, and how; None if exactly one code works and the owner can have it."""
        pending = tuple(self._pending(world))
        key = (world.rows, world.held, pending)
        if key not in self._looks:
            self._looks[key] = self._look(world.rows, world.held, pending)
        return self._looks[key]

    def _pending(self, world: World) -> Iterator[tuple[int, int]]:
        """The owner's calls that were sent and are not answered: each can be repeated."""
        for index, client in enumerate(world.clients):
            if client.tried and self._scenario.scripts[index].owner:
                yield index, client.position

    def could_do(self, world: World) -> Iterator[tuple[int | None, Code | None, Outcome]]:
        """What is left to the owner, and what would come of it: a new sign-in with the code held, and each unanswered
        call that could show a code, repeated."""
        if world.held is not None:
            yield None, world.held, self.trial(world.rows, world.held)
        for client, position in self._pending(world):
            if not isinstance(self._scenario.doing(client, position), Use | Regenerate | ConfirmSetup):
                continue
            yield client, None, self.repeat(world.rows, client, position)

    def _look(self, rows: Rows, held: Code | None, pending: tuple[tuple[int, int], ...]) -> Broken | None:
        factor: Factor = rows.get(FACTOR)
        if factor.method != AUTHENTICATOR:
            return None
        if factor.code is None or not self.works(rows, factor.code):
            return Promise.NEITHER, "no backup code works: the old one is dead, and there is no new one"
        shown = {outcome.code for outcome in (self.repeat(rows, *call) for call in pending) if outcome.replayed}
        working = {code for code in {held, *shown} if code is not None and self.works(rows, code)}
        if len(working) > 1:
            return Promise.TWICE, f"{len(working)} backup codes work at once"
        if working or _given_up(rows, factor):
            return None
        return Promise.LOST, "the backup code that works is known to nobody, and no repeated call shows it"

    def works(self, rows: Rows, code: Code) -> bool:
        """Whether a new sign-in with this code succeeds."""
        return self.trial(rows, code).reason == OK

    def trial(self, rows: Rows, code: Code) -> Outcome:
        """What a new sign-in with this code is answered."""
        key = (rows, code)
        if key not in self._trials:
            trial = Script("the owner", (Use(FRESH, code, "trial"),))
            scenario = replace(self._scenario, scripts=(*self._scenario.scripts, trial))
            version = rows.get(ACCOUNT).password_version
            fresh = rows.written({("challenges", FRESH): Challenge(password_version=version)})
            self._trials[key] = perform(scenario, fresh, len(scenario.scripts) - 1, 0)
        return self._trials[key]

    def repeat(self, rows: Rows, client: int, position: int) -> Outcome:
        """What the client is answered who sends the same call again."""
        key = (rows, client, position)
        if key not in self._repeats:
            self._repeats[key] = perform(self._scenario, rows, client, position)
        return self._repeats[key]


def perform(scenario: Scenario, rows: Rows, client: int, position: int) -> Outcome:
    """Run one call from its first step to its answer, alone."""
    intent = scenario.doing(client, position)
    execution = Execution(client, position, 0, first_phase(scenario.protocol, intent), "z")
    world = World(rows, (), (execution,), None, 0, 0)
    while execution.outcome is None:
        steps = program(scenario.protocol, intent, execution.phase, execution.facts, execution.name)
        committed, result = transact(steps, world.rows)
        world, _ = settle_step(scenario, world._replace(rows=committed), execution, result)
        (execution,) = world.running
    return execution.outcome


def _given_up(rows: Rows, factor: Factor) -> bool:
    """Whether the code went unseen by a documented rule: no replay was wanted, or the session that was to show it
    again has ended, or said that it is saved."""
    replies = [reply for _, reply in rows.table("replies") if reply.generation == factor.generation]
    return not replies or any(reply.erased in ("session ended", "saved") for reply in replies)
