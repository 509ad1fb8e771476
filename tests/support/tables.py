"""Direct reads of all tables, with all columns."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

Row = dict[str, Any]


async def rows(url: str, table: str, account_id: str | UUID, order: str = "1") -> list[Row]:
    """The account's rows of one table, all columns."""
    statement = f"SELECT * FROM {table} WHERE account_id = $1 ORDER BY {order}"  # noqa: S608 - constants
    return [dict(row) for row in await query(url, statement, UUID(str(account_id)))]


async def query(url: str, statement: str, *arguments: object) -> Sequence[Any]:
    """Execute one statement on a new connection."""
    connection = await asyncpg.connect(url)
    try:
        found: Sequence[Any] = await connection.fetch(statement, *arguments)
    finally:
        await connection.close()
    return found


async def everything(url: str, where: str = "true", *arguments: object) -> dict[str, list[Row]]:
    """The rows (``where`` this holds) of every table with an account_id."""
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
    """All rows of the account by table, except for the delivery state of its e-mails."""
    found = await everything(url, "account_id = $1", UUID(str(account_id)))
    # E-mails are delivered in the background, at any time.
    found["outbox"] = [{"message_id": row["message_id"], "kind": row["kind"]} for row in found["outbox"]]
    return {table: sorted(content, key=str) for table, content in found.items() if content}


async def audit(url: str, account_id: str | UUID) -> list[Row]:
    """The account's audit trail, oldest first."""
    return await rows(url, "audit_events", account_id, "time")
