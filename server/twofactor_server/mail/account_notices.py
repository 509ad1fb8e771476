"""The notices of what changes the account itself: password, address, identities, the end of it."""

from dataclasses import dataclass

from twofactor_server.domain.mailed_links import Purpose
from twofactor_server.mail.notices import LinkNotice, Notice


@dataclass(frozen=True, kw_only=True)
class PasswordChanged(Notice):
    """The password was set, changed or reset."""

    kind = "password-changed"


@dataclass(frozen=True, kw_only=True)
class PasswordReset(LinkNotice):
    """Somebody asked for the link by which to choose a new password."""

    kind = "password-reset"
    purpose = Purpose.RESET_PASSWORD
    action = "Choose a new password"


@dataclass(frozen=True, kw_only=True)
class ConfirmEmail(LinkNotice):
    """To a new address: it becomes the account's by this link, and by nothing else."""

    kind = "email-change"
    purpose = Purpose.CONFIRM_EMAIL
    action = "Use this address"


@dataclass(frozen=True, kw_only=True)
class EmailInUse(Notice):
    """Somebody wanted this address for an account, and it is another one's: nothing was changed."""

    kind = "email-in-use"


@dataclass(frozen=True, kw_only=True)
class EmailChanged(Notice):
    """The account's address is another one; ``former``: told to the one before, else to the new one."""

    kind = "email-changed"
    former: bool


@dataclass(frozen=True, kw_only=True)
class AccountClosed(Notice):
    """The account is closed for good."""

    kind = "account-closed"


@dataclass(frozen=True, kw_only=True)
class OfProvider(Notice):
    """A change of a linked identity at ``provider``, a name of the server's settings. Of the identity itself nothing
    is said: its address may be a stranger's text."""

    provider: str

    @property
    def label(self) -> str:
        """The provider as people write it."""
        return {"google": "Google", "github": "GitHub"}.get(self.provider, self.provider)


@dataclass(frozen=True, kw_only=True)
class IdentityLinked(OfProvider):
    """One more way to pass the first step."""

    kind = "identity-linked"


@dataclass(frozen=True, kw_only=True)
class IdentityUnlinked(OfProvider):
    """One way less."""

    kind = "identity-unlinked"
