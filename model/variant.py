"""One variant of the protocol: what is taken out of it, where that is played, and what must come of it."""

from dataclasses import dataclass, replace

from model.mechanisms import Mechanism as M
from model.mechanisms import Promise as P
from model.mechanisms import without
from model.world import Scenario


@dataclass(frozen=True, slots=True)
class Variant:
    """``breaks``: the promise that must be seen to break; None: of those in ``looking_at``, none may. ``instead``:
    what the protocol does without the mechanisms."""

    removed: tuple[M, ...]
    breaks: P | None
    scenario: Scenario
    instead: str = ""
    looking_at: frozenset[P] = frozenset(P)

    @property
    def name(self) -> str:
        """What is missing."""
        return ", ".join(self.removed)

    @property
    def played(self) -> Scenario:
        """The scenario, played without the mechanisms."""
        return replace(self.scenario, protocol=without(*self.removed))


def few(scenario: Scenario, *clients: int, crashes: int = 0, losses: int = 0) -> Scenario:
    """The scenario with no more clients and faults than the story needs."""
    scripts = tuple(scenario.scripts[index] for index in clients) if clients else scenario.scripts
    return replace(scenario, scripts=scripts, crashes=crashes, losses=losses, alike=0, own_challenges=False)
