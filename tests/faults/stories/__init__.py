"""Every changing method, as a story."""

from tests.faults.stories.account_changes import (
    ChangeEmail,
    CloseAccount,
    ConfirmEmailChange,
    ReportNotMe,
)
from tests.faults.stories.changes import (
    CancelSetup,
    ConfirmSaved,
    ConfirmSetup,
    CreateAccount,
    FailReauthentication,
    Regenerate,
    RemoveAuthenticator,
    SignOut,
    StartSetup,
)
from tests.faults.stories.identities import (
    CreateAccountByIdentity,
    FailLink,
    LinkIdentity,
    StartSignInByIdentity,
    UnlinkIdentity,
)
from tests.faults.stories.passwords import (
    ChangePassword,
    CompletePasswordReset,
    FailFirstFactorAgain,
    PassFirstFactorAfterFailures,
    SetPassword,
    StartPasswordReset,
)
from tests.faults.stories.sessions import RevokeOtherSessions, RevokeSession
from tests.faults.stories.sign_in import (
    FailFirstFactor,
    GuessBackupCode,
    SendEmailCode,
    StartSignIn,
    UseBackupCode,
    VerifyAuthenticatorCode,
    VerifyEmailCode,
)
from tests.faults.stories.story import Story
from tests.faults.stories.suspension import ConfirmFirstFactor, LastGuess, StartSuspended

SIGNING_IN: tuple[type[Story], ...] = (
    UseBackupCode,
    GuessBackupCode,
    VerifyEmailCode,
    VerifyAuthenticatorCode,
    SendEmailCode,
    StartSignIn,
    FailFirstFactor,
    FailFirstFactorAgain,
    PassFirstFactorAfterFailures,
    StartSignInByIdentity,
    LastGuess,
    StartSuspended,
    ConfirmFirstFactor,
)
"""Up to the session, and what keeps from it."""

IN_SESSION: tuple[type[Story], ...] = (
    ConfirmSetup,
    Regenerate,
    RemoveAuthenticator,
    FailReauthentication,
    StartSetup,
    CancelSetup,
    ConfirmSaved,
    SignOut,
    RevokeSession,
    RevokeOtherSessions,
)
"""The second factor, and the sessions themselves."""

OF_ACCOUNT: tuple[type[Story], ...] = (
    CreateAccount,
    CreateAccountByIdentity,
    ChangePassword,
    SetPassword,
    StartPasswordReset,
    CompletePasswordReset,
    ChangeEmail,
    ConfirmEmailChange,
    ReportNotMe,
    CloseAccount,
    LinkIdentity,
    FailLink,
    UnlinkIdentity,
)
"""First factors, addresses, and the account as a whole."""

STORIES = (*SIGNING_IN, *IN_SESSION, *OF_ACCOUNT)

__all__ = ["IN_SESSION", "OF_ACCOUNT", "SIGNING_IN", "STORIES", "Story"]
