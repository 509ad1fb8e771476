"""The model's small PostgreSQL behaves like the real one where the protocol leans on it."""

from collections.abc import Sequence
from typing import Any

import pytest

from model.database import Find, Insert, Read, Steps, Update, UpdateAll, Violated, execute, replay, run, wanted
from model.rows import ACCOUNT, FACTOR, Account, Factor, Key, Row, Rows, Spent, generation_of

FIRST = Factor("authenticator", 1, "1")
ROWS: dict[Key, Row] = {FACTOR: FIRST, ACCOUNT: Account()}


def _next(row: Factor) -> Factor:
    return row._replace(generation=row.generation + 1)


def test_equal_contents_are_one_object() -> None:
    assert Rows.of(ROWS) is Rows.of(dict(reversed(ROWS.items())))
    assert Rows.of(ROWS).written({}) is Rows.of(ROWS)


def test_a_locking_read_wants_the_row_and_a_plain_one_does_not() -> None:
    assert wanted(Read(FACTOR, lock=True), ROWS) == {FACTOR}
    assert wanted(Read(FACTOR), ROWS) == set()


def test_an_update_of_many_wants_those_that_answer_to_it() -> None:
    statement = UpdateAll("second_factors", lambda _, row: row.generation == 1, lambda _, row: _next(row))

    assert wanted(statement, ROWS) == {FACTOR}
    assert execute(statement, dict(ROWS)) == (1, {FACTOR: _next(FIRST)})


def test_a_guard_that_does_not_hold_changes_no_row() -> None:
    assert execute(Update(FACTOR, lambda row: row.generation == 2, _next), dict(ROWS)) == (None, {})


def test_a_check_constraint_refuses() -> None:
    with pytest.raises(Violated):
        execute(Update(FACTOR, lambda _: True, _next, lambda row: row.generation < 2), dict(ROWS))


def test_a_key_is_given_once() -> None:
    key: Key = ("spent_backup_codes", 1)
    seen = dict(ROWS) | {key: Spent("1")}

    with pytest.raises(Violated):
        execute(Insert(key, Spent("1")), seen)


def _program() -> Steps[int]:
    """Spend generation 1 twice, notice, and count what was spent."""
    yield Insert(("spent_backup_codes", 1), Spent("1"))
    try:
        yield Insert(("spent_backup_codes", 1), Spent("1"))
    except Violated:
        yield Update(FACTOR, lambda _: True, _next)
    found: Sequence[Any] = yield Find("spent_backup_codes", lambda _, __: True)
    return len(found)


def test_a_transaction_sees_what_it_wrote() -> None:
    result, committed = run(_program(), Rows.of(ROWS))

    assert result == 1
    assert committed.get(FACTOR).generation == 2
    assert Rows.of(ROWS).get(FACTOR).generation == 1


def test_a_program_is_brought_back_to_where_it_stood() -> None:
    statement, _ = replay(_program(), (None, Violated))
    finished, result = replay(_program(), (None, Violated, FIRST, (1, 2, 3)))

    assert isinstance(statement, Update)
    assert (finished, result) == (None, 3)


@pytest.mark.parametrize(("code", "generation"), [("1", 1), ("2a", 2), ("12b''", 12), ("guess-5", 0)])
def test_a_code_tells_its_generation(code: str, generation: int) -> None:
    assert generation_of(code) == generation
