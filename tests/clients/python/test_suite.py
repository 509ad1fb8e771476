"""The conformance suite itself: it covers the contract, and it detects wrong responses and failing drivers."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from clients.conformance.case import InvalidCaseError, all_cases, read_cases
from clients.conformance.contract import METHODS, ContractMismatch, normalise_response
from clients.conformance.driver import DriverFailed, start_driver
from clients.conformance.generated_cases import REASONS
from clients.conformance.matching import MISSING, differences, substitute
from tests.clients.python.minimum_versions import minimum_versions
from twofactor.v1 import error_reason_pb2


def flatten(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step in steps:
        yield step
        yield from flatten(step["steps"] if "repeat" in step else [])


def test_every_method_is_called_by_a_written_case() -> None:
    written = [case for case in all_cases() if case.file != "generated"]
    called = {step["call"] for case in written for step in flatten(case.steps) if "call" in step}
    assert called == set(METHODS)


def test_reasons_table_covers_the_contract() -> None:
    rows = yaml.safe_load(REASONS.read_text())
    reasons = {
        name.removeprefix("ERROR_REASON_") for name in error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name
    } - {"UNSPECIFIED"}
    assert {row["reason"] for row in rows} == reasons


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ({"a": 1}, {"a": 2}),
        ({"a": 1}, {"a": True}),
        ({"a": 1}, {}),
        ({"a": "<absent>"}, {"a": ""}),
        ({"a": "<any>"}, {"a": ""}),
        ({"a": "<uuid4>"}, {"a": "f2033512-6d64-53e7-adf0-f759b2b50235"}),
        ({"a": "<1..5>"}, {"a": 6}),
        ({"a": "<1..5>"}, {"a": None}),
        ({"a": "<regex x+>"}, {"a": "xy"}),
        ({"a": []}, {"a": ["more"]}),
        ({"a": {"b": 1}}, {"a": None}),
        ("present", MISSING),
    ],
)
def test_differences_are_reported(expected: object, actual: object) -> None:
    assert list(differences(expected, actual))


def test_matching_values_have_no_differences() -> None:
    expected = {"a": "<any>", "b": [{"c": "<1..5>"}], "d": "<absent>", "e": "<backup code>"}
    assert list(differences(expected, {"a": "x", "b": [{"c": 5, "more": 1}], "e": "abcd 1234 ef56 7890"})) == []


def test_variables_are_substituted() -> None:
    variables = {"code": 7, "name": "ada"}
    assert substitute({"a": "$code", "b": ["$name-x"], "c": 1}, variables) == {"a": 7, "b": ["ada-x"], "c": 1}
    with pytest.raises(KeyError):
        substitute("$undefined", variables)


@pytest.mark.parametrize("fields", [{"challengeToken": "x"}, {"unknown": 1}, {"challenge": {"attemptsLeft": 1}}])
def test_response_with_field_names_outside_the_contract_is_rejected(fields: dict[str, Any]) -> None:
    with pytest.raises(ContractMismatch):
        normalise_response("StartSignIn", fields)


@pytest.mark.parametrize(
    "case",
    [
        "{name: a, steps: [{call: X, reqeust: {}}]}",
        "{name: a, steps: [{repeat: 2, steps: [{call: X, reqeust: {}}]}]}",
        "{name: a, precodnition: b, steps: []}",
    ],
)
def test_case_with_a_misspelt_key_is_rejected(case: str, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(f"- {case}\n")
    with pytest.raises(InvalidCaseError):
        read_cases(tmp_path)


@pytest.mark.parametrize("program", ["", "print('not JSON')", "print('[]')"])
async def test_driver_that_does_not_reply_properly_is_reported(program: str, tmp_path: Path) -> None:
    async with start_driver([sys.executable, "-c", program], tmp_path) as driver:
        with pytest.raises(DriverFailed):
            await driver.ask(op="connect", address="127.0.0.1:1")


def test_every_dependency_declares_a_minimum_version() -> None:
    assert minimum_versions().keys() == {"googleapis-common-protos", "grpcio", "protobuf"}
