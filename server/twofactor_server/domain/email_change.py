"""Changing the address: how often a link may be mailed to a new one."""

from datetime import datetime, timedelta

from twofactor_server.domain.refusals import Reason, Refusal

SENDS = 3
BUDGET_SPAN = timedelta(hours=1)


def check_send(sent: list[datetime], now: datetime) -> None:
    """Refuse a mail beyond the hour's. ``sent``: when the account's mails of the last hour were sent, oldest first."""
    if len(sent) >= SENDS:
        raise Refusal(Reason.DELIVERY_THROTTLED, retry_after=sent[len(sent) - SENDS] + BUDGET_SPAN - now)
