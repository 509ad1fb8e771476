"""Failed first factors: of one address from one network, and of one address from all networks together.

The address is a digest (``subject``), and may have no account: what is written for it is the same either way.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert

from twofactor_server.domain.first_factor_waits import BUDGET
from twofactor_server.domain.second_factors import Counter, wait_after
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import first_factor_failures, first_factor_totals, sessions

_t = first_factor_failures.c
_THIS = (_t.subject == bindparam("digest"), _t.network_prefix == bindparam("network"))
_FIND = select(_t.failures, _t.wait_until).where(*_THIS)
_TIMES = select(first_factor_totals.c.times).where(first_factor_totals.c.subject == bindparam("digest"))
_CHARGE = (
    update(first_factor_failures)
    .where(*_THIS, _t.failures == bindparam("seen"), _t.wait_until.is_(None) | (_t.wait_until <= bindparam("now")))
    .values(failures=bindparam("charged"), wait_until=bindparam("until"), last_time=bindparam("now"))
)
_NEW = upsert(first_factor_failures)
_COUNT = _NEW.on_conflict_do_update(
    index_elements=["subject", "network_prefix"],
    set_={"failures": _t.failures + 1, "last_time": _NEW.excluded.last_time},
).returning(_t.failures)
_WAIT = update(first_factor_failures).where(*_THIS).values(wait_until=bindparam("until"))
_ADD = upsert(first_factor_totals)
_ADD = _ADD.on_conflict_do_update(
    index_elements=["subject"],
    set_={
        # The new one behind the newest of those before it, no more than a budget of them.
        "times": text(
            "(first_factor_totals.times || excluded.times)"
            f"[greatest(1, cardinality(first_factor_totals.times) - {BUDGET - 2}):]"
        ),
        "last_time": _ADD.excluded.last_time,
    },
)
_FORGIVE = delete(first_factor_failures).where(*_THIS)
_CLEAR = (
    delete(first_factor_failures).where(_t.subject == bindparam("digest")),
    delete(first_factor_totals).where(first_factor_totals.c.subject == bindparam("digest")),
)
_SEEN_FROM = (
    select(sessions.c.ip_address)
    .where(sessions.c.account_id == bindparam("id"), sessions.c.last_active_time > bindparam("since"))
    .distinct()
)


async def find(tx: Transaction, subject: bytes, network_prefix: str) -> Counter:
    """The consecutive failures from this network, and its wait."""
    row = (await tx.execute(_FIND, {"digest": subject, "network": network_prefix})).one_or_none()
    return Counter(*row) if row else Counter()


async def times(tx: Transaction, subject: bytes) -> Sequence[datetime]:
    """When the newest failures were, from all networks, oldest first; no more of them than the hour's budget."""
    found: Sequence[datetime] | None = await tx.scalar(_TIMES, {"digest": subject})
    return found or ()


async def charge(tx: Transaction, subject: bytes, network_prefix: str, seen: Counter, now: datetime) -> bool:
    """Count a failure before it is one, if nothing has changed since ``seen`` and no wait is in force; else False. Of
    several at once, one charges."""
    charged = seen.charged(now)
    values = {
        "digest": subject,
        "network": network_prefix,
        "seen": seen.failures,
        "charged": charged.failures,
        "until": charged.wait_until,
        "now": now,
    }
    return (await tx.execute(_CHARGE, values)).rowcount == 1


async def count(tx: Transaction, subject: bytes, network_prefix: str, now: datetime) -> None:
    """One failure more from this network, whatever others did meanwhile; the wait that it brings starts now."""
    values = {"subject": subject, "network_prefix": network_prefix, "failures": 1, "last_time": now}
    wait = wait_after(await tx.scalar(_COUNT, values) or 0)
    if wait is not None:
        await tx.execute(_WAIT, {"digest": subject, "network": network_prefix, "until": now + wait})


async def add_to_total(tx: Transaction, subject: bytes, now: datetime) -> None:
    """One failure more of this address."""
    await tx.execute(_ADD, {"subject": subject, "times": [now], "last_time": now})


async def forgive(tx: Transaction, subject: bytes, network_prefix: str) -> None:
    """A right first factor clears the failures of its network, only those."""
    await tx.execute(_FORGIVE, {"digest": subject, "network": network_prefix})


async def clear(tx: Transaction, subject: bytes) -> None:
    """Forget every failure and wait of this address."""
    for statement in _CLEAR:
        await tx.execute(statement, {"digest": subject})


async def addresses_seen(tx: Transaction, account_id: UUID, since: datetime) -> Sequence[str]:
    """The IP addresses of the account's sessions that were active after ``since``, ended ones included."""
    return (await tx.execute(_SEEN_FROM, {"id": account_id, "since": since})).scalars().all()
