"""SQLAlchemy Core statements, compiled once to SQL text that asyncpg executes.

Core is the language in which statements are written and checked against the schema. What it does at each execution
(cursors, result objects, greenlets) costs several times the driver's own work and is left out. Values are Python's own
types on both sides: UUID, datetime, bytes, str, int, and JSON by a codec of the connection.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from sqlalchemy import BindParameter, ClauseElement, Table, bindparam
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.dialects.postgresql.asyncpg import dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

_DIALECT = dialect()  # type: ignore[no-untyped-call]
_PREFIX = "p_"


def param(name: str, type_: TypeEngine[Any] | None = None) -> BindParameter[Any]:
    """A parameter that ``Transaction`` is given as ``name=…``.

    SQLAlchemy reserves the names of a table's columns in an UPDATE, so the bind parameter carries a prefix. The type
    comes from what the parameter is compared with or assigned to; name it only where there is no such thing.
    """
    return bindparam(_PREFIX + name, type_=type_)


def insert_row(table: Table, *, omit: tuple[str, ...] = ()) -> Insert:
    """An INSERT of one row with a parameter for each column but ``omit``, which take their defaults."""
    names = [column.name for column in table.columns if column.name not in omit]
    return insert(table).values({name: param(name) for name in names}).inline()


def values_of(record: Any) -> dict[str, Any]:
    """The fields of a slotted dataclass, for a statement whose parameters have the same names."""
    return {name: getattr(record, name) for name in record.__slots__}


class Statement:
    """One statement: ``sql`` with ``$1``, ``$2`` …, and the order in which its values stand there.

    Compiled at first use, so that importing a module costs nothing. An ``in_`` list is not supported: its length would
    be part of the SQL. Compare with ``any_`` of one array parameter instead.
    """

    def __init__(self, clause: ClauseElement) -> None:
        self._clause = clause

    @cached_property
    def sql(self) -> str:
        """The text for asyncpg."""
        return str(self._compiled)

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the driver's order. A missing value: KeyError. Values without a parameter are ignored."""
        return [fixed if name is None else values[name] for name, fixed in self._order]

    @cached_property
    def _compiled(self) -> SQLCompiler:
        compiled = self._clause.compile(dialect=_DIALECT)
        assert isinstance(compiled, SQLCompiler)  # noqa: S101 - the dialect's compiler is one; for the type checker
        return compiled

    @cached_property
    def _order(self) -> list[tuple[str | None, Any]]:
        """For each placeholder the name of the caller's value, or None and the value that the statement fixes."""
        order: list[tuple[str | None, Any]] = []
        for name in self._compiled.positiontup or ():
            if self._compiled.binds[name].required:
                order.append((name.removeprefix(_PREFIX), None))
            else:
                order.append((None, self._compiled.params[name]))
        return order
