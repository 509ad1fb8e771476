"""What a caller sees of a bug, of a database that is gone, and of time that ran out: a status, and no more."""

import asyncio
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from google.rpc.status_pb2 import Status

from tests.api.inside import FailingDatabase, Inside, serving_inside
from tests.api.requests import METHODS, Refusal, filled, raw, send, values_of
from tests.people import Person
from tests.refusals import refusal
from tests.servers import Clock
from twofactor_server.api import calls
from twofactor_server.domain.refusals import Reason
from twofactor_server.domain.refusals import Refusal as Refused
from twofactor_server.storage.database import Database

SECRET = "hunter2-in-an-exception"
SOMEBODY = values_of(
    Person("somebody@example.test", "5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a001", session_token=f"tfs_{'A' * 64}"),
    f"tfc_{'A' * 64}",
    "5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a002",
)


async def refusal_of(inside: Inside, method: str) -> grpc.aio.AioRpcError:
    error = await send(inside.channel, method, filled(method, SOMEBODY).SerializeToString())
    assert isinstance(error, grpc.aio.AioRpcError), method
    return error


@pytest_asyncio.fixture
async def broken(tmp_path: Path, clock: Clock) -> AsyncIterator[Inside]:
    """A server with a bug behind every method."""
    error = ValueError(f"something with {SECRET} in it")
    async with serving_inside(tmp_path, clock, FailingDatabase(error)) as inside:
        yield inside


async def test_a_bug_is_told_by_an_id_only(broken: Inside, caplog: pytest.LogCaptureFixture) -> None:
    """ "A bug: INTERNAL, a call id that is in the log, nothing else": no exception's text ever reaches a caller."""
    for method in METHODS:
        with caplog.at_level(logging.INFO):
            error = await refusal_of(broken, method)
        sent: Refusal = raw(error)
        assert sent.code == grpc.StatusCode.INTERNAL, method
        assert SECRET.encode() not in sent.everything
        assert "ValueError" not in sent.message
        said = refusal(error)
        assert said.reason == "INTERNAL"
        assert set(said.metadata) == {"call_id"}
        assert re.fullmatch("[0-9a-f]{32}", said.metadata["call_id"])
        assert f"call {said.metadata['call_id']} failed" in caplog.text
        trailer = sent.trailers["grpc-status-details-bin"]
        assert isinstance(trailer, bytes)
        assert len(Status.FromString(trailer).details) == 1
        assert sent.trailers.keys() == {"grpc-status-details-bin"}


async def test_every_call_leaves_one_line_without_its_content(broken: Inside, caplog: pytest.LogCaptureFixture) -> None:
    """The log names the method, how it came out, and the call's id; nothing of the request."""
    with caplog.at_level(logging.INFO):
        await refusal_of(broken, "UseBackupCode")
        # The line is written when the call is over, which the client may learn first.
        async with asyncio.timeout(5):
            while not (lines := [one for one in caplog.messages if one.startswith("UseBackupCode")]):
                await asyncio.sleep(0.01)
    (line,) = lines
    assert re.fullmatch(r"UseBackupCode ValueError \d+ ms call=[0-9a-f]{32}", line)
    for value in (SOMEBODY["challenge_token"], SOMEBODY["backup_code"], SOMEBODY["email"], SOMEBODY["password"]):
        assert value not in caplog.text


async def test_a_database_that_is_gone(tmp_path: Path, clock: Clock) -> None:
    """ "Database down: UNAVAILABLE, DEPENDENCY_UNAVAILABLE, RetryInfo"."""
    database = Database("postgresql://nobody@127.0.0.1:1/nothing")
    async with serving_inside(tmp_path, clock, database) as inside:
        for method in METHODS:
            said = refusal(await refusal_of(inside, method))
            assert (said.code, said.reason) == (grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE"), method
            assert said.retry_after == 1
            assert (said.metadata, said.fields) == ({}, ())
    await database.close()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused(Reason.CONFLICT), grpc.StatusCode.ABORTED),
        (asyncio.CancelledError(), grpc.StatusCode.UNAVAILABLE),
        (TimeoutError(), grpc.StatusCode.UNAVAILABLE),
    ],
    ids=["conflict", "cancelled", "timed out"],
)
async def test_what_ends_a_call_from_below(
    tmp_path: Path, clock: Clock, error: BaseException, code: grpc.StatusCode
) -> None:
    """A conflict, a cancel of our own, an inner time-out: a status at once, never silence, never UNKNOWN."""
    async with serving_inside(tmp_path, clock, FailingDatabase(error)) as inside:
        said = refusal(await refusal_of(inside, "GetTwoFactor"))
        assert said.code == code
        assert said.reason == ("CONFLICT" if code is grpc.StatusCode.ABORTED else "DEPENDENCY_UNAVAILABLE")
        if code is grpc.StatusCode.UNAVAILABLE:
            assert said.retry_after is not None, "DEPENDENCY_UNAVAILABLE says when to repeat"


async def test_the_cap_holds_without_a_deadline(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """ "The server caps calls without a deadline": past it the outcome is unknown, and RetryInfo says when to ask."""

    class StuckDatabase(FailingDatabase):
        async def read(self, work: object) -> None:  # type: ignore[override]
            await asyncio.Event().wait()

    monkeypatch.setattr(calls, "DEADLINE_CAP", 0.1)
    async with serving_inside(tmp_path, clock, StuckDatabase(ValueError())) as inside:
        said = refusal(await refusal_of(inside, "GetTwoFactor"))
        assert (said.code, said.reason) == (grpc.StatusCode.UNAVAILABLE, "DEPENDENCY_UNAVAILABLE")
        assert said.retry_after is not None
