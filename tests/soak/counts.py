"""What the long run counts. Nothing is in it that did not happen."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Counts:
    """How often each thing was done, and what broke a promise."""

    done: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)

    def add(self, what: str, times: int = 1) -> None:
        """It happened."""
        self.done[what] += times

    def violated(self, what: str) -> None:
        """A promise was broken."""
        self.violations.append(what)
