"""The system under test: two servers and one that crashes, on one database, with a test clock and a mail folder.

Everything here is synchronous, because a state machine is. The other helpers of the tests are imported here only.
"""

import asyncio
import contextlib
import email
import email.policy
import os
import random
import re
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import grpc
from google.protobuf.message_factory import GetMessageClass

from tests.support.clock import Clock
from tests.support.mailbox import text_of
from tests.support.rpc import METHODS, path_of, refusal_from
from tests.support.servers import PATIENCE, Server, second_server

_OPTIONS = (("grpc.use_local_subchannel_pool", 1), ("grpc.enable_retries", 0))
_TIMEOUT = 15.0
_LEASE = timedelta(seconds=61)
"""A mail that a killed server was about to deliver becomes due again after this time."""

STEADY, OTHER, CRASHING = range(3)
_CRASH_POINTS = [
    point
    for transaction in (
        *("authenticator-code-verified", "email-code-verified", "backup-code-charged", "backup-code-replaced"),
        *("setup-code-verified", "authenticator-on", "regeneration-charged", "backup-code-regenerated"),
        *("password-charged", "password-changed"),
    )
    for point in (f"before-{transaction}", f"{transaction}-uncommitted", f"{transaction}-committed")
]

_FACTS = """
SELECT accounts.email, password_version, suspend_time IS NOT NULL AS suspended, method, generation,
       coalesce(encode(totp_secret, 'hex'), '') AS authenticator,
       ARRAY(SELECT session_id::text FROM sessions WHERE account_id = $1) AS opened,
       ARRAY(SELECT session_id::text FROM sessions WHERE account_id = $1 AND end_time IS NOT NULL) AS ended,
       (SELECT count(*) FROM outbox WHERE account_id = $1 AND payload IS NOT NULL) AS waiting_mails
FROM accounts JOIN second_factors USING (account_id) WHERE account_id = $1"""
_EVENTS = "SELECT action FROM audit_events WHERE account_id = $1 AND outcome = 'success'"


@dataclass(frozen=True)
class Facts:
    """What the database says of the account. ``authenticator`` is the sealed secret, "" on e-mail codes."""

    email: str
    password_version: int
    suspended: bool
    method: str
    generation: int
    authenticator: str
    opened: frozenset[str]
    ended: frozenset[str]
    waiting_mails: int


@dataclass(frozen=True)
class Answer:
    """A response, or the reason of a refusal; ``reason`` is empty for a response."""

    reason: str
    response: Any = None
    retry_after: timedelta = timedelta()

    @property
    def ok(self) -> bool:
        return not self.reason

    @property
    def replayed(self) -> bool:
        return bool(getattr(self.response, "replayed", False))


@dataclass(frozen=True)
class Mail:
    """One delivered mail; ``number`` grows in the order of arrival."""

    number: int
    kind: str
    text: str

    @property
    def code(self) -> str:
        found = re.search(r"^(\d{6})$", self.text, re.MULTILINE)
        return found[1] if found else ""

    @property
    def asked_from(self) -> str:
        """The IP address of the call that caused the mail."""
        found = re.search(r"^IP address: +(\S+)$", self.text, re.MULTILINE)
        return found[1] if found else ""

    def link(self, purpose: str) -> str:
        """The token in the link of this purpose; "" if not found."""
        found = re.search(rf"/{purpose}\?token=(\S+)$", self.text, re.MULTILINE)
        return found[1] if found else ""


@dataclass
class MailFolder:
    """The mails of each address in the order of their arrival. A mail that was delivered twice counts once."""

    folder: Path
    _read: set[str] = field(default_factory=set)
    _ids: set[str] = field(default_factory=set)
    _mails: dict[str, list[Mail]] = field(default_factory=lambda: defaultdict(list))

    def of(self, address: str) -> list[Mail]:
        """What has arrived so far."""
        for name in sorted(set(os.listdir(self.folder)) - self._read):
            if name.endswith(".eml"):
                self._read.add(name)
                mail = email.message_from_bytes((self.folder / name).read_bytes(), policy=email.policy.default)
                if mail["Message-ID"] not in self._ids:
                    self._ids.add(mail["Message-ID"])
                    self._mails[mail["To"]].append(Mail(len(self._ids), mail["X-Twofactor-Kind"], text_of(mail)))
        return self._mails[address]


