"""How programs are drawn: phrases of a few acts that belong together, single acts of every kind, and races."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.stateful.programs import MALFORMED, OPENINGS, UNKNOWN, Act, Program, Step, Together, Wait

_SPANS = (29, 31, 31, 31, 31, 61, 299, 301, 599, 601, 3599, 3601, 86_399, 86_401, 259_199, 259_201)
_REQUESTS = (0, 1, 1, 2, 2, 3)
_PASSWORDS = ("first", "first", "first", "second", "short")
_PROOFS = (
    *["password"] * 8,
    *("wrong 1", "wrong 2", "wrong 3", "none", "word", "word", "stale word", "word for another"),
    *("password + app", "password + app", "password + app wrong", "word + app", "wrong 4 + app next"),
    *("identity", "identity", "identity", "identity + app", "stranger", "made up"),
)


@dataclass(frozen=True)
class Kinds:
    """Acts of every kind. Each word is drawn from a list in which it stands as often as it is wanted."""

    who: Sequence[int]
    on: Sequence[int]
    setup: Sequence[int]
    proof: Sequence[str]
    backup: Sequence[str]
    app: Sequence[str]
    mailed: Sequence[str]
    said: Sequence[str]
    link: Sequence[str]

    def act(self, method: str, **words: Sequence[int] | Sequence[str]) -> SearchStrategy[Act]:
        """An act of this method."""
        drawn = {name: st.sampled_from(of) for name, of in words.items()}
        return st.builds(Act, st.just(method), who=st.sampled_from(self.who), on=st.sampled_from(self.on), **drawn)

    @property
    def start(self) -> SearchStrategy[Act]:
        """StartSignIn with what opens a challenge."""
        who = st.sampled_from(self.who)
        networks, remember = st.sampled_from((0, 0, 0, 1, 2)), st.sampled_from((0, 0, 0, 1))
        return st.builds(lambda one, net, stay: start_of(one, network=net, request=stay), who, networks, remember)

    @property
    def proving(self) -> Sequence[SearchStrategy[Act]]:
        """What may complete a challenge."""
        return (
            self.act("UseBackupCode", code=self.backup, request=_REQUESTS, network=(0, 0, 1)),
            self.act("UseBackupCode", code=self.backup, request=_REQUESTS),
            self.act("VerifyAuthenticatorCode", code=self.app, request=_REQUESTS),
            self.act("VerifyEmailCode", code=self.mailed, request=_REQUESTS),
        )

    @property
    def begin(self) -> SearchStrategy[Act]:
        """StartAuthenticatorSetup."""
        return self.act("StartAuthenticatorSetup", proof=self.proof)

    @property
    def confirm(self) -> SearchStrategy[Act]:
        """ConfirmAuthenticatorSetup."""
        return self.act("ConfirmAuthenticatorSetup", code=self.app, request=_REQUESTS, setup=self.setup)

    @property
    def owning(self) -> Sequence[SearchStrategy[Act]]:
        """What a signed-in owner may change."""
        return (
            self.act("RegenerateBackupCode", proof=self.proof, request=_REQUESTS),
            self.act("RemoveAuthenticator", proof=self.proof),
            self.act("ConfirmBackupCodeSaved", code=self.said),
            self.act("SignOut"),
            self.act("RevokeSession", setup=self.setup),
            self.act("RevokeOtherSessions", code=("others", "others", "all")),
            self.act("CancelAuthenticatorSetup", setup=self.setup),
            self.begin,
            self.confirm,
        )

    @property
    def linking(self) -> Sequence[SearchStrategy[Act]]:
        """One more way in, or one less."""
        return (
            self.act("LinkIdentity", proof=self.proof, code=self.link, request=_REQUESTS),
            self.act("UnlinkIdentity", proof=self.proof, setup=self.setup),
        )

    @property
    def password(self) -> SearchStrategy[Act]:
        """A new password. What is mailed at that moment may be lost: it meets nothing that mails a code."""
        known = ("password", "password", "password", "wrong 1")
        return st.one_of(
            self.act("ChangePassword", proof=known, code=_PASSWORDS, request=_REQUESTS),
            self.act("SetPassword", proof=self.proof, code=_PASSWORDS, request=_REQUESTS),
        )

    @property
    def by_identity(self) -> SearchStrategy[Act]:
        """StartSignIn with an identity."""
        return self.act("StartSignIn", proof=("identity", "identity", "identity", "stranger", "made up"))

    @property
    def send(self) -> SearchStrategy[Act]:
        """SendEmailCode."""
        return self.act("SendEmailCode", request=_REQUESTS, network=(0, 0, 0, 1, 2))

    @property
    def looking(self) -> SearchStrategy[Act]:
        """What only looks."""
        methods = ("GetChallenge", "GetTwoFactor", "GetSession", "GetAccount", "ListSessions", "ListIdentities")
        return st.one_of([self.act(method) for method in methods])

    @property
    def confirmation(self) -> SearchStrategy[Act]:
        """ConfirmFirstFactor."""
        return self.act("ConfirmFirstFactor", code=("right", "right", "right", "another", "contrary", "short"))

    @property
    def every(self) -> SearchStrategy[Act]:
        """Any act."""
        odd = (
            self.act("StartSignIn", proof=_PROOFS, network=(0, 1)),
            self.act("CreateAccount", request=(0, 1), code=("", "wrong")),
            self.confirmation,
            self.password,
            self.by_identity,
            self.act("LinkIdentity", proof=self.proof, code=("another's",), request=_REQUESTS),
        )
        return st.one_of([*self.proving, *self.owning, *self.linking, self.send, self.start, self.looking, *odd])


def start_of(who: int, network: int = 0, request: int = 0) -> Act:
    """StartSignIn with the first factor that this account has."""
    return Act("StartSignIn", who=who, network=network, request=request, proof="word" if who else "password")


ANY = Kinds(
    who=(0, 0, 0, 0, 0, 1),
    on=(0, 0, 0, 0, 0, 1, 1, 2, 3, UNKNOWN, MALFORMED),
    setup=(0, 0, 0, 0, 1, UNKNOWN),
    proof=_PROOFS,
    backup=(*["held"] * 6, *["old"] * 3, "respelled", "older", "wrong", "wrong", "new wrong", "another's", "malformed"),
    app=(
        *["now"] * 6,
        "next",
        "next",
        "before",
        "before",
        "too old",
        "too new",
        "wrong",
        "wrong",
        "old phone",
        "malformed",
    ),
    mailed=(*["newest"] * 6, "older", "older", "another challenge's", "wrong", "wrong", "malformed"),
    said=("held", "held", "held", "older", "none"),
    link=("first", "first", "first", "second", "hub", "hub", "made up"),
)
"""Acts of all sorts, those that must be refused among them."""

NEAT = Kinds(
    who=(0,),
    on=(0, 0, 0, 1),
    setup=(0,),
    proof=("password", "password", "word + app", "wrong 1"),
    backup=("held", "held", "held", "old", "wrong"),
    app=("now", "now", "next", "wrong"),
    mailed=("newest", "newest", "older", "wrong"),
    said=("held",),
    link=("first", "hub"),
)
"""Acts that mostly do what they are meant to, and get in each other's way."""


