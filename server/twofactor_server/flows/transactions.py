"""The name of every transaction of a flow. In test mode, a server can be made to die at three points of each.

The crash points are ``before-<name>`` (nothing written), ``<name>-uncommitted`` (all written, COMMIT not sent) and
``<name>-committed`` (the caller has no answer yet).
"""

from collections.abc import Iterator
from enum import StrEnum


class TransactionName(StrEnum):
    """One transaction of a flow, named after what has happened when it commits."""

    ACCOUNT_CREATED = "account-created"
    FIRST_FACTOR_CHARGED = "first-factor-charged"
    FIRST_FACTOR_REFUSED = "first-factor-refused"
    FIRST_FACTOR_THROTTLE_CLEARED = "first-factor-throttle-cleared"
    SIGN_IN_STARTED = "sign-in-started"
    EMAIL_CODE_SENT = "email-code-sent"
    EMAIL_CODE_VERIFIED = "email-code-verified"
    AUTHENTICATOR_CODE_VERIFIED = "authenticator-code-verified"
    BACKUP_CODE_CHARGED = "backup-code-charged"
    BACKUP_CODE_REFUSED = "backup-code-refused"
    BACKUP_CODE_REPLACED = "backup-code-replaced"
    BACKUP_CODE_SAVED = "backup-code-saved"
    REGENERATION_CHARGED = "regeneration-charged"
    BACKUP_CODE_REGENERATED = "backup-code-regenerated"
    REAUTHENTICATION_REFUSED = "reauthentication-refused"
    REAUTHENTICATION_CANCELLED = "reauthentication-cancelled"
    SETUP_CHARGED = "setup-charged"
    SETUP_STARTED = "setup-started"
    SETUP_CODE_VERIFIED = "setup-code-verified"
    AUTHENTICATOR_ON = "authenticator-on"
    SETUP_CANCELLED = "setup-cancelled"
    REMOVAL_CHARGED = "removal-charged"
    AUTHENTICATOR_OFF = "authenticator-off"
    SIGNED_OUT = "signed-out"
    SESSION_REVOKED = "session-revoked"
    OTHER_SESSIONS_REVOKED = "other-sessions-revoked"
    PASSWORD_CHARGED = "password-charged"  # noqa: S105 - a name, not a password
    PASSWORD_CHANGED = "password-changed"  # noqa: S105
    PASSWORD_RESET_STARTED = "password-reset-started"  # noqa: S105
    PASSWORD_RESET = "password-reset"  # noqa: S105
    ACCOUNT_UNLOCKED = "account-unlocked"
    EMAIL_CHANGE_CHARGED = "email-change-charged"
    EMAIL_CHANGE_STARTED = "email-change-started"
    EMAIL_CHANGED = "email-changed"
    CHANGE_REPORTED = "change-reported"
    CLOSING_CHARGED = "closing-charged"
    ACCOUNT_CLOSED = "account-closed"
    LINK_CHARGED = "link-charged"
    IDENTITY_LINKED = "identity-linked"
    UNLINK_CHARGED = "unlink-charged"
    IDENTITY_UNLINKED = "identity-unlinked"

    @property
    def before(self) -> str:
        """Nothing is written."""
        return f"before-{self}"

    @property
    def uncommitted(self) -> str:
        """Everything is written, nothing is committed."""
        return f"{self}-uncommitted"

    @property
    def committed(self) -> str:
        """Committed; the caller has no answer yet."""
        return f"{self}-committed"


def crash_points() -> Iterator[str]:
    """Every point at which a server in test mode can be made to die."""
    for name in TransactionName:
        yield from (name.before, name.uncommitted, name.committed)
