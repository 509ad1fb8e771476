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

STORIES: tuple[type[Story], ...] = (
    UseBackupCode,
    GuessBackupCode,
    VerifyEmailCode,
    VerifyAuthenticatorCode,
    SendEmailCode,
    StartSignIn,
    FailFirstFactor,
    ConfirmSetup,
    Regenerate,
    RemoveAuthenticator,
    FailReauthentication,
    StartSetup,
    CancelSetup,
    ConfirmSaved,
    SignOut,
    CreateAccount,
    ChangePassword,
    SetPassword,
    StartPasswordReset,
    CompletePasswordReset,
    FailFirstFactorAgain,
    PassFirstFactorAfterFailures,
    RevokeSession,
    RevokeOtherSessions,
    LastGuess,
    StartSuspended,
    ConfirmFirstFactor,
    ChangeEmail,
    ConfirmEmailChange,
    ReportNotMe,
    CloseAccount,
    CreateAccountByIdentity,
    StartSignInByIdentity,
    LinkIdentity,
    FailLink,
    UnlinkIdentity,
)

__all__ = ["STORIES", "Story"]
