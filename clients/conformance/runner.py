"""Runs one case with one driver, step by step."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pyotp
from google.protobuf.json_format import MessageToDict

from clients.conformance.case import Case, InvalidCaseError
from clients.conformance.code_spellings import SPELLINGS
from clients.conformance.contract import ContractMismatch, normalise_response, parse_request
from clients.conformance.driver import Driver
from clients.conformance.environment import Environment
from clients.conformance.matching import MISSING, describe, differences, substitute, value_at
from clients.conformance.preconditions import establish
from tests.support.mailbox import text_of
from tests.support.rpc import CLIENT

Step = dict[str, Any]

_ERROR_KEYS = {"type", "status", "reason", "metadata", "fields", "retry_after_ms"}
_DURATION_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LINK_TIMEOUT = 20.0
_TIMER_TOLERANCE_MS = 50


class CaseFailed(Exception):
    """The message names the step and the difference."""


async def run_case(case: Case, environment: Environment, driver: Driver) -> None:
    """Raises CaseFailed if the client behaves differently, DriverFailed if the driver does not reply."""
    runner = _Runner(environment, driver)
    await runner.prepare(case)
    await runner.run(case.steps)


class _Runner:
    def __init__(self, environment: Environment, driver: Driver) -> None:
        self._environment = environment
        self._driver = driver
        self._variables: dict[str, Any] = {}
        self._steps: dict[str, Callable[[Step], Awaitable[None]]] = {
            "call": self._call,
            "request_id": self._request_id,
            "format": self._format,
            "await_email": self._await_email,
            "await_link": self._await_link,
            "totp": self._totp,
            "spell": self._spell,
            "timestamp": self._timestamp,
            "advance_clock": self._advance_clock,
            "drop": self._drop,
            "script": self._script,
            "attempts": self._attempts,
            "repeat": self._repeat,
        }

    async def prepare(self, case: Case) -> None:
        """Reset the proxies, establish the precondition and connect the driver."""
        self._environment.scripted.reset()
        self._environment.lossy.armed = False
        self._variables = {
            "client": MessageToDict(CLIENT, preserving_proto_field_name=True),
            "new_email": f"{uuid4().hex[:12]}@example.test",
            "uuid": str(uuid4()),
            "unknown_challenge": f"tfc_{'A' * 64}",
            "unknown_session": f"tfs_{'A' * 64}",
            "unknown_link": f"tfr_{'A' * 64}",
            "long_text": "x" * 3200,
        }
        self._variables |= await establish(case.precondition, self._environment.factory)
        if case.transport not in self._environment.transports:
            raise InvalidCaseError(f"{case}: unknown transport: {case.transport}")
        reply = await self._driver.ask(op="connect", **self._environment.transports[case.transport])
        if reply != {"ok": True}:
            raise CaseFailed(f"the driver did not connect: {reply}")

    async def run(self, steps: list[Step]) -> None:
        for number, step in enumerate(steps, start=1):
            kind = next(name for name in self._steps if name in step)
            try:
                await self._steps[kind](step)
            except (AssertionError, KeyError, ContractMismatch) as error:
                reason = f"{error} does not exist" if isinstance(error, KeyError) else str(error)
                raise CaseFailed(f"step {number}, {kind} {step[kind]}: {reason}") from None

    def _substituted(self, step: Step, key: str, default: Any = None) -> Any:
        return substitute(step.get(key, default), self._variables)

    async def _call(self, step: Step) -> None:
        for iteration in range(1, step.get("times", 1) + 1):
            self._variables["iteration"] = f"{iteration:02d}"
            command = {"method": step["call"], "request": self._substituted(step, "request", {})}
            if "timeout_ms" in step:
                command["timeout_ms"] = step["timeout_ms"]
            start = time.monotonic()
            reply = await self._driver.ask(op="call", **command)
            elapsed_ms = (time.monotonic() - start) * 1000
            assert elapsed_ms >= step.get("min_duration_ms", 0) - _TIMER_TOLERANCE_MS, f"took {elapsed_ms:.0f} ms"
            if "error" in step:
                self._check_error(step, reply)
            else:
                self._check_response(step, reply)

    def _check_error(self, step: Step, reply: Step) -> None:
        assert reply.keys() == {"error"}, f"expected an error: {describe(reply)}"
        error = reply["error"]
        assert error.keys() == _ERROR_KEYS, f"the error has the keys {sorted(error)}"
        found = [*differences(self._substituted(step, "error"), error)]
        assert not found, f"{'; '.join(found)}. The error: {error}"

    def _check_response(self, step: Step, reply: Step) -> None:
        assert reply.keys() == {"response"}, f"expected a response: {describe(reply)}"
        response = normalise_response(step["call"], reply["response"])
        found = [*differences(self._substituted(step, "response", {}), response)]
        assert not found, "; ".join(found)
        for name, path in step.get("save", {}).items():
            self._variables[name] = value_at(response, path)

    async def _request_id(self, step: Step) -> None:
        request = self._substituted(step, "request")
        reply = await self._driver.ask(op="request_id", method=step["request_id"], request=request)
        found = [*differences(step["expected"], reply.get("request_id", MISSING))]
        assert not found, "; ".join(found)
        if "save" in step:
            assert reply["request_id"] not in self._variables.values(), "the same request_id twice"
            self._variables[step["save"]] = reply["request_id"]

    async def _format(self, step: Step) -> None:
        request = self._substituted(step, "request")
        reply = await self._driver.ask(op="format", method=step["format"], request=request)
        text = reply.get("text")
        assert isinstance(text, str), f"the reply has no text: {describe(reply)}"
        assert text.strip(), "the text is empty"
        shown = [secret for secret in step["secrets"] if secret in text]
        assert not shown, f"the text contains {', '.join(shown)}: {text}"

    async def _await_email(self, step: Step) -> None:
        address, count = self._substituted(step, "to", "$email"), step.get("count", 1)
        mailbox = self._environment.factory.mailbox
        if step["await_email"] == "sign-in-code":
            self._variables[step["save"]] = await mailbox.code(address, count)
        else:
            await mailbox.wait_for(address, step["await_email"], count)

    async def _await_link(self, step: Step) -> None:
        address, purpose = self._substituted(step, "to", "$email"), re.escape(step["await_link"])
        deadline = time.monotonic() + _LINK_TIMEOUT
        while True:
            texts = [text_of(mail) for mail in self._environment.factory.mailbox.to(address)]
            tokens = [token for text in texts for token in re.findall(rf"/{purpose}\?token=(tfr_[\w-]+)", text)]
            if len(tokens) >= step.get("count", 1):
                break
            assert time.monotonic() < deadline, f"no such link was mailed to {address}"
            await asyncio.sleep(0.02)
        self._variables[step["save"]] = tokens[-1]

    async def _totp(self, step: Step) -> None:
        app = pyotp.TOTP(self._variables["secret"].replace(" ", ""))
        now = int(self._environment.factory.clock.now.timestamp())
        if step["totp"] == "current":
            code = app.at(now)
        else:
            assert step["totp"] == "wrong"
            accepted = {app.at(now + 30 * steps) for steps in range(-2, 3)}
            code = next(code for code in (str(digit) * 6 for digit in range(10)) if code not in accepted)
        self._variables[step["save"]] = code

    async def _spell(self, step: Step) -> None:
        self._variables[step["save"]] = SPELLINGS[step["style"]](self._substituted(step, "spell"))

    async def _timestamp(self, step: Step) -> None:
        match step["timestamp"].split():
            case ["now"]:
                age = timedelta()
            case [duration, "ago"]:
                age = _duration(duration)
            case _:
                raise AssertionError("expected `now` or a duration such as `5m ago`")
        moment = self._environment.factory.clock.now - age
        self._variables[step["save"]] = moment.isoformat().replace("+00:00", "Z")

    async def _advance_clock(self, step: Step) -> None:
        self._environment.factory.clock.advance(_duration(step["advance_clock"]))

    async def _drop(self, step: Step) -> None:
        assert step["drop"] == "next response"
        self._environment.lossy.armed = True

    async def _script(self, step: Step) -> None:
        script = {name: self._substituted(step, name) for name in step if name not in ("script", "times")}
        for _ in range(step.get("times", 1)):
            self._environment.scripted.scripts[step["script"]].append(script)

    async def _attempts(self, step: Step) -> None:
        """Check the number of attempts, and that all attempts of a call are identical, including the request_id."""
        received = self._environment.scripted.received
        for method, count in step["attempts"].items():
            attempts = received[method]
            assert len(attempts) == count, f"{method} was attempted {len(attempts)} times, not {count}"
            assert len(set(attempts)) == 1, f"the attempts of {method} differ"
            request: Any = parse_request(method, attempts[0])
            assert getattr(request, "request_id", "has no such field"), f"{method} was sent without a request_id"

    async def _repeat(self, step: Step) -> None:
        for round_number in range(1, step["repeat"] + 1):
            self._variables["round"] = f"{round_number:02d}"
            await self.run(step["steps"])


def _duration(text: str) -> timedelta:
    """A duration such as `30s`, `5m` or `1h`."""
    return timedelta(**{_DURATION_UNITS[text[-1]]: float(text[:-1])})
