"""The committed steps of every changing method, by what they mean; in test mode, the points where a server may die.

Each step is one transaction, so it has three points: ``before-<step>`` (nothing written), ``<step>-uncommitted``
(all written, COMMIT not sent) and ``<step>-committed`` (the caller not told yet).
"""

from collections.abc import Iterator
from enum import StrEnum


class Step(StrEnum):
    """One transaction of a flow."""

    ACCOUNT_CREATED = "account-created"
    FIRST_FACTOR_CHARGED = "first-factor-charged"
    FIRST_FACTOR_REFUSED = "first-factor-refused"
    FIRST_FACTOR_FORGIVEN = "first-factor-forgiven"
    SIGN_IN_STARTED = "sign-in-started"
    EMAIL_CODE_SENT = "email-code-sent"
    EMAIL_CODE_JUDGED = "email-code-judged"
    AUTHENTICATOR_CODE_JUDGED = "authenticator-code-judged"
    BACKUP_CODE_CHARGED = "backup-code-charged"
    BACKUP_CODE_REFUSED = "backup-code-refused"
    BACKUP_CODE_REPLACED = "backup-code-replaced"
    BACKUP_CODE_SAVED = "backup-code-saved"
    REGENERATION_CHARGED = "regeneration-charged"
    BACKUP_CODE_REGENERATED = "backup-code-regenerated"
    REAUTHENTICATION_REFUSED = "reauthentication-refused"
    SETUP_CHARGED = "setup-charged"
    SETUP_STARTED = "setup-started"
    SETUP_CODE_JUDGED = "setup-code-judged"
    AUTHENTICATOR_ON = "authenticator-on"
    SETUP_CANCELLED = "setup-cancelled"
    REMOVAL_CHARGED = "removal-charged"
    AUTHENTICATOR_OFF = "authenticator-off"
    SIGNED_OUT = "signed-out"
    PASSWORD_CHARGED = "password-charged"  # noqa: S105 - what was done, not a password
    PASSWORD_CHANGED = "password-changed"  # noqa: S105
    PASSWORD_RESET_STARTED = "password-reset-started"  # noqa: S105
    PASSWORD_RESET = "password-reset"  # noqa: S105
    SESSION_REVOKED = "session-revoked"
    OTHER_SESSIONS_REVOKED = "other-sessions-revoked"
    FIRST_FACTOR_CONFIRMED = "first-factor-confirmed"
    EMAIL_CHANGE_CHARGED = "email-change-charged"
    EMAIL_CHANGE_STARTED = "email-change-started"
    EMAIL_CHANGED = "email-changed"
    NOT_ME_REPORTED = "not-me-reported"
    CLOSING_CHARGED = "closing-charged"
    ACCOUNT_CLOSED = "account-closed"
    REAUTHENTICATION_WITHDRAWN = "reauthentication-withdrawn"
    LINK_CHARGED = "link-charged"
    IDENTITY_LINKED = "identity-linked"
    UNLINK_CHARGED = "unlink-charged"
    IDENTITY_UNLINKED = "identity-unlinked"

    @property
    def before(self) -> str:
        """Nothing of the step is written."""
        return f"before-{self}"

    @property
    def uncommitted(self) -> str:
        """All of the step is written, nothing is committed."""
        return f"{self}-uncommitted"

    @property
    def committed(self) -> str:
        """The step is committed, and the caller was not told."""
        return f"{self}-committed"


def crash_points() -> Iterator[str]:
    """Every point at which a server in test mode can be made to die."""
    for step in Step:
        yield from (step.before, step.uncommitted, step.committed)