def _same(act: Act, times: int, differ: str) -> Together:
    """One act several times over: the same call repeated, or with something else about each."""
    if differ == "request":
        return Together(tuple(replace(act, request=number) for number in range(times)))
    if differ == "on":
        return Together(tuple(replace(act, on=number) for number in range(times)))
    return Together((act,) * times)


def _races(kinds: Kinds) -> SearchStrategy[Together]:
    changing = st.one_of([*kinds.proving, *kinds.owning, kinds.send])
    several = st.lists(st.one_of(changing, changing, kinds.looking), min_size=2, max_size=4)
    repeated = st.builds(_same, changing, st.integers(2, 4), st.sampled_from(("nothing", "nothing", "request", "on")))
    against = st.builds(
        lambda one, other, both: Together((one, other, *both)), *kinds.proving[:2], st.lists(changing, max_size=2)
    )
    return st.one_of(several.map(lambda acts: Together(tuple(acts))), repeated, against)


def _first_factor_races(kinds: Kinds) -> SearchStrategy[Together]:
    """Ways in that come and go at once, and a sign-in by one of them; a new password, and what else changes."""
    others = st.lists(st.one_of([*kinds.linking, kinds.by_identity, *kinds.owning]), min_size=1, max_size=3)
    going = st.builds(lambda one, some: Together((one, *some)), kinds.linking[1], others)
    each_one = st.builds(_each_one, kinds.linking[1])
    changes = st.lists(st.one_of([*kinds.proving, *kinds.owning, *kinds.linking]), min_size=1, max_size=3)
    password = st.builds(lambda one, some: Together((one, *some)), kinds.password, changes)
    moving = st.builds(_moving, kinds.linking[1], st.sampled_from(kinds.proof))
    return st.one_of(going, each_one, password, moving)


def _each_one(unlink: Act) -> Together:
    """Every identity is unlinked at once."""
    return Together((replace(unlink, setup=0), replace(unlink, setup=1)))


def _moving(unlink: Act, proof: str) -> Together:
    """An identity leaves one account while another one wants it."""
    link = Act("LinkIdentity", who=1 - unlink.who, proof=proof, code="another's", request=1)
    return Together((replace(unlink, setup=0), link))


Phrase = tuple[Step, ...]
_LATER = st.just(Wait(31))


def _phrases(kinds: Kinds) -> SearchStrategy[Phrase]:
    proving, races = st.one_of(list(kinds.proving)), _races(kinds)
    wordings: list[tuple[SearchStrategy[Step], ...]] = [
        (kinds.every,),
        (races,),
        (st.sampled_from(_SPANS).map(Wait),),
        (kinds.start, proving),
        (kinds.start, proving, proving),
        (kinds.start, kinds.start, races),
        (_LATER, kinds.start, kinds.proving[2]),
        (kinds.begin, _LATER, kinds.confirm),
        (kinds.begin, kinds.confirm, races),
        (kinds.start, kinds.send, kinds.proving[3]),
        (kinds.proving[0], kinds.owning[2], kinds.proving[0]),
        (kinds.linking[0], kinds.linking[1]),
        (kinds.linking[0], kinds.by_identity, proving),
        (kinds.linking[0], kinds.linking[0], _first_factor_races(kinds)),
        (kinds.by_identity, _first_factor_races(kinds), proving),
        (kinds.proving[0], kinds.confirmation, kinds.start, proving),
    ]
    return st.one_of([st.tuples(*wording) for wording in wordings])


# Two short lists are drawn longer, on the whole, than one long one, and shrink as well.
_written = st.lists(_phrases(ANY) | _phrases(NEAT), max_size=12)
programs: SearchStrategy[Program] = st.builds(
    lambda opening, *parts: Program(opening, tuple(step for part in parts for phrase in part for step in phrase)),
    st.sampled_from(list(OPENINGS)),
    _written,
    _written,
)
"""Programs. They shrink towards few acts, and towards acts on the newest thing there is."""
