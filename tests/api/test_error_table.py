"""The table from refusals to gRPC statuses matches the contract."""

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from google.rpc import error_details_pb2

from twofactor.v1 import error_reason_pb2
from twofactor_server.api.errors import TABLE, status_of
from twofactor_server.domain.refusals import Reason, Refusal

LATER = {"SELF_APPROVAL", "RECOVERY_NOT_FOUND", "RECOVERY_NOT_READY", "RECOVERY_CLOSED"}
"""Reasons of what this version does not have yet."""


def names() -> set[str]:
    """The contract's reasons without their prefix."""
    return {name.removeprefix("ERROR_REASON_") for name in error_reason_pb2.ErrorReason.keys()} - {"UNSPECIFIED"}  # noqa: SIM118


def test_domain_and_contract_have_the_same_reasons() -> None:
    """The contract has more only for later versions."""
    ours = {reason.value for reason in Reason}
    assert names() - ours == LATER | {"INTERNAL"}
    assert ours <= names()
    assert all(reason.name == reason.value for reason in Reason)


def test_every_reason_has_a_row() -> None:
    assert set(TABLE) == set(Reason)


@pytest.mark.parametrize("reason", list(Reason))
def test_status_codes_match_the_contract(repository: Path, reason: Reason) -> None:
    """ "The status code is the first word of each comment" of ErrorReason."""
    text = (repository / "proto/twofactor/v1/error_reason.proto").read_text()
    comments = re.findall(r"((?:^ +//.*\n)+) +ERROR_REASON_(\w+) = \d+;", text, re.MULTILINE)
    promised = {name: comment.split("//")[1].split(":")[0].strip() for comment, name in comments}
    assert TABLE[reason][0].name == promised[reason.name]


@pytest.mark.parametrize("reason", list(Reason))
def test_content_of_a_status(reason: Reason) -> None:
    """ErrorInfo with domain and reason, the fixed text of the reason, and details under 4 KiB."""
    east = datetime(2026, 3, 1, 1, 30, 15, 999999, tzinfo=timezone(timedelta(hours=5)))
    refusal = Refusal(
        reason, field="reauthentication.oidc.authorization_code", rule="r" * 100,
        retry_after=timedelta(seconds=90.25), used_at=east, attempts_left=4, active_method="AUTHENTICATOR",
    )  # fmt: skip
    status = status_of(refusal)
    code, message = TABLE[reason]
    assert (status.code, status.message) == (code.value[0], message)
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    assert status.details[0].Unpack(info)
    assert (info.reason, info.domain) == (reason.value, "twofactor")
    assert info.metadata["used_at"] == "2026-02-28T20:30:15Z"
    assert info.metadata["attempts_left"] == "4"
    assert status.details[-1].Unpack(retry)
    assert retry.retry_delay.ToTimedelta() == timedelta(seconds=90.25)
    assert status.ByteSize() < 4096
