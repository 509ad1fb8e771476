"""Naming convention, and the kinds of columns and constraints that the tables use.

Every key of a table about accounts begins with ``account_id``, so that the tables can be sharded by account. What must
be unique across accounts has a look-up table with that value as its key. CHECK constraints refuse invalid states even
if the code has a bug.
"""

from collections.abc import Sequence

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    Uuid,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def uuid(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, Uuid(), nullable=nullable)


def time(name: str, *, nullable: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text(), nullable=nullable)


def binary(name: str, *, nullable: bool = False) -> Column[bytes]:
    return Column(name, LargeBinary(), nullable=nullable)


def count(name: str) -> Column[int]:
    return Column(name, Integer(), nullable=False, server_default="0")


def flag(name: str) -> Column[bool]:
    return Column(name, Boolean(), nullable=False, server_default="false")


def references_account() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["account_id"], ["accounts.account_id"])


def references_challenge() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["account_id", "challenge_id"],
        ["challenges.account_id", "challenges.challenge_id"],
        ondelete="CASCADE",
    )


def one_of(column: str, values: Sequence[str]) -> CheckConstraint:
    allowed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)
