"""The two ways in which an exchange fails: by what the person brought, or by what the provider did."""

import logging
from datetime import timedelta

from twofactor_server.domain.refusals import Reason, Refusal

logger = logging.getLogger(__name__)

RETRY_AFTER = timedelta(seconds=1)


def refused() -> Refusal:
    """The provider refuses the code, or the code belongs to another sign-in: the person has to begin again."""
    return Refusal(Reason.CREDENTIALS_MISMATCH)


def unavailable(provider: str, trouble: str) -> Refusal:
    """The provider does not answer, or not as it should. ``trouble`` is for the operator's log, and is a text of ours:
    whatever a provider sends may hold a secret."""
    logger.warning("identity provider %s: %s", provider, trouble)
    return Refusal(Reason.DEPENDENCY_UNAVAILABLE, retry_after=RETRY_AFTER)
