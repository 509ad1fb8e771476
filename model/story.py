"""A trace, told: as sentences for reading, and as the lines of a Mermaid sequence diagram."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from model.calls import OK, Intent, Outcome
from model.explorer import Step
from model.statement_words import in_words
from model.telling import Names
from model.world import Scenario

DATABASE = "DB"

_OPEN_ENDED = {
    "regeneration-charged": "the password is right",
    "removal-charged": "the password is right",
    "password-charged": "the proof is right",
    "password-verified": "the password is right",
    "identity-exchanged": "the identity is linked",
    "unlink-charged": "the proof is right",
    "setup-code-judged": "the digits are right",
}
"""What a step finds that changes nothing and answers nothing yet."""

_OF_A_CALL = ("send", "statement", "commit", "rollback")


class Scene(NamedTuple):
    """What happens next: a sentence of Markdown, and the diagram's lines that say the same."""

    sentence: str
    lines: tuple[str, ...]


class Teller:
    """Tells the story of one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self.names = Names()

    def scenes(self, steps: Sequence[Step]) -> Iterator[Scene]:
        """One scene for each move; what a transaction does while nothing interrupts it is one together."""
        for key, group in groupby(steps, key=self._together):
            scene = list(group)
            yield self._transaction(scene) if key[0] else self._move(scene[0])

    def cast(self, steps: Sequence[Step]) -> Iterator[tuple[str, str]]:
        """Who appears: the short name of the diagram, and the full one."""
        clients = sorted({step.move.client for step in steps if step.move.server >= 0 and step.move.client >= 0})
        yield from ((f"C{client + 1}", self._scenario.scripts[client].who.capitalize()) for client in clients)
        servers = sorted({step.move.server for step in steps if step.move.server >= 0})
        yield from ((f"S{server + 1}", f"Server {server + 1}") for server in servers)
        yield DATABASE, "Database"

    def _together(self, step: Step) -> tuple[bool, object]:
        move = step.move
        if self._scenario.fine and move.kind in _OF_A_CALL:
            return True, (move.client, move.name)
        return False, id(step)

    def _move(self, step: Step) -> Scene:
        move = step.move
        match move.kind:
            case "send" | "step":
                return self._served(step)
            case "answer" if move.outcome is not None:
                answer = self.names.outcome(move.outcome)
                return Scene(
                    f"{self._who(move.client)} is answered: **{answer}**.",
                    (f"S{move.server + 1}-->>C{move.client + 1}: {answer}",),
                )
            case "give up":
                who = self._who(move.client)
                said = f"The answer to {_inside(who)} is lost" if move.outcome else f"{who} gives up waiting"
                note = "the answer is lost" if move.outcome else "nobody waits any more"
                return Scene(f"{said}.", (f"S{move.server + 1}--xC{move.client + 1}: {note}",))
            case "crash":
                return Scene(f"**Server {move.server + 1} dies.**", (f"Note over S{move.server + 1}: dies",))
            case "time":
                passed, _ = self.names.call(self._intent(step))
                return Scene(f"{_sentence(passed)}.", (f"Note over {DATABASE}: {passed}",))
        return Scene(f"PostgreSQL ends a deadlock: {self._who(move.client)}'s transaction starts again.", ())

    def _served(self, step: Step) -> Scene:
        """A whole transaction: what it changed, what it found out, what it refused."""
        move = step.move
        node = f"S{move.server + 1}"
        done = self.names.changes(step.before.rows, move.after.rows)
        found = _found(move.verdict, move.outcome)
        if not done and not found:
            found = [_OPEN_ENDED.get(move.phase, "nothing changes") if move.outcome is None else "nothing to do"]
        text = ", ".join([*done, *found])
        lines = [f"{node}->>{DATABASE}: {move.phase}" + "".join(f"<br/>{change}" for change in done)]
        lines += [f"Note over {node}: {note}" for note in found]
        if move.kind == "step":
            return Scene(f"Server {move.server + 1}, for {_inside(self._who(move.client))}: {text}.", tuple(lines))
        call, name = self.names.call(self._intent(step))
        again = ", again" if step.before.clients[move.client].tried else ""
        lines.insert(0, f"C{move.client + 1}->>{node}: {name}{again}")
        return Scene(f"{self._who(move.client)} {call}{again}, at server {move.server + 1}: {text}.", tuple(lines))

    def _transaction(self, steps: list[Step]) -> Scene:
        """Statements of one execution that nothing interrupts: of several transactions, whole or in part."""
        first = steps[0].move
        node = f"S{first.server + 1}"
        lines = []
        subject = f"Server {first.server + 1}, for {_inside(self._who(first.client))}:"
        if first.kind == "send":
            call, name = self.names.call(self._intent(steps[0]))
            lines.append(f"C{first.client + 1}->>{node}: {name}")
            subject = f"{self._who(first.client)} {call}, at server {first.server + 1}:"
            steps = steps[1:]
        said = []
        for part in _parts(steps):
            told, found = self._part(part)
            lines.append(f"{node}->>{DATABASE}: {part[0].move.phase}" + "".join(f"<br/>{text}" for text in told))
            lines += [f"Note over {node}: {note}" for note in found]
            said.append(", ".join(told + found))
        return Scene(f"{subject} {'; '.join(said)}.", tuple(lines))

    def _part(self, part: list[Step]) -> tuple[list[str], list[str]]:
        """What a transaction, or a part of one, did; and what was found out with its end."""
        last = part[-1].move
        ended = last.kind in ("commit", "rollback")
        found = _found(last.verdict, last.outcome) if ended else []
        if ended and _begins(part[0]):
            done = self.names.changes(part[0].before.rows, last.after.rows)
            return done or ([] if found else ["nothing changes"]), found
        told = in_words([(step.move.statement, step.move.found) for step in part if step.move.statement is not None])
        end = {"commit": ["commits"], "rollback": ["rolls back"]}.get(last.kind, [])
        return ["it " + (told + end)[0], *(told + end)[1:]], found

    def _who(self, client: int) -> str:
        who = self._scenario.scripts[client].who
        return who if who[0].isupper() else f"The {who}"

    def _intent(self, step: Step) -> Intent:
        move = step.move
        return self._scenario.doing(move.client, step.before.clients[move.client].position)


def _found(verdict: bool | None, outcome: Outcome | None) -> list[str]:
    judged = [] if verdict is None else [f"the code is {'right' if verdict else 'wrong'}"]
    refused = [] if outcome is None or outcome.reason == OK else [f"the answer will be {outcome.reason}"]
    return judged + refused


def _inside(who: str) -> str:
    return who.replace("The ", "the ", 1) if who.startswith("The ") else who


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _parts(steps: list[Step]) -> list[list[Step]]:
    """Cut after each COMMIT or ROLLBACK."""
    parts: list[list[Step]] = [[]]
    for step in steps:
        parts[-1].append(step)
        if step.move.kind in ("commit", "rollback"):
            parts.append([])
    return [part for part in parts if part]


def _begins(step: Step) -> bool:
    """Whether the step is its transaction's first."""
    move = step.move
    return all(not e.log for e in step.before.running if (e.client, e.name) == (move.client, move.name))
