"""Plays a program on the real server, and asks of every answer whether the oracle can explain it."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import grpc

from tests.people import PASSWORD
from tests.servers import PATIENCE, Clock
from tests.stateful import wire
from tests.stateful.consents import Consents
from tests.stateful.inbox import Inbox
from tests.stateful.meanings import Scene, call_of
from tests.stateful.oracle.account_calls import CreateAccount, LinkIdentity, UnlinkIdentity
from tests.stateful.oracle.answers import AccountSeen, Answer, Shown, SignedIn, Started
from tests.stateful.oracle.calls import Call
from tests.stateful.oracle.contract import Made, explained, one_by_one
from tests.stateful.oracle.linking import KnownAs
from tests.stateful.oracle.moments import Moment
from tests.stateful.oracle.state import Account
from tests.stateful.programs import Act, Step, Together, Wait


class Unexplained(AssertionError):
    """No order of the calls explains their answers."""


@dataclass
class Player:
    """``possible`` holds, for each of the two accounts, everything that it may be by now: of calls made at one moment
    the answers do not always tell in which order they happened."""

    channels: Sequence[grpc.aio.Channel]
    inbox: Inbox
    clock: Clock
    consents: Consents
    tell: Callable[[str], None]
    possible: list[list[Account]] = field(default_factory=list)
    _given: set[str] = field(default_factory=set)
    _addresses: int = 0

    async def begin(self) -> None:
        """Two fresh accounts, the second one without a password; at a moment early in a time step."""
        self.clock.advance(timedelta(seconds=30 - self.clock.now.timestamp() % 30 + 5))
        for password in (PASSWORD, ""):
            call = CreateAccount(f"{uuid4().hex[:12]}@example.test", password, str(uuid4()))
            answer = await self._answer(0, call)
            assert isinstance(answer, AccountSeen), answer
            account = Account(call.email, answer.account_id, password, call.request_id)
            self.possible.append([account.audited("create_account")])

    @property
    def accounts(self) -> list[Account]:
        """Each account as it most likely is."""
        return [possible[0] for possible in self.possible]

    @property
    def scene(self) -> Scene:
        """What acts are about."""
        letters = [self.inbox.of(account.email) for account in self.accounts]
        mailed, links = [one.codes for one in letters], [one.links for one in letters]
        return Scene(self.accounts, self.clock.now, mailed, links, self._fresh_ip, self.consents)

    async def play(self, steps: Sequence[Step]) -> None:
        """Every step, one after the other."""
        for step in steps:
            match step:
                case Wait():
                    self.tell(f"{step.seconds} s pass")
                    self.clock.advance(step.span)
                case Together():
                    await self._together(step.acts)
                case Act():
                    await self._together((step,))

    async def act(self, act: Act) -> Answer:
        """One act, and its answer."""
        return (await self._together((act,)))[0]

    async def _together(self, acts: Sequence[Act]) -> list[Answer]:
        scene = self.scene
        made = [(act.who, call_of(act, scene)) for act in acts]
        answers = await asyncio.gather(*(self._answer(number, call) for number, (_, call) in enumerate(made)))
        for (_, call), answer in zip(made, answers, strict=True):
            self.tell(f"{call}\n    {answer}")
            self._check_new(answer)
        elsewhere = [self._linked_by(1 - who, made) for who in (0, 1)]
        for who in {who for who, _ in made}:
            own = [
                Made(call, a, wire.fresh_of(a)) for (whose, call), a in zip(made, answers, strict=True) if whose == who
            ]
            always, perhaps = elsewhere[who]
            at = Moment(scene.now, scene.mailed[who], elsewhere=always, perhaps_elsewhere=perhaps)
            await self._explain(who, own, at)
        return answers

    def _linked_by(self, who: int, made: Sequence[tuple[int, Call]]) -> tuple[frozenset[KnownAs], frozenset[KnownAs]]:
        """The identities that this account has throughout these calls, and those that it has at times or perhaps."""
        had = [{one.known_as for one in account.identities.values()} for account in self.possible[who]]
        always, ever = frozenset.intersection(*map(frozenset, had)), frozenset.union(*map(frozenset, had))
        changing = [call for whose, call in made if whose == who and isinstance(call, LinkIdentity | UnlinkIdentity)]
        if not changing:
            return always, ever
        return frozenset(), ever | {call.credential.identity for call in changing if isinstance(call, LinkIdentity)}

    async def _explain(self, who: int, made: Sequence[Made], at: Moment) -> None:
        after = explained(self.possible[who], made, at)
        if not after:
            raise Unexplained(_told(self.possible[who][0], made, at))
        self.possible[who] = await self._mailed(after)

    async def _mailed(self, possible: list[Account]) -> list[Account]:
        """Those accounts whose mails have all come."""
        deadline = time.monotonic() + PATIENCE
        while True:
            letters = self.inbox.of(possible[0].email)
            come = [
                account
                for account in possible
                if all(letters.kinds[kind] >= count for kind, count in account.mails.items())
                and all(code.ip in letters.codes for c in account.challenges.values() for code in c.codes)
            ]
            if come:
                return come
            assert time.monotonic() < deadline, f"mails are missing: {letters.kinds} of {possible[0].mails}"
            await asyncio.sleep(0.003)

    async def _answer(self, number: int, call: Call) -> Answer:
        """The call's answer. OVERLOADED means that nothing was done or charged: it is repeated a little later."""
        while True:
            try:
                return wire.answer_of(await wire.make(self.channels[number % len(self.channels)], call))
            except grpc.aio.AioRpcError as error:
                refused = wire.refused_of(error)
                if refused.reason != "OVERLOADED":
                    return refused
                assert refused.retry_after
                await asyncio.sleep(refused.retry_after.total_seconds() * random.uniform(1.0, 1.5))

    def _check_new(self, answer: Answer) -> None:
        """What is said to be new was never given before."""
        match answer:
            case Started(token=token):
                given = {token}
            case SignedIn(replayed=False):
                given = {answer.token, answer.session.session_id, answer.code} - {""}
            case Shown(replayed=False):
                given = {answer.code}
            case _:
                return
        assert not given & self._given, f"given before: {answer}"
        self._given |= given

    def _fresh_ip(self, network: int) -> str:
        """An address that no other mail of this program names."""
        self._addresses += 1
        return f"198.18.{network}.{2 + self._addresses % 250}"


def _told(account: Account, made: Sequence[Made], at: Moment) -> str:
    """The answers beside those of the oracle, in the order in which the calls were written."""
    expected = one_by_one(account, made, at)
    lines = [
        f"{one.call}\n  was answered {one.answer}\n  instead of   {answer}"
        for one, answer in zip(made, expected, strict=True)
    ]
    return "no order of these explains their answers:\n" + "\n".join(lines)
