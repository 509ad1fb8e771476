"""Breadth-first search through every state, so the first violation found is one of the nearest."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from model.moves import Moves
from model.promises import Promises, Violation
from model.trace import Step
from model.world import Scenario, World

Progress = Callable[[int, int], None]
"""Called from time to time with the number of states found, and of those not explored yet."""

Canonical = Callable[[World], World]
"""Maps equivalent states to one of them."""

_PROGRESS_INTERVAL = 2000

_Label = tuple[str, int, int, str]


class Explored(NamedTuple):
    """The result of a search. ``depth``: the distance of the farthest state, or the length of the ``trace`` to the
    violation."""

    states: int
    transitions: int
    depth: int
    violation: Violation | None = None
    trace: tuple[Step, ...] = ()


def explore(
    scenario: Scenario,
    promises: Promises,
    canonical: Canonical = lambda world: world,
    progress: Progress = lambda _, __: None,
) -> Explored:
    """Visit every state that the scenario can reach, up to the first violation."""
    moves = Moves(scenario)
    start = canonical(scenario.start())
    came_from: dict[World, tuple[World, _Label] | None] = {start: None}
    depth_of_last = 0
    queue = deque([(start, 0)])
    transitions = 0
    while queue:
        world, depth = queue.popleft()
        depth_of_last = depth
        for move in moves(world):
            transitions += 1
            after = canonical(move.after)
            is_new = after not in came_from
            if violation := promises.broken_by(world, move) or (promises.broken_in(after) if is_new else None):
                trace = (*_trace(moves, came_from, world), Step(world, move))
                return Explored(len(came_from), transitions, depth + 1, violation, trace)
            if is_new:
                came_from[after] = (world, move.label)
                queue.append((after, depth + 1))
                if len(came_from) % _PROGRESS_INTERVAL == 0:
                    progress(len(came_from), len(queue))
    return Explored(len(came_from), transitions, depth_of_last)


def _trace(moves: Moves, came_from: dict[World, tuple[World, _Label] | None], world: World) -> tuple[Step, ...]:
    steps: list[Step] = []
    while (came := came_from[world]) is not None:
        before, label = came
        steps.append(Step(before, next(move for move in moves(before) if move.label == label)))
        world = before
    return tuple(reversed(steps))
