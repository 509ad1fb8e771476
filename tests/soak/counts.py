"""The counts of the long run."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Counts:
    """How often each activity was done, and the invariants that were violated."""

    done: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def add(self, what: str, times: int = 1) -> None:
        """Count an event."""
        self.done[what] += times

    def violated(self, what: str) -> None:
        """Record a violated invariant."""
        self.violations.append(what)
