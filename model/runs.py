"""One exploration with its result: of the whole protocol, or of a variant."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from model.explorer import Explored, Progress, explore
from model.promises import Promises
from model.rows import clear_interned
from model.symmetry import Symmetry
from model.variants import Variant
from model.world import Scenario


class Run(NamedTuple):
    """``variant`` is None for the whole protocol."""

    scenario: Scenario
    explored: Explored
    variant: Variant | None = None

    @property
    def name(self) -> str:
        return f"without {self.variant.name}" if self.variant else self.scenario.name

    @property
    def failure(self) -> str | None:
        """How the result differs from the expected one, or None."""
        found, expected = self.explored.violation, self.variant.breaks if self.variant else None
        if expected is None:
            return f'"{found.promise}" is broken: {found.what}' if found else None
        if found is None:
            return f'"{expected}" should break, and nothing did'
        if found.promise != expected:
            return f'"{expected}" should break, and "{found.promise}" did: {found.what}'
        return None

    def describe_trace(self) -> list[str]:
        """The moves that lead to the violation, numbered, and the violation."""
        violation = self.explored.violation
        if violation is None:
            return []
        lines = [step.describe(self.scenario) for step in self.explored.trace]
        return [f"{number}. {line}" for number, line in enumerate(lines, 1)] + [f"Broken: {violation.what}."]


def run_whole(scenario: Scenario, progress: Progress = lambda _, __: None) -> Run:
    """Explore the whole protocol in this scenario."""
    with _memory():
        explored = explore(scenario, Promises(scenario), Symmetry(scenario), progress)
        if explored.violation:
            # Again without renaming, for a trace in which every client keeps its name.
            explored = explore(scenario, Promises(scenario), progress=progress)
    return Run(scenario, explored)


def run_variant(variant: Variant) -> Run:
    """Explore the protocol without the variant's mechanisms, up to the first violation."""
    scenario = variant.explored
    with _memory():
        explored = explore(scenario, Promises(scenario, variant.checked))
    return Run(scenario, explored, variant)


@contextmanager
def _memory() -> Iterator[None]:
    """States contain no cycles, and searching for cycles doubles the run time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        clear_interned()
