"""A shortest story, told with the fewest changes of scene.

Of the many orders in which the same moves lead to the same end, the explorer finds some one, which may jump to and fro
between two servers. This one lets each go on as long as it can.
"""

from collections import defaultdict
from heapq import heappop, heappush
from itertools import count

from model.explorer import Step
from model.moves import Moves
from model.promises import Promises, Violation
from model.stepping import Move
from model.world import Scenario, World

Actor = tuple[str, int, str]


def tidied(scenario: Scenario, promises: Promises, story: tuple[Step, ...], violation: Violation) -> tuple[Step, ...]:
    """The same moves in an order with fewer changes of scene, up to the same violation."""
    wanted: dict[Actor, list[Move]] = defaultdict(list)
    for step in story:
        wanted[_actor(step.move)].append(step.move)
    actors = list(wanted)
    moves = Moves(scenario)
    order = count()
    # Cheapest first: changes of scene so far; then how often each actor has acted, who acted last, where that led.
    waiting: list[tuple[int, int, tuple[int, ...], int, World, tuple[Step, ...]]] = []
    heappush(waiting, (0, next(order), (0,) * len(actors), -1, scenario.start(), ()))
    seen: set[tuple[tuple[int, ...], int, World]] = set()
    while waiting:
        changes, _, done, last, world, told = heappop(waiting)
        if (done, last, world) in seen:
            continue
        seen.add((done, last, world))
        possible = {move.label: move for move in moves(world)}
        for index, actor in enumerate(actors):
            if done[index] == len(wanted[actor]):
                continue
            move = possible.get(wanted[actor][done[index]].label)
            if move is None:
                continue
            step = Step(world, move)
            if promises.broken_by(world, move) == violation or promises.broken_in(move.after) == violation:
                if len(told) + 1 == len(story):
                    return (*told, step)
                continue
            after = (*done[:index], done[index] + 1, *done[index + 1 :])
            cost = changes + (index != last)
            heappush(waiting, (cost, next(order), after, index, move.after, (*told, step)))
    return story


def _actor(move: Move) -> Actor:
    if move.client < 0:
        return move.kind, move.server, ""
    return "", move.client, move.name.rstrip("'") if move.kind == "give up" else move.name