@dataclass
class Environment:
    """``servers`` are STEADY, OTHER and CRASHING; the supervisor of the last one restarts it whenever it exits."""

    servers: Sequence[Server]
    channels: Sequence[grpc.Channel]
    clock: Clock
    mails: MailFolder
    seed: int
    _loop: asyncio.AbstractEventLoop
    _connection: Any

    @property
    def now(self) -> datetime:
        return self.clock.now

    def send(self, method: str, fields: dict[str, Any], server: int = STEADY) -> Answer:
        """Make the call. OVERLOADED means that nothing happened, so the call is made again."""
        while True:
            answer = _answer(self._begin(method, fields, server))
            if answer.reason != "OVERLOADED":
                return answer
            time.sleep(answer.retry_after.total_seconds())

    def send_at_once(self, calls: Sequence[tuple[str, dict[str, Any]]]) -> list[Answer]:
        """Make the calls at the same moment, on STEADY and OTHER in turn."""
        futures = [self._begin(method, fields, number % 2) for number, (method, fields) in enumerate(calls)]
        answers = [_answer(future) for future in futures]
        overloaded = [number for number, answer in enumerate(answers) if answer.reason == "OVERLOADED"]
        for number in overloaded:
            answers[number] = self.send(*calls[number])
        return answers

    def send_and_crash(self, method: str, fields: dict[str, Any], delay: float) -> Answer:
        """Make the call on CRASHING, which crashes at its crash point or is killed after ``delay`` seconds."""
        future = self._begin(method, fields, CRASHING)
        time.sleep(delay)
        for pid in self.servers[CRASHING].worker_pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return _answer(future)

    def facts(self, account_id: str) -> Facts:
        """What the database says, once every mail of the account is delivered."""
        deadline = time.monotonic() + PATIENCE
        overdue = time.monotonic() + 2.0
        while (row := self._fetch(_FACTS, account_id)[0])["waiting_mails"]:
            assert time.monotonic() < deadline, "a mail was not delivered"
            if time.monotonic() > overdue:
                self.clock.advance(_LEASE)
                overdue = deadline
            time.sleep(0.003)
        sessions = {name: frozenset(row[name]) for name in ("opened", "ended")}
        return Facts(**(dict(row) | sessions))

    def events(self, account_id: str) -> Counter[str]:
        """How often the audit trail names each action as a success."""
        return Counter(row["action"] for row in self._fetch(_EVENTS, account_id))

    def _fetch(self, statement: str, account_id: str) -> list[Any]:
        rows: list[Any] = self._loop.run_until_complete(self._connection.fetch(statement, UUID(account_id)))
        return rows

    def _begin(self, name: str, fields: dict[str, Any], server: int) -> Any:
        method = METHODS[name]
        callable_ = self.channels[server].unary_unary(
            path_of(method),
            request_serializer=GetMessageClass(method.input_type).SerializeToString,
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        return callable_.future(GetMessageClass(method.input_type)(**fields), timeout=_TIMEOUT)


def _answer(future: Any) -> Answer:
    try:
        return Answer("", future.result())
    except grpc.RpcError as error:
        refused = refusal_from(error)  # type: ignore[arg-type]
        return Answer(refused.reason or refused.code.name, None, timedelta(seconds=refused.retry_after or 0))


@contextlib.contextmanager
def running_environment(folder: Path, database_url: str, administrator_url: str, seed: int) -> Iterator[Environment]:
    """Start everything; ``seed`` chooses the point at which CRASHING crashes."""
    clock = Clock(folder / "now")
    first = Server(folder / "steady", database_url, clock, workers=1)
    crash_point = {"TWOFACTOR_TEST_CRASH_AT": random.Random(seed).choice(_CRASH_POINTS)}
    loop = asyncio.new_event_loop()
    with contextlib.ExitStack() as stack:
        stack.callback(loop.close)
        first.start()
        stack.callback(first.kill)
        servers = [first, _sharing(first, folder / "other", {}), _sharing(first, folder / "crashing", crash_point)]
        starting = [threading.Thread(target=server.start) for server in servers[1:]]
        for thread in starting:
            thread.start()
        for thread, server in zip(starting, servers[1:], strict=True):
            thread.join()
            stack.callback(server.kill)
        connection = loop.run_until_complete(asyncpg.connect(administrator_url))
        stack.callback(lambda: loop.run_until_complete(connection.close()))
        channels = [stack.enter_context(grpc.insecure_channel(server.address, options=_OPTIONS)) for server in servers]
        yield Environment(servers, channels, clock, MailFolder(folder / "steady" / "mail"), seed, loop, connection)


def _sharing(first: Server, folder: Path, settings: Mapping[str, str]) -> Server:
    """Another server on the same database, with the same keys and mail folder."""
    folder.mkdir()
    return second_server(first, folder, settings=settings)
