"""The suite itself: it covers the contract, and a driver that does otherwise is found out."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from clients.conformance.case import BadCase, all_cases
from clients.conformance.contract import METHODS, NotOfTheContract, whole
from clients.conformance.driver import DriverFailed, driving
from clients.conformance.made import REASONS
from clients.conformance.matching import MISSING, differences, filled
from tests.clients_python.floors import floors
from twofactor.v1 import error_reason_pb2


def steps_of(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step in steps:
        yield step
        yield from steps_of(step.get("steps", []) if "repeat" in step else [])


def test_every_method_is_called_in_some_case() -> None:
    written = [case for case in all_cases() if case.file != "made"]
    assert {step["call"] for case in written for step in steps_of(case.steps) if "call" in step} == set(METHODS)


def test_the_table_of_reasons_is_that_of_the_contract() -> None:
    rows = yaml.safe_load(REASONS.read_text())
    reasons = {
        name.removeprefix("ERROR_REASON_") for name in error_reason_pb2.ErrorReason.DESCRIPTOR.values_by_name
    } - {"UNSPECIFIED"}
    assert {row["reason"] for row in rows} == reasons


@pytest.mark.parametrize(
    ("expected", "got"),
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
        ("there", MISSING),
    ],
)
def test_what_differs_is_found(expected: object, got: object) -> None:
    assert list(differences(expected, got))


def test_what_is_as_expected_is_not_found() -> None:
    expected = {"a": "<any>", "b": [{"c": "<1..5>"}], "d": "<absent>", "e": "<backup code>"}
    assert list(differences(expected, {"a": "x", "b": [{"c": 5, "more": 1}], "e": "abcd 1234 ef56 7890"})) == []


def test_variables_are_put_in() -> None:
    known = {"code": 7, "name": "ada"}
    assert filled({"a": "$code", "b": ["$name-x"], "c": 1}, known) == {"a": 7, "b": ["ada-x"], "c": 1}
    with pytest.raises(KeyError):
        filled("$nobody", known)


def test_a_response_with_other_names_than_the_contract_is_none() -> None:
    for fields in ({"challengeToken": "x"}, {"nothing": 1}, {"challenge": {"attemptsLeft": 1}}):
        with pytest.raises(NotOfTheContract):
            whole("StartSignIn", fields)


@pytest.mark.parametrize("case", ["{case: a, steps: [{call: X, wiht: {}}]}", "{case: a, gievn: b, steps: []}"])
def test_a_case_with_a_misspelt_word_is_refused(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clients.conformance.case.CASES", tmp_path)
    (tmp_path / "one.yaml").write_text(f"- {case}\n")
    with pytest.raises(BadCase):
        all_cases(tmp_path / ".")


@pytest.mark.parametrize("program", ["", "print('not JSON')", "print('[]')"])
async def test_a_driver_that_says_nothing_of_use_is_told_of(program: str, tmp_path: Path) -> None:
    async with driving([sys.executable, "-c", program], tmp_path) as driver:
        with pytest.raises(DriverFailed):
            await driver.ask(op="connect", address="127.0.0.1:1")


def test_the_floors_can_be_read() -> None:
    assert [pin.partition("==")[0] for pin in floors()] == ["googleapis-common-protos", "grpcio", "protobuf"]
