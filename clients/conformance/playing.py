"""Plays one case with one driver, step by step, and says at which step it came otherwise."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pyotp
from google.protobuf.json_format import MessageToDict

from clients.conformance.case import BadCase, Case
from clients.conformance.contract import NotOfTheContract, received_as, whole
from clients.conformance.driver import Driver
from clients.conformance.given import person_given
from clients.conformance.ground import Ground
from clients.conformance.handwriting import TYPED
from clients.conformance.matching import MISSING, at_path, differences, filled, told
from tests.servers import text_of

Step = dict[str, Any]

_ERROR = {"type", "status", "reason", "metadata", "fields", "retry_after_ms"}
_SPANS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class CaseFailed(Exception):
    """The text says at which step, and what was otherwise."""


async def play(case: Case, ground: Ground, driver: Driver) -> None:
    """CaseFailed unless all of it comes as the case says. DriverFailed if the driver gave up."""
    player = _Player(ground, driver)
    await player.begin(case)
    await player.play(case.steps)


class _Player:
    def __init__(self, ground: Ground, driver: Driver) -> None:
        self._ground = ground
        self._driver = driver
        self._known: dict[str, Any] = {}
        self.kinds: dict[str, Callable[[Step], Awaitable[None]]] = {
            "call": self._call,
            "request_id": self._request_id,
            "show": self._show,
            "mail": self._mail,
            "link": self._link,
            "app": self._app,
            "typed": self._typed,
            "now": self._now,
            "advance": self._advance,
            "lose": self._lose,
            "front": self._front,
            "attempts": self._attempts,
            "repeat": self._repeat,
        }

    async def play(self, steps: list[Step]) -> None:
        """One after the other."""
        for number, step in enumerate(steps, start=1):
            kind = next(name for name in self.kinds if name in step)
            try:
                await self.kinds[kind](step)
            except (AssertionError, KeyError, NotOfTheContract) as error:
                what = f"there is no {error}" if isinstance(error, KeyError) else str(error)
                raise CaseFailed(f"step {number}, {kind} {step[kind]}: {what}") from None

    async def begin(self, case: Case) -> None:
        """Stand where the case begins: nothing armed, a person made, the driver connected."""
        self._ground.front.reset()
        self._ground.wire.armed = False
        client = MessageToDict(self._ground.people.client, preserving_proto_field_name=True)
        self._known = {
            "client": client,
            "new_email": f"{uuid4().hex[:12]}@example.test",
            "uuid": str(uuid4()),
            "no_challenge": f"tfc_{'A' * 64}",
            "no_session": f"tfs_{'A' * 64}",
            "no_link": f"tfr_{'A' * 64}",
            "long": "x" * 3200,
        }
        self._known |= await person_given(case.given, self._ground.people)
        if case.through not in self._ground.ways:
            raise BadCase(f"{case}: no such way: {case.through}")
        connected = await self._driver.ask(op="connect", **self._ground.ways[case.through])
        if connected != {"ok": True}:
            raise CaseFailed(f"connect: the driver said {connected}")

    def _filled(self, step: Step, part: str, default: Any = None) -> Any:
        return filled(step.get(part, default), self._known)

    async def _call(self, step: Step) -> None:
        for turn in range(1, step.get("times", 1) + 1):
            self._known["turn"] = f"{turn:02d}"
            line = {"method": step["call"], "request": self._filled(step, "with", {})}
            if "timeout_ms" in step:
                line["timeout_ms"] = step["timeout_ms"]
            began = time.monotonic()
            said = await self._driver.ask(op="call", **line)
            took = (time.monotonic() - began) * 1000
            # Timers may run a little early; nothing is said about late.
            assert took >= step.get("at_least_ms", 0) - 50, f"ended after {took:.0f} ms"
            self._judge(step, said)

    def _judge(self, step: Step, said: Step) -> None:
        if "refused" in step:
            assert said.keys() == {"error"}, f"was not refused: {told(said)}"
            error = said["error"]
            assert error.keys() == _ERROR, f"the error has the fields {sorted(error)}"
            found = [*differences(self._filled(step, "refused"), error)]
            assert not found, f"{'; '.join(found)}. The error: {error}"
            return
        assert said.keys() == {"response"}, f"was refused: {told(said)}"
        answer = whole(step["call"], said["response"])
        found = [*differences(self._filled(step, "answer", {}), answer)]
        assert not found, "; ".join(found)
        for name, path in step.get("keep", {}).items():
            self._known[name] = at_path(answer, path)

    async def _request_id(self, step: Step) -> None:
        said = await self._driver.ask(op="request_id", method=step["request_id"], request=self._filled(step, "with"))
        found = [*differences(self._filled(step, "is", "<uuid>"), said.get("request_id", MISSING))]
        assert not found, "; ".join(found)
        if "keep" in step:
            assert said["request_id"] not in self._known.values(), "the same request_id twice"
            self._known[step["keep"]] = said["request_id"]

    async def _show(self, step: Step) -> None:
        said = await self._driver.ask(op="show", method=step["show"], request=self._filled(step, "with"))
        text = said.get("text")
        assert isinstance(text, str), f"no text: {told(said)}"
        assert text.strip(), "nothing is shown"
        seen = [secret for secret in self._filled(step, "hides") if secret in text]
        assert not seen, f"shows {', '.join(seen)}: {text}"

    async def _mail(self, step: Step) -> None:
        address, count = self._filled(step, "to", "$email"), step.get("count", 1)
        if step["mail"] == "sign-in-code":
            self._known[step["keep"]] = await self._ground.people.mailbox.code(address, count)
        else:
            await self._ground.people.mailbox.wait_for(address, step["mail"], count)

    async def _link(self, step: Step) -> None:
        """The token of a mailed link with this purpose, of whatever kind the mail is."""
        address, purpose = self._filled(step, "to", "$email"), re.escape(step["link"])
        deadline = time.monotonic() + 20
        while True:
            texts = [text_of(mail) for mail in self._ground.people.mailbox.to(address)]
            found = [match for text in texts for match in re.findall(rf"/{purpose}\?token=(tfr_[\w-]+)", text)]
            if len(found) >= step.get("count", 1):
                break
            assert time.monotonic() < deadline, "no such mail came"
            await asyncio.sleep(0.02)
        self._known[step["keep"]] = found[-1]

    async def _app(self, step: Step) -> None:
        """What the authenticator app shows now, or so many steps later; or six digits that it shows at no time near."""
        secret = self._filled(step, "secret", "$secret").replace(" ", "")
        now = int(self._ground.people.clock.now.timestamp())
        app = pyotp.TOTP(secret)
        code = app.at(now + 30 * step.get("steps", 0))
        if step.get("wrong"):
            near = {app.at(now + 30 * steps) for steps in range(-2, 3)}
            code = next(digits for digits in (str(d) * 6 for d in range(10)) if digits not in near)
        self._known[step["app"]] = code

    async def _typed(self, step: Step) -> None:
        self._known[step["typed"]] = TYPED[step["as"]](self._filled(step, "of"))

    async def _now(self, step: Step) -> None:
        moment = self._ground.people.clock.now - _span(step.get("minus", "0s"))
        self._known[step["now"]] = moment.isoformat().replace("+00:00", "Z")

    async def _advance(self, step: Step) -> None:
        self._ground.people.clock.advance(_span(step["advance"]))

    async def _lose(self, step: Step) -> None:
        assert step["lose"] == "answer"
        self._ground.wire.armed = True

    async def _front(self, step: Step) -> None:
        script = {name: self._filled(step, name) for name in step if name not in ("front", "times")}
        for _ in range(step.get("times", 1)):
            self._ground.front.scripts[step["front"]].append(script)

    async def _attempts(self, step: Step) -> None:
        """How often the front was called; each attempt of a call is the same, its request_id included."""
        received = self._ground.front.received
        for method, count in step["attempts"].items():
            assert len(received[method]) == count, f"{method} came {len(received[method])} times, not {count}"
            assert len(set(received[method])) == 1, f"the attempts of {method} differ"
            request: Any = received_as(method, received[method][0])
            assert getattr(request, "request_id", "none wanted"), f"{method} came without a request_id"

    async def _repeat(self, step: Step) -> None:
        for turn in range(1, step["repeat"] + 1):
            self._known["round"] = f"{turn:02d}"
            await self.play(step["steps"])


def _span(text: str) -> timedelta:
    return timedelta(**{_SPANS[text[-1]]: float(text[:-1])})
