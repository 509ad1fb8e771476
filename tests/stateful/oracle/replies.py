"""The sealed reply: the same logical call, repeated, is answered the same."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from tests.stateful.oracle.answers import Done, IdentitySeen, Refusal, Shown, SignedIn
from tests.stateful.oracle.state import DAY, Account, Reply

Kept = SignedIn | Shown | IdentitySeen | Done
"""What may be answered once more."""


def replayed(account: Account, scope: str, request_id: str, content: tuple[str, ...], now: datetime) -> Kept | None:
    """What this logical call was answered before; None if it was not, or if no replay is wanted.

    The same request_id with other content is REQUEST_ID_REUSED. A reply that is erased, or 24 hours old, is
    REQUEST_ID_EXPIRED.
    """
    reply = account.replies.get((scope, request_id)) if request_id else None
    if reply is None:
        return None
    if reply.content != content:
        raise Refusal("REQUEST_ID_REUSED", field="request_id")
    if reply.erased or now >= reply.until:
        raise Refusal("REQUEST_ID_EXPIRED")
    answer = reply.answer
    return replace(answer, replayed=True) if isinstance(answer, SignedIn | Shown) else answer


def keep(
    account: Account,
    scope: str,
    request_id: str,
    content: tuple[str, ...],
    answer: Kept,
    session: str,
    now: datetime,
) -> Account:
    """With this answer kept for who repeats the call."""
    if not request_id:
        return account
    generation = answer.generation if isinstance(answer, SignedIn | Shown) else 0
    reply = Reply(content, answer, session, generation or None, now + DAY)
    return replace(account, replies={**account.replies, (scope, request_id): reply})


def erase_superseded(account: Account) -> Account:
    """Without the replies that show a backup code which is no longer the current one."""
    current = account.factor.generation if account.factor.code else account.factor.generation + 1
    return _erase(account, lambda reply: reply.generation is not None and reply.generation < current)


def erase_saved(account: Account, session: str) -> Account:
    """Without the reply that shows the current code, if it belongs to the session in which "saved" was said."""
    return _erase(account, lambda r: r.session == session and r.generation == account.factor.generation)


def erase_of_session(account: Account, session: str) -> Account:
    """Without the replies of a session that was ended."""
    return _erase(account, lambda reply: reply.session == session)


def shown_by_none(account: Account, now: datetime) -> bool:
    """Whether no reply shows the current backup code any more."""
    current = account.factor.generation
    return not any(r.generation == current and not r.erased and now < r.until for r in account.replies.values())


def _erase(account: Account, over: Callable[[Reply], bool]) -> Account:
    kept = {key: replace(reply, erased=reply.erased or over(reply)) for key, reply in account.replies.items()}
    return replace(account, replies=kept)
