"""Statuses for bugs, an unavailable database, and exceeded deadlines."""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from google.rpc.status_pb2 import Status

from tests.api.requests import filled, refusal_of, values_of
from tests.support.clock import Clock
from tests.support.factories import Owner
from tests.support.in_process_server import FailingDatabase, InProcessServer, in_process_server
from tests.support.rpc import METHODS, Refused
from twofactor_server.api import interceptors
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.storage.database import Database

SECRET = "hunter2-in-an-exception"
EXAMPLE = values_of(
    Owner("somebody@example.test", "5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a001", session_token=f"tfs_{'A' * 64}"),
    f"tfc_{'A' * 64}",
    "5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a002",
)


async def refusal_by(inside: InProcessServer, method: str) -> Refused:
    return await refusal_of(inside.channel, method, filled(method, EXAMPLE).SerializeToString())


@pytest_asyncio.fixture
async def broken(tmp_path: Path, clock: Clock) -> AsyncIterator[InProcessServer]:
    """A server with a bug behind every method."""
    error = ValueError(f"something with {SECRET} in it")
    async with in_process_server(tmp_path, clock, FailingDatabase(error)) as inside:
        yield inside


DATABASE_METHODS = [method for method in METHODS if method != "LinkIdentity"]
"""LinkIdentity is refused before: this server has no identity providers."""


async def test_a_bug_is_answered_with_a_call_id(broken: InProcessServer, caplog: pytest.LogCaptureFixture) -> None:
    """ "A bug: INTERNAL, a call id that is in the log, nothing else": the text of an exception is never sent."""
    for method in DATABASE_METHODS:
        with caplog.at_level(logging.INFO):
            sent = await refusal_by(broken, method)
        assert sent.code == grpc.StatusCode.INTERNAL, method
        assert SECRET.encode() not in sent.content
        assert "ValueError" not in sent.message
        assert sent.reason == "INTERNAL"
        assert set(sent.metadata) == {"call_id"}
        assert re.fullmatch("[0-9a-f]{32}", sent.metadata["call_id"])
        assert f"call {sent.metadata['call_id']} failed" in caplog.text
        trailer = sent.trailers["grpc-status-details-bin"]
        assert isinstance(trailer, bytes)
        assert len(Status.FromString(trailer).details) == 1
        assert sent.trailers.keys() == {"grpc-status-details-bin"}


async def test_every_call_logs_one_line(broken: InProcessServer, caplog: pytest.LogCaptureFixture) -> None:
    """The line has the method, the outcome and the call id, and nothing of the request."""
    with caplog.at_level(logging.INFO):
        await refusal_by(broken, "UseBackupCode")
        # The line is written after the client has received the answer.
        async with asyncio.timeout(5):
            while not (lines := [one for one in caplog.messages if one.startswith("UseBackupCode")]):
                await asyncio.sleep(0.01)
    (line,) = lines
    assert re.fullmatch(r"UseBackupCode ValueError \d+ ms call=[0-9a-f]{32}", line)
    for value in (EXAMPLE["challenge_token"], EXAMPLE["backup_code"], EXAMPLE["email"], EXAMPLE["password"]):
        assert value not in caplog.text


async def test_an_unavailable_database(tmp_path: Path, clock: Clock) -> None:
    """ "Database down: UNAVAILABLE, DEPENDENCY_UNAVAILABLE, RetryInfo"."""
    database = Database("postgresql://nobody@127.0.0.1:1/nothing")
    async with in_process_server(tmp_path, clock, database) as inside:
        for method in DATABASE_METHODS:
            refusal = await refusal_by(inside, method)
            assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE"), method
            assert refusal.retry_after == 1
            assert (refusal.metadata, refusal.fields) == ({}, ())
    await database.close()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refusal(Reason.CONFLICT), grpc.StatusCode.ABORTED),
        (asyncio.CancelledError(), grpc.StatusCode.UNAVAILABLE),
        (TimeoutError(), grpc.StatusCode.UNAVAILABLE),
    ],
    ids=["conflict", "cancelled", "timed out"],
)
async def test_exceptions_below_the_handlers(
    tmp_path: Path, clock: Clock, error: BaseException, code: grpc.StatusCode
) -> None:
    """A conflict, an internal cancel and an internal timeout are answered at once, never with UNKNOWN."""
    async with in_process_server(tmp_path, clock, FailingDatabase(error)) as inside:
        refusal = await refusal_by(inside, "GetTwoFactor")
        assert refusal.code == code
        assert refusal.reason == ("CONFLICT" if code is grpc.StatusCode.ABORTED else "DEPENDENCY_UNAVAILABLE")
        if code is grpc.StatusCode.UNAVAILABLE:
            assert refusal.retry_after is not None, "DEPENDENCY_UNAVAILABLE says when to repeat"


async def test_calls_without_a_deadline_are_limited(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "The server caps calls without a deadline": the outcome is unknown, and RetryInfo has the retry delay."""

    class StuckDatabase(FailingDatabase):
        @contextlib.asynccontextmanager
        async def reading(self) -> AsyncIterator[None]:  # type: ignore[override]
            await asyncio.Event().wait()
            yield

    monkeypatch.setattr(interceptors, "MAX_CALL_SECONDS", 0.1)
    async with in_process_server(tmp_path, clock, StuckDatabase(ValueError())) as inside:
        refusal = await refusal_by(inside, "GetTwoFactor")
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
        assert refusal.retry_after is not None
