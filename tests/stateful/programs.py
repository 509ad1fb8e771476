"""Programs: what people do, drawn at random, and written so that a failing one can be read and played again.

An act names what it is about by how it stands: ``on=0`` is the newest challenge (session, setup) that is still
open, ``code="held"`` the newest backup code that its owner was shown. So an act that is taken out of a program
leaves the others their meaning, and a failing program shrinks well.
"""

from dataclasses import dataclass, fields, replace
from datetime import timedelta

UNKNOWN = -1
"""For ``on``: well formed, and of nothing that there is."""
MALFORMED = -2
"""For ``on``: of another kind."""


@dataclass(frozen=True, repr=False)
class Act:
    """One call. ``who`` makes it (1 has no password); ``request`` is one of a few request_ids, 0 none (of StartSignIn:
    whether to be remembered); ``network`` is where it comes from. What ``code`` and ``proof`` may say is told in
    ``meanings``."""

    method: str
    who: int = 0
    on: int = 0
    setup: int = 0
    code: str = ""
    request: int = 0
    proof: str = "password"
    network: int = 0

    def __repr__(self) -> str:
        told = [f"{f.name}={getattr(self, f.name)!r}" for f in fields(self)[1:] if getattr(self, f.name) != f.default]
        return f"Act({', '.join([repr(self.method), *told])})"


@dataclass(frozen=True, repr=False)
class Together:
    """Acts of one moment: their calls are made at once."""

    acts: tuple[Act, ...]

    def __repr__(self) -> str:
        return f"Together({self.acts!r})"


@dataclass(frozen=True, repr=False)
class Wait:
    """Time passes."""

    seconds: int

    @property
    def span(self) -> timedelta:
        """How much."""
        return timedelta(seconds=self.seconds)

    def __repr__(self) -> str:
        return f"Wait({self.seconds})"


Step = Act | Together | Wait


@dataclass(frozen=True)
class Program:
    """``opening`` names one of ``OPENINGS``; the steps follow it."""

    opening: str
    steps: tuple[Step, ...]

    @property
    def whole(self) -> tuple[Step, ...]:
        """Every step."""
        return OPENINGS[self.opening] + self.steps


_SIGNED_IN = (Act("StartSignIn"), Act("VerifyEmailCode", code="newest", request=1))
_SET_UP = (Act("StartAuthenticatorSetup"), Act("ConfirmAuthenticatorSetup", code="now", request=1))
_USED = (Act("StartSignIn"), Act("UseBackupCode", code="held", request=1))
_FIVE = (Act("UseBackupCode", code="new wrong"),) * 5
_GUESSED = (Act("StartSignIn"), *_FIVE) * 4
_TWO_WAYS = (Act("LinkIdentity", code="first"), Act("LinkIdentity", code="hub"))
_OTHER_SIGNED_IN = tuple(replace(act, who=1, proof="word") for act in _SIGNED_IN)
_OTHER_TWO_WAYS = tuple(replace(act, who=1, proof="word") for act in _TWO_WAYS)

OPENINGS: dict[str, tuple[Step, ...]] = {
    "an account": (),
    "signed in": _SIGNED_IN,
    "with an authenticator": (*_SIGNED_IN, *_SET_UP),
    "with a challenge": (*_SIGNED_IN, *_SET_UP, Act("StartSignIn")),
    "after a use": (*_SIGNED_IN, *_SET_UP, *_USED),
    "after a use, two challenges": (*_SIGNED_IN, *_SET_UP, *_USED, Act("StartSignIn"), Act("StartSignIn")),
    "nineteen wrong codes": (*_SIGNED_IN, *_SET_UP, *_GUESSED[:-1], Act("StartSignIn")),
    "two ways in": (*_SIGNED_IN, *_TWO_WAYS),
    "two ways in, no password": (*_OTHER_SIGNED_IN, *_OTHER_TWO_WAYS, Act("StartSignIn", who=1, proof="identity")),
    "two accounts": (*_SIGNED_IN, *_SET_UP, Act("StartSignIn"), Act("StartSignIn", who=1, proof="word")),
}
"""What has happened before a program begins."""

_UNLINK = Act("UnlinkIdentity")
_OTHER_UNLINKS = replace(_UNLINK, who=1, proof="identity")
_OTHER_PASSWORD = Act("SetPassword", who=1, code="first", proof="identity", request=1)
_BY_IDENTITY = Act("StartSignIn", proof="identity")
_TAKE = Act("LinkIdentity", who=1, proof="word", code="another's")

WRITTEN = (
    Program(
        "two ways in, no password",
        (Together((_OTHER_UNLINKS, replace(_OTHER_UNLINKS, setup=1))), _OTHER_UNLINKS),
    ),
    Program(
        "two ways in, no password",
        (Together((_OTHER_PASSWORD, _OTHER_UNLINKS)), _OTHER_UNLINKS, replace(_OTHER_UNLINKS, proof="password")),
    ),
    Program("two ways in", (_BY_IDENTITY, _UNLINK, Act("VerifyEmailCode", code="newest"))),
    Program("two ways in", (Together((_BY_IDENTITY, _BY_IDENTITY, _UNLINK)), Act("GetChallenge"))),
    Program("with a challenge", (Act("ChangePassword", code="first"), Act("UseBackupCode", code="held"))),
    Program("two ways in", (*_OTHER_SIGNED_IN, _TAKE, Together((replace(_UNLINK, setup=1), _TAKE)))),
)
"""Meetings of the ways into an account, which programs drawn at random seldom come to. They are always played."""
