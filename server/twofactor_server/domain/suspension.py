"""Right first factor, wrong second: when the owner is told, and when the first factor is suspended.

Whoever fails the second factor again and again has the first one. A success in between says only that the owner was
here too, so it forgives nothing.
"""

from datetime import timedelta
from enum import Enum, auto

SPAN = timedelta(hours=24)
"""A failure counts for so long."""

TOLD_FROM = 5
SUSPENDED_AT = 20


class Consequence(Enum):
    """What a failure brings beside its own refusal."""

    NONE = auto()
    TELL = auto()
    SUSPEND = auto()


def consequence(failures: int, *, suspended: bool) -> Consequence:
    """What follows from the failures of the span, this one included. Once suspended, the owner has been told all
    there is to tell: challenges that were open go on, and more mails would only hide the one that matters."""
    if suspended or failures < TOLD_FROM:
        return Consequence.NONE
    return Consequence.TELL if failures < SUSPENDED_AT else Consequence.SUSPEND
