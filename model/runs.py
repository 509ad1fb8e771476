"""Everything that is run: the whole protocol, and the protocol without this or that."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from model.explorer import Explored, Progress, explore
from model.promises import Promises
from model.rows import forget
from model.symmetry import Symmetry
from model.tidy import tidied
from model.variant import Variant
from model.world import Scenario


class Run(NamedTuple):
    """One exploration: of the whole protocol (``variant`` None), or of a variant."""

    scenario: Scenario
    explored: Explored
    variant: Variant | None = None

    @property
    def surprise(self) -> str | None:
        """What is not as it must be; None if all is."""
        found = self.explored.violation
        if self.variant is None or self.variant.breaks is None:
            return f"{found.promise} is broken: {found.what}" if found else None
        if found is None:
            return f"{self.variant.breaks} was to break, and nothing did"
        if found.promise != self.variant.breaks:
            return f"{self.variant.breaks} was to break, and {found.promise} did: {found.what}"
        return None


def run_whole(scenario: Scenario, progress: Progress = lambda _, __: None) -> Run:
    """Explore the whole protocol in this scenario."""
    with _memory():
        explored = explore(scenario, Promises(scenario), Symmetry(scenario), progress)
        if explored.violation:
            # Again with everybody keeping their names, so that the story can be told.
            explored = explore(scenario, Promises(scenario), progress=progress)
    return Run(scenario, explored)


def run_variant(variant: Variant, progress: Progress = lambda _, __: None) -> Run:
    """Explore the protocol without the variant's mechanisms, up to the first violation."""
    scenario = variant.played
    promises = Promises(scenario, variant.looking_at)
    with _memory():
        explored = explore(scenario, promises, progress=progress)
        if explored.violation:
            story = tidied(scenario, promises, explored.story, explored.violation)
            explored = explored._replace(story=story)
    return Run(scenario, explored, variant)


@contextmanager
def _memory() -> Iterator[None]:
    """States hold no cycles: looking for some doubles the time. What was remembered is let go of at the end."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        forget()
