"""A small PostgreSQL: statements, row locks, READ COMMITTED, uniqueness. A transaction is a generator of statements.

A statement sees what is committed when it runs, and its own transaction's writes. Rows that it writes or locks stay
locked until the transaction ends. A second transaction that needs such a row waits and then sees the newer version: an
UPDATE evaluates its WHERE again, an INSERT finds the key taken, as in PostgreSQL.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from model.rows import Key, Row, Rows, describe_key, describe_row

T = TypeVar("T")
Steps = Generator["Statement", Any, T]
"""A transaction: yields statements, is sent the result of each, returns its own result."""


class Violated(Exception):
    """A statement violated a constraint; the transaction can only roll back."""


class Refused(Exception):
    """A refusal that rolls back. ``alarm``: it proves that the row lock failed."""

    def __init__(self, reason: str, *, alarm: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.alarm = alarm


@dataclass(frozen=True, slots=True)
class Read:
    """SELECT by primary key; ``lock``: FOR NO KEY UPDATE. Returns the row or None."""

    key: Key
    lock: bool = False

    def __str__(self) -> str:
        return f"SELECT {describe_key(self.key)}" + (" FOR NO KEY UPDATE" if self.lock else "")


@dataclass(frozen=True, slots=True)
class Find:
    """SELECT of every row of a table for which ``where`` holds. Returns pairs of key and row."""

    table: str
    where: Callable[[Key, Any], bool]

    def __str__(self) -> str:
        return f"SELECT FROM {self.table}"


@dataclass(frozen=True, slots=True)
class Insert:
    """INSERT. Violated if the key is taken."""

    key: Key
    row: Row

    def __str__(self) -> str:
        return f"INSERT {describe_key(self.key)}"


@dataclass(frozen=True, slots=True)
class Update:
    """UPDATE by primary key. Returns the new row, or None if ``where`` did not hold; ``check``: a CHECK constraint."""

    key: Key
    where: Callable[[Any], bool]
    change: Callable[[Any], Row]
    check: Callable[[Any], bool] | None = None

    def __str__(self) -> str:
        return f"UPDATE {describe_key(self.key)}"


@dataclass(frozen=True, slots=True)
class UpdateAll:
    """UPDATE of every row of a table for which ``where`` holds. Returns how many."""

    table: str
    where: Callable[[Key, Any], bool]
    change: Callable[[Key, Any], Row]

    def __str__(self) -> str:
        return f"UPDATE {self.table}"


Statement = Read | Find | Insert | Update | UpdateAll


class Opened(NamedTuple):
    """An open transaction: what it has locked, and what it has written."""

    locks: frozenset[Key] = frozenset()
    writes: tuple[tuple[Key, Row], ...] = ()


def needed_locks(statement: Statement, seen: Mapping[Key, Row]) -> frozenset[Key]:
    """The rows that the statement has to lock before it can run."""
    match statement:
        case Read(key, lock):
            return frozenset((key,)) if lock else frozenset()
        case Find():
            return frozenset()
        case Insert(key, _) | Update(key, _, _, _):
            return frozenset((key,))
        case UpdateAll(table, where, _):
            return frozenset(key for key, row in seen.items() if key[0] == table and where(key, row))


def execute(statement: Statement, seen: dict[Key, Row]) -> tuple[Any, dict[Key, Row]]:
    """Run the statement on the rows its transaction sees: its result, and its writes. Raises Violated."""
    match statement:
        case Read(key, _):
            return seen.get(key), {}
        case Find(table, where):
            return tuple((key, row) for key, row in seen.items() if key[0] == table and where(key, row)), {}
        case Insert(key, row):
            if key in seen:
                raise Violated
            return None, {key: row}
        case Update(key, holds, change, check):
            old = seen.get(key)
            if old is None or not holds(old):
                return None, {}
            new = change(old)
            if check is not None and not check(new):
                raise Violated
            return new, {key: new}
        case UpdateAll(table, where, change_each):
            changed = {k: change_each(k, row) for k, row in seen.items() if k[0] == table and where(k, row)}
            return len(changed), changed


def describe_executed(statement: Statement, found: Any) -> str:
    """The statement and its result, on one line."""
    if found is Violated:
        return f"{statement}: constraint violated"
    match statement:
        case Read():
            return f"{statement}: {'no row' if found is None else describe_row(found)}"
        case Find():
            return f"{statement}: {len(found)} rows"
        case Insert(_, row):
            return f"{statement} ({describe_row(row)})"
        case Update():
            return f"{statement}: {'no row matches' if found is None else describe_row(found)}"
        case UpdateAll():
            return f"{statement}: {found} rows"


def run(transaction: Steps[T], rows: Rows) -> tuple[T, Rows]:
    """Run a whole transaction with nothing between its statements: its result, and the rows once it has committed.

    Raises Refused and Violated, with nothing written. A lock taken by the first statement justifies running it as one
    step; the explorer checks this as well, by running small scenarios statement by statement.
    """
    seen = rows.copy()
    changed: dict[Key, Row] = {}
    try:
        statement = next(transaction)
        while True:
            try:
                found, writes = execute(statement, seen)
            except Violated as violated:
                statement = transaction.throw(violated)
                continue
            seen |= writes
            changed |= writes
            statement = transaction.send(found)
    except StopIteration as stop:
        result: T = stop.value
        return result, rows.with_writes(changed)


def replay(transaction: Steps[T], log: tuple[Any, ...]) -> tuple[Statement | None, T | None]:
    """Advance a new transaction past the results in ``log``: its next statement, or (None, its result).

    A state must be copied and a generator cannot be, so every statement replays its transaction from the start. Raises
    Refused and Violated, as the transaction does.
    """
    try:
        statement: Statement = next(transaction)
        for found in log:
            statement = transaction.throw(Violated()) if found is Violated else transaction.send(found)
    except StopIteration as stop:
        return None, stop.value
    return statement, None
