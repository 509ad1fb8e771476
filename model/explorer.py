"""Breadth first through every state: the first violation found is a shortest one."""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from model.moves import Moves
from model.promises import Promises, Violation
from model.stepping import Move
from model.world import Scenario, World

Progress = Callable[[int, int], None]
"""Told now and then how many states were found, and how many of them still wait."""

Canonical = Callable[[World], World]

_TELL_EVERY = 2000


class Step(NamedTuple):
    """One move of a story, with the state before it."""

    before: World
    move: Move


class Explored(NamedTuple):
    """What was seen. ``depth``: moves on the longest of the shortest ways; ``story``: the way to the violation."""

    states: int
    transitions: int
    depth: int
    violation: Violation | None = None
    story: tuple[Step, ...] = ()


def explore(
    scenario: Scenario,
    promises: Promises,
    canonical: Canonical = lambda world: world,
    progress: Progress = lambda _, __: None,
) -> Explored:
    """Visit every state that the scenario can reach, up to the first violation."""
    moves = Moves(scenario)
    start = canonical(scenario.start())
    came_from: dict[World, tuple[World, tuple[str, int, int, str]] | None] = {start: None}
    depth_of_last = 0
    queue = deque([(start, 0)])
    transitions = 0
    while queue:
        world, depth = queue.popleft()
        depth_of_last = depth
        for move in moves(world):
            transitions += 1
            after = canonical(move.after)
            new = after not in came_from
            if violation := promises.broken_by(world, move) or (promises.broken_in(after) if new else None):
                story = (*_story(moves, came_from, world), Step(world, move))
                return Explored(len(came_from), transitions, depth + 1, violation, story)
            if new:
                came_from[after] = (world, move.label)
                queue.append((after, depth + 1))
                if len(came_from) % _TELL_EVERY == 0:
                    progress(len(came_from), len(queue))
    return Explored(len(came_from), transitions, depth_of_last)


def _story(
    moves: Moves, came_from: dict[World, tuple[World, tuple[str, int, int, str]] | None], world: World
) -> tuple[Step, ...]:
    steps: list[Step] = []
    while (came := came_from[world]) is not None:
        before, label = came
        steps.append(Step(before, next(move for move in moves(before) if move.label == label)))
        world = before
    return tuple(reversed(steps))
