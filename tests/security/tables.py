"""The database as its thief, or its auditor, would read it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg  # type: ignore[import-untyped]

Row = dict[str, Any]


async def rows(url: str, table: str, account_id: str | UUID, order: str = "1") -> list[Row]:
    """The account's rows of one table, all columns."""
    statement = f"SELECT * FROM {table} WHERE account_id = $1 ORDER BY {order}"  # noqa: S608 - names of our own
    return [dict(row) for row in await query(url, statement, UUID(str(account_id)))]


async def query(url: str, statement: str, *arguments: object) -> Sequence[Any]:
    """One statement, on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        found: Sequence[Any] = await connection.fetch(statement, *arguments)
    finally:
        await connection.close()
    return found


async def everything(url: str, where: str = "true", *arguments: object) -> dict[str, list[Row]]:
    """Every row (``where`` this holds) of every table: all of ours say whose the row is. All columns."""
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(_TABLES)
        return {
            table: [dict(row) for row in await connection.fetch(f"SELECT * FROM {table} WHERE {where}", *arguments)]  # noqa: S608
            for (table,) in tables
        }
    finally:
        await connection.close()


_TABLES = """SELECT table_name FROM information_schema.columns
             WHERE table_schema = 'public' AND column_name = 'account_id' ORDER BY 1"""


async def of_account(url: str, account_id: str | UUID) -> dict[str, list[Row]]:
    """All that the database holds of the account, table by table, but for how far its mails have come."""
    found = await everything(url, "account_id = $1", UUID(str(account_id)))
    # Mails leave when they leave, whatever else is done meanwhile.
    found["outbox"] = [{"message_id": row["message_id"], "kind": row["kind"]} for row in found["outbox"]]
    return {table: sorted(content, key=str) for table, content in found.items() if content}


async def audit(url: str, account_id: str | UUID) -> list[Row]:
    """The account's audit trail, oldest first."""
    return await rows(url, "audit_events", account_id, "time")
