"""A small PostgreSQL: statements, row locks, READ COMMITTED, uniqueness. Programs are generators of statements.

A statement sees what is committed when it runs, and its own transaction's writes. What it writes or locks stays
locked until the transaction ends; a second transaction that wants the same row waits, and then sees the newer
version (an UPDATE judges its WHERE again, an INSERT finds the key taken), as PostgreSQL does.
"""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from model.rows import Key, Row, Rows

T = TypeVar("T")
Steps = Generator["Statement", Any, T]
"""A program: yields statements, is sent what each found, returns its result."""


class Violated(Exception):
    """A constraint refused the statement; the transaction can only roll back."""


class Refused(Exception):
    """A refusal that rolls back: nothing is left behind. ``alarm``: it means that the lock failed."""

    def __init__(self, reason: str, *, alarm: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.alarm = alarm


@dataclass(frozen=True, slots=True)
class Read:
    """SELECT by primary key; ``lock``: FOR NO KEY UPDATE."""

    key: Key
    lock: bool = False


@dataclass(frozen=True, slots=True)
class Find:
    """SELECT of every row of a table that answers to ``where``."""

    table: str
    where: Callable[[Key, Any], bool]


@dataclass(frozen=True, slots=True)
class Insert:
    """INSERT. The key is taken: Violated."""

    key: Key
    row: Row


@dataclass(frozen=True, slots=True)
class Update:
    """UPDATE by primary key. Finds the new row, or None if ``where`` did not hold; ``check``: a CHECK constraint."""

    key: Key
    where: Callable[[Any], bool]
    change: Callable[[Any], Row]
    check: Callable[[Any], bool] | None = None


@dataclass(frozen=True, slots=True)
class UpdateAll:
    """UPDATE of every row of a table that answers to ``where``."""

    table: str
    where: Callable[[Key, Any], bool]
    change: Callable[[Key, Any], Row]


Statement = Read | Find | Insert | Update | UpdateAll


class Opened(NamedTuple):
    """An open transaction: what it has locked, and what it has written."""

    locks: frozenset[Key] = frozenset()
    writes: tuple[tuple[Key, Row], ...] = ()


def wanted(statement: Statement, seen: Mapping[Key, Row]) -> frozenset[Key]:
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
    """Run the statement on what its transaction sees: what it found, and what it wrote. Raises Violated."""
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


def run(program: Steps[T], rows: Rows) -> tuple[T, Rows]:
    """Run a whole program as one transaction with nothing between its statements; the rows once it has committed.

    Raises Refused and Violated, with nothing written. That nothing comes between is what a lock taken by the first
    statement brings about: the explorer checks that too, by running small scenarios statement by statement.
    """
    seen = rows.copy()
    changed: dict[Key, Row] = {}
    try:
        statement = next(program)
        while True:
            try:
                found, writes = execute(statement, seen)
            except Violated as violated:
                statement = program.throw(violated)
                continue
            seen |= writes
            changed |= writes
            statement = program.send(found)
    except StopIteration as stop:
        result: T = stop.value
        return result, rows.written(changed)


def replay(program: Steps[T], log: tuple[Any, ...]) -> tuple[Statement | None, T | None]:
    """Bring a program to where it stands after ``log``: its next statement, or (None, its result).

    Programs are run again from the start for each statement, because a generator cannot be copied and a state must
    be. Raises Refused and Violated, as the program does.
    """
    try:
        statement: Statement = next(program)
        for found in log:
            statement = program.throw(Violated()) if found is Violated else program.send(found)
    except StopIteration as stop:
        return None, stop.value
    return statement, None
