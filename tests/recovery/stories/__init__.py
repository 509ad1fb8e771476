"""Every state-changing method as a story."""

from tests.recovery.stories.account_changes import (
    ChangeEmail,
    CloseAccount,
    ConfirmEmailChange,
    ReportNotMe,
)
from tests.recovery.stories.changes import (
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
from tests.recovery.stories.identities import (
    CreateAccountByIdentity,
    FailLink,
    LinkIdentity,
    StartSignInByIdentity,
    UnlinkIdentity,
)
from tests.recovery.stories.passwords import (
    ChangePassword,
    CompletePasswordReset,
    FailFirstFactorAgain,
    PassFirstFactorAfterFailures,
    SetPassword,
    StartPasswordReset,
)
from tests.recovery.stories.sessions import RevokeOtherSessions, RevokeSession
from tests.recovery.stories.sign_in import (
    FailFirstFactor,
    GuessBackupCode,
    SendEmailCode,
    StartSignIn,
    UseBackupCode,
    VerifyAuthenticatorCode,
    VerifyEmailCode,
)
from tests.recovery.stories.story import Story
from tests.recovery.stories.suspension import ConfirmFirstFactor, LastGuess, StartSuspended

STORIES: tuple[type[Story], ...] = (
    # Signing in
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
    # The second factor and sessions
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
    # The account and its first factors
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

KEY_STORIES: tuple[type[Story], ...] = (
    UseBackupCode,
    ConfirmSetup,
    VerifyEmailCode,
    StartPasswordReset,
    CompletePasswordReset,
    Regenerate,
)
"""The stories whose crash points every test run covers; `make soak` covers all of them."""

__all__ = ["KEY_STORIES", "STORIES", "Story"]
