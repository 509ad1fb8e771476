"""Statements: compiled once, with the caller's values and the statement's own in the driver's order."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import ARRAY, LargeBinary, any_, column, literal, select, text, update

from twofactor_server import storage
from twofactor_server.storage.schema import challenges, sessions
from twofactor_server.storage.statements import Statement, insert_row, param, values_of


def test_values_are_passed_by_name_in_the_drivers_order() -> None:
    statement = Statement(
        update(challenges)
        .where(challenges.c.email == param("expected_email"), challenges.c.attempts < 5)
        .values(email=param("email"))
    )
    assert " ".join(statement.sql.split()) == (
        "UPDATE challenges SET email=$1::VARCHAR "
        "WHERE challenges.email = $2::VARCHAR AND challenges.attempts < $3::SMALLINT"
    )
    assert statement.arguments({"expected_email": "old", "email": "new"}) == ["new", "old", 5]


def test_a_value_that_the_statement_fixes_may_be_null() -> None:
    statement = Statement(update(sessions).values(end_time=None, proof=param("proof")))
    assert statement.arguments({"proof": "authenticator"}) == ["authenticator", None]


def test_a_missing_value_is_an_error_and_others_are_ignored() -> None:
    statement = Statement(select(challenges.c.email).where(challenges.c.caller == param("caller")))
    assert statement.arguments({"caller": "local", "email": "ignored"}) == ["local"]
    with pytest.raises(KeyError, match="caller"):
        statement.arguments({"email": "ignored"})


def test_one_name_is_one_placeholder() -> None:
    statement = Statement(select(literal(1)).where(column("a") == param("time"), column("b") > param("time")))
    assert statement.arguments({"time": "noon"}) == [1, "noon"]


def test_an_array_is_one_placeholder() -> None:
    fingerprints = any_(param("fingerprints", ARRAY(LargeBinary())))
    statement = Statement(select(challenges.c.email).where(challenges.c.token_digest == fingerprints))
    assert statement.sql.endswith("= ANY ($1::BYTEA[])")
    assert statement.arguments({"fingerprints": [b"1", b"2"]}) == [[b"1", b"2"]]


def test_parameters_of_plain_sql_have_their_own_names() -> None:
    statement = Statement(text("SELECT :word"))
    assert (statement.sql, statement.arguments({"word": "x"})) == ("SELECT $1", ["x"])


def test_a_row_has_a_parameter_for_each_column_that_is_not_omitted() -> None:
    omitted = ("end_time", "remembered")
    statement = Statement(insert_row(sessions, omit=omitted))
    names = [column.name for column in sessions.columns if column.name not in omitted]
    assert statement.arguments({name: name for name in names}) == names


def test_the_fields_of_a_record_are_its_values() -> None:
    @dataclass(frozen=True, slots=True)
    class Record:
        email: str
        attempts: int = 0

    assert values_of(Record("a@example.test")) == {"email": "a@example.test", "attempts": 0}


def all_statements() -> Iterator[tuple[str, Statement]]:
    for module in pkgutil.iter_modules(storage.__path__):
        for name, value in vars(importlib.import_module(f"{storage.__name__}.{module.name}")).items():
            for statement in value if isinstance(value, list) else [value]:
                if isinstance(statement, Statement):
                    yield f"{module.name}.{name}", statement


def test_no_statement_has_a_list_whose_length_is_part_of_its_sql() -> None:
    statements = dict(all_statements())
    assert len(statements) > 100
    assert [name for name, statement in statements.items() if "POSTCOMPILE" in statement.sql] == []
