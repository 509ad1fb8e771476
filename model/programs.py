"""The transactions of each call, in order. Their names are those of the server's transactions (its crash points)."""

from collections.abc import Mapping

from model import account, authenticator, backup_codes, sessions, sign_in
from model.calls import (
    OK,
    Action,
    ChallengesExpire,
    ChangePassword,
    CloseAccount,
    ConfirmAuthenticatorSetup,
    ConfirmBackupCodeSaved,
    ConfirmEmailChange,
    Outcome,
    RegenerateBackupCode,
    RemoveAuthenticator,
    ReportNotMe,
    Result,
    RevokeSession,
    SetPassword,
    SignOut,
    StartAuthenticatorSetup,
    StartSignIn,
    StartSignInByIdentity,
    TotpCodeExpires,
    Transaction,
    UnlinkIdentity,
    UseBackupCode,
    VerifyAuthenticatorCode,
)
from model.database import Steps, UpdateAll
from model.mechanisms import Context, Mechanism
from model.world import Execution, Scenario

TIME = "time"


def _expire_challenges(_ctx: Context, _action: ChallengesExpire) -> Steps[Result]:
    yield UpdateAll("challenges", lambda _, row: not row.expired, lambda _, row: row._replace(expired=True))
    return Outcome(OK)


def _expire_totp_code(_ctx: Context, _action: TotpCodeExpires) -> Steps[Result]:
    yield UpdateAll("authenticator_setups", lambda _, row: not row.stale, lambda _, row: row._replace(stale=True))
    return Outcome(OK)


_PASSWORD: dict[str, Transaction] = {
    "password-charged": account.charge_password,
    "password-changed": account.replace_password,
}

TRANSACTIONS: Mapping[type[Action], Mapping[str, Transaction]] = {
    UseBackupCode: backup_codes.TRANSACTIONS,
    VerifyAuthenticatorCode: {"authenticator-code-verified": sign_in.verify_authenticator_code},
    StartSignIn: {"password-verified": sign_in.verify_password, sign_in.SIGN_IN_STARTED: sign_in.start},
    StartSignInByIdentity: {"identity-exchanged": sign_in.exchange_identity, sign_in.SIGN_IN_STARTED: sign_in.start},
    RegenerateBackupCode: {
        "regeneration-charged": authenticator.charge_regeneration,
        "backup-code-regenerated": authenticator.regenerate,
    },
    RemoveAuthenticator: {
        "removal-charged": authenticator.charge_removal,
        "authenticator-off": authenticator.remove,
    },
    StartAuthenticatorSetup: {"setup-started": authenticator.start_setup},
    ConfirmAuthenticatorSetup: {
        "setup-code-verified": authenticator.verify_setup_code,
        "authenticator-on": authenticator.turn_on,
    },
    ConfirmBackupCodeSaved: {"backup-code-saved": authenticator.confirm_saved},
    SignOut: {"signed-out": sessions.sign_out},
    RevokeSession: {"session-revoked": sessions.revoke},
    ChangePassword: _PASSWORD,
    SetPassword: _PASSWORD,
    UnlinkIdentity: {"unlink-charged": account.charge_unlinking, "identity-unlinked": account.unlink},
    ConfirmEmailChange: {"email-changed": account.confirm_email_change},
    ReportNotMe: {"change-reported": account.report_not_me},
    CloseAccount: {"closing-charged": account.charge_closing, "account-closed": account.close},
    ChallengesExpire: {TIME: _expire_challenges},
    TotpCodeExpires: {TIME: _expire_totp_code},
}


def first_transaction(action: Action, removed: frozenset[Mechanism]) -> str:
    """The name of the transaction that the call begins with."""
    if isinstance(action, UseBackupCode):
        return backup_codes.first_transaction(removed)
    return next(iter(TRANSACTIONS[type(action)]))


def next_transaction(scenario: Scenario, execution: Execution) -> Steps[Result]:
    """The execution's next transaction, at its first statement."""
    action = scenario.action(execution)
    transaction = TRANSACTIONS[type(action)][execution.transaction]
    return transaction(Context(scenario.removed, execution.name), action, *execution.facts)
