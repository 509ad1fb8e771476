"""Plain words for single statements, where a story hangs on what came between them."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from model.database import Find, Insert, Read, Statement, Update, UpdateAll, Violated
from model.rows import FACTOR, Key


def in_words(statements: Iterable[tuple[Statement, Any]]) -> list[str]:
    """The statements in order, with what they found; like ones that follow each other are said together."""
    told = [_in_words(statement, found) for statement, found in statements]
    together = groupby((pair for pair in told if pair is not None), key=lambda pair: pair[0])
    return [f"{verb} {', '.join(what for _, what in group)}" for verb, group in together]


def _in_words(statement: Statement, found: Any) -> tuple[str, str] | None:
    match statement:
        case Read(key, lock):
            return "locks and reads" if lock else "reads", f"{_row(key)} ({_state(key, found)})"
        case Find(table):
            return "reads", f"{table} ({'nothing' if not found else len(found)})"
        case Insert(key) | Update(key) if found is Violated:
            return "may not write", str(key[0])
        case Insert(key):
            return "writes", str(key[0])
        case Update(key):
            return ("finds no more", _row(key)) if found is None else ("writes", _row(key))
        case UpdateAll(table):
            return ("writes", table) if found else None


def _row(key: Key) -> str:
    return f"{key[0]} {key[1]}" if len(key) > 1 and isinstance(key[1], int) else str(key[0])


def _state(key: Key, row: Any) -> str:
    if row is None:
        return "nothing"
    if key == FACTOR:
        return f"generation {row.generation}"
    if hasattr(row, "linked"):
        return "linked" if row.linked else "unlinked"
    if hasattr(row, "completed"):
        return "completed" if row.completed else "void" if row.void else "open"
    return "found"
