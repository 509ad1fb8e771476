"""Failed first factors, counted for each address and network, and for each address over all networks.

``subject`` is a digest of the address, which may have no account: the same rows are written either way.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, text, update

from twofactor_server.domain.limits import CODE_BACKOFF, FIRST_FACTOR_FAILURES
from twofactor_server.domain.second_factors import Counter
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import first_factor_failures, first_factor_totals, sessions
from twofactor_server.storage.statements import Statement, insert_row, param

_t = first_factor_failures.c
_this = (_t.subject == param("subject"), _t.network_prefix == param("network_prefix"))
_FIND = Statement(select(_t.failures, _t.wait_until).where(*_this))
_TIMES = Statement(select(first_factor_totals.c.times).where(first_factor_totals.c.subject == param("subject")))
_CHARGE = Statement(
    update(first_factor_failures)
    .where(
        *_this,
        _t.failures == param("expected_failures"),
        _t.wait_until.is_(None) | (_t.wait_until <= param("last_time")),
    )
    .values(failures=param("failures"), wait_until=param("wait_until"), last_time=param("last_time"))
)
_insert = insert_row(first_factor_failures, omit=("wait_until",))
_COUNT = Statement(
    _insert.on_conflict_do_update(
        index_elements=["subject", "network_prefix"],
        set_={"failures": _t.failures + 1, "last_time": _insert.excluded.last_time},
    ).returning(_t.failures)
)
_WAIT = Statement(update(first_factor_failures).where(*_this).values(wait_until=param("wait_until")))
_insert_total = insert_row(first_factor_totals)
_ADD_TIME = Statement(
    _insert_total.on_conflict_do_update(
        index_elements=["subject"],
        set_={
            # The new time after the newest of the earlier ones; as many as the budget in all.
            "times": text(
                "(first_factor_totals.times || excluded.times)"
                f"[greatest(1, cardinality(first_factor_totals.times) - {FIRST_FACTOR_FAILURES.count - 2}):]"
            ),
            "last_time": _insert_total.excluded.last_time,
        },
    )
)
_CLEAR_NETWORK = Statement(delete(first_factor_failures).where(*_this))
_CLEAR_NETWORKS = Statement(delete(first_factor_failures).where(_t.subject == param("subject")))
_CLEAR_TOTAL = Statement(delete(first_factor_totals).where(first_factor_totals.c.subject == param("subject")))
_SESSION_ADDRESSES = Statement(
    select(sessions.c.ip_address)
    .where(sessions.c.account_id == param("account_id"), sessions.c.last_active_time > param("since"))
    .distinct()
)


async def find_counter(tx: Transaction, subject: bytes, network_prefix: str) -> Counter:
    """The consecutive failures from this network, and the wait that they brought."""
    row = await tx.fetch_row(_FIND, subject=subject, network_prefix=network_prefix)
    return Counter(*row) if row else Counter()


async def recent_failure_times(tx: Transaction, subject: bytes) -> Sequence[datetime]:
    """When the newest failures from all networks were, oldest first; as many as the budget at most."""
    times: Sequence[datetime] | None = await tx.fetch_value(_TIMES, subject=subject)
    return times or ()


async def charge_attempt(tx: Transaction, subject: bytes, network_prefix: str, seen: Counter, now: datetime) -> bool:
    """Count a failure before the attempt is verified; at most one of several concurrent calls succeeds.

    False, with nothing counted, if the counter is not as it was ``seen``, or if a wait is in force.
    """
    counter = seen.after_failure(now)
    charged = await tx.execute(
        _CHARGE,
        subject=subject,
        network_prefix=network_prefix,
        expected_failures=seen.failures,
        failures=counter.failures,
        wait_until=counter.wait_until,
        last_time=now,
    )
    return charged == 1


async def count_failure(tx: Transaction, subject: bytes, network_prefix: str, now: datetime) -> None:
    """Count a failure from this network, concurrently with others. The wait that it brings starts now."""
    key = {"subject": subject, "network_prefix": network_prefix}
    wait = CODE_BACKOFF.wait_after(await tx.fetch_value(_COUNT, **key, failures=1, last_time=now))
    if wait is not None:
        await tx.execute(_WAIT, **key, wait_until=now + wait)


async def add_failure_time(tx: Transaction, subject: bytes, now: datetime) -> None:
    """Count a failure of this address from any network."""
    await tx.execute(_ADD_TIME, subject=subject, times=[now], last_time=now)


async def clear_network(tx: Transaction, subject: bytes, network_prefix: str) -> None:
    """Delete the failures and the wait of this address from this network."""
    await tx.execute(_CLEAR_NETWORK, subject=subject, network_prefix=network_prefix)


async def clear_address(tx: Transaction, subject: bytes) -> None:
    """Delete every failure and wait of this address."""
    for statement in (_CLEAR_NETWORKS, _CLEAR_TOTAL):
        await tx.execute(statement, subject=subject)


async def list_session_addresses(tx: Transaction, account_id: UUID, since: datetime) -> Sequence[str]:
    """The IP addresses of the account's sessions that were active after ``since``, ended ones included."""
    return [ip for (ip,) in await tx.fetch_all(_SESSION_ADDRESSES, account_id=account_id, since=since)]
