"""A trace: the moves from the initial state to a violation, each printed on one line."""

from typing import NamedTuple

from model.database import describe_executed
from model.transitions import Move
from model.world import Scenario, World


class Step(NamedTuple):
    """One move, with the state before it."""

    before: World
    move: Move

    def describe(self, scenario: Scenario) -> str:
        """The move on one line."""
        move, execution = self.move, self.move.execution
        if execution is None:
            return f"server {move.server + 1} crashes"
        client, server = scenario.scripts[execution.client].who, f"server {execution.server + 1}"
        match move.kind:
            case "time":
                return f"clock: {scenario.action(execution)}"
            case "answer":
                return f"{server} answers {client}: {move.outcome}"
            case "give up" if move.outcome:
                return f"the answer of {server} to {client} is lost"
            case "give up":
                return f"{client} stops waiting for {server}"
        work = f"{execution.transaction}: {self._describe_work()}"
        if move.kind != "send":
            return f"{server}, for {client}: {work}"
        sent = f"{client} sends {scenario.action(execution)} to {server}"
        return sent if scenario.by_statement else f"{sent}; {work}"

    def _describe_work(self) -> str:
        """One statement, or a whole transaction or its end with the result."""
        move = self.move
        match move.kind:
            case "statement" if move.statement is not None:
                return describe_executed(move.statement, move.found)
            case "deadlock":
                return "aborted by a deadlock, starts again"
            case "commit" | "rollback":
                done = move.kind.upper()
            case _:
                done = move.after.rows.describe_changes(self.before.rows)
        verified = "" if move.verdict is None else f"; the code is {'right' if move.verdict else 'wrong'}"
        decided = "" if move.outcome is None else f"; the answer is {move.outcome}"
        return f"{done}{verified}{decided}"
