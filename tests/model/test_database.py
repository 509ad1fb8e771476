"""The model's small PostgreSQL behaves like the real one where the protocol relies on it."""

from collections.abc import Sequence
from typing import Any

import pytest

from model.database import Find, Insert, Read, Steps, Update, UpdateAll, Violated, execute, needed_locks, replay, run
from model.rows import ACCOUNT, FACTOR, Account, Factor, Key, Row, Rows, Spent, generation_of

FIRST = Factor("authenticator", 1, "1")
ROWS: dict[Key, Row] = {FACTOR: FIRST, ACCOUNT: Account()}


def _next(row: Factor) -> Factor:
    return row._replace(generation=row.generation + 1)


def test_equal_contents_are_one_object() -> None:
    assert Rows.of(ROWS) is Rows.of(dict(reversed(ROWS.items())))
    assert Rows.of(ROWS).with_writes({}) is Rows.of(ROWS)


def test_only_a_locking_read_needs_the_lock() -> None:
    assert needed_locks(Read(FACTOR, lock=True), ROWS) == {FACTOR}
    assert needed_locks(Read(FACTOR), ROWS) == set()


def test_update_of_many_locks_the_matching_rows() -> None:
    statement = UpdateAll("second_factors", lambda _, row: row.generation == 1, lambda _, row: _next(row))

    assert needed_locks(statement, ROWS) == {FACTOR}
    assert execute(statement, dict(ROWS)) == (1, {FACTOR: _next(FIRST)})


def test_update_without_a_match_changes_nothing() -> None:
    assert execute(Update(FACTOR, lambda row: row.generation == 2, _next), dict(ROWS)) == (None, {})


def test_check_constraint_is_enforced() -> None:
    with pytest.raises(Violated):
        execute(Update(FACTOR, lambda _: True, _next, lambda row: row.generation < 2), dict(ROWS))


def test_primary_key_is_unique() -> None:
    key: Key = ("spent_backup_codes", 1)
    seen = dict(ROWS) | {key: Spent("1")}

    with pytest.raises(Violated):
        execute(Insert(key, Spent("1")), seen)


def _transaction() -> Steps[int]:
    """Spend generation 1 twice, catch the violation, and count the spent codes."""
    yield Insert(("spent_backup_codes", 1), Spent("1"))
    try:
        yield Insert(("spent_backup_codes", 1), Spent("1"))
    except Violated:
        yield Update(FACTOR, lambda _: True, _next)
    found: Sequence[Any] = yield Find("spent_backup_codes", lambda _, __: True)
    return len(found)


def test_transaction_sees_its_own_writes() -> None:
    result, committed = run(_transaction(), Rows.of(ROWS))

    assert result == 1
    assert committed.get(FACTOR).generation == 2
    assert Rows.of(ROWS).get(FACTOR).generation == 1


def test_replay_resumes_a_transaction() -> None:
    statement, _ = replay(_transaction(), (None, Violated))
    finished, result = replay(_transaction(), (None, Violated, FIRST, (1, 2, 3)))

    assert isinstance(statement, Update)
    assert (finished, result) == (None, 3)


@pytest.mark.parametrize(("code", "generation"), [("1", 1), ("2a", 2), ("12b''", 12), ("guess-5", 0)])
def test_generation_of_a_code(code: str, generation: int) -> None:
    assert generation_of(code) == generation
