"""Errors that end a command, and advice on errors from the server."""

from collections.abc import Mapping

from twofactor_client import TryAgain, TwoFactorError


class CommandError(Exception):
    """Ends the command. The text is one or more full sentences, and says what to do next."""

    exit_status = 1


class CannotStartError(CommandError):
    """Something that the command needs is missing: the server, a terminal, a stored token, an argument."""

    exit_status = 2


_SIGN_IN_AGAIN = "Start again with `twofactor-try sign-in`."
_RUN_AGAIN = "Run the same command again."
_WAIT = "Wait, then run the same command again."

ADVICE: Mapping[str, str] = {
    "INVALID_FIELD": "Correct the value and run the command again.",
    "CREDENTIALS_MISMATCH": "Check the account and the password, or choose a new one with "
    "`twofactor-try reset-password EMAIL`.",
    "REAUTHENTICATION_REQUIRED": "Sign in again, then run the command again.",
    "REAUTHENTICATION_FAILED": "Check the password and run the command again. Five failures end the session.",
    "CODE_MISMATCH": "Check the code and run the command again.",
    "CODE_SUPERSEDED": "Use the code in the newest e-mail.",
    "CODE_EXPIRED": "Request a new code with `twofactor-try send-code`.",
    "CODE_ALREADY_USED": "Use the newest backup code, or wait for the app's next code.",
    "CHALLENGE_EXPIRED": _SIGN_IN_AGAIN,
    "CHALLENGE_CONSUMED": _SIGN_IN_AGAIN,
    "CHALLENGE_EXHAUSTED": _SIGN_IN_AGAIN,
    "CHALLENGE_NOT_FOUND": _SIGN_IN_AGAIN,
    "ACCOUNT_NOT_FOUND": "Check the address or id, or create the account with `twofactor-try create-account`.",
    "SESSION_ENDED": _SIGN_IN_AGAIN,
    "METHOD_NOT_ACTIVE": "Use the method that `twofactor-try get-challenge` or `twofactor-try status` shows.",
    "SETUP_EXPIRED": "Start again with `twofactor-try setup`.",
    "FIRST_FACTOR_SUSPENDED": "Pass the link in the e-mail to `twofactor-try confirm-sign-in`.",
    "AUTHENTICATOR_DISABLED": "Sign in with `twofactor-try use-backup-code`, then run `twofactor-try setup` or "
    "`twofactor-try remove`.",
    "GENERATION_SUPERSEDED": "Save the newest backup code and pass its number.",
    "ATTEMPTS_THROTTLED": _WAIT,
    "DELIVERY_THROTTLED": _WAIT,
    "OVERLOADED": _WAIT,
    "PASSWORD_REJECTED": "Choose another password and run the command again.",
    "EMAIL_TAKEN": "Sign in to the existing account, or use another address.",
    "IDENTITY_TAKEN": "Unlink the identity from the other account first.",
    "LAST_WAY_IN": "Add another way to sign in first: `twofactor-try set-password` or `twofactor-try link`.",
    "IDENTITY_NOT_LINKED": "Sign in another way and run `twofactor-try link`, or run "
    "`twofactor-try create-account --provider`.",
    "PROVIDER_NOT_CONFIGURED": "Start the server with the settings of this provider.",
    "LINK_INVALID": "Use the link in the newest e-mail, or request a new one.",
    "REQUEST_ID_REUSED": "Use a new UUID for --request-id.",
    "REQUEST_ID_EXPIRED": "The request succeeded earlier. `twofactor-try status` shows the current state.",
}
"""What to do next, by the reason of the error."""


def advice_for(error: TwoFactorError) -> str:
    """What to do next; empty for errors that the person at the terminal cannot resolve."""
    fallback = _RUN_AGAIN if isinstance(error, TryAgain) else ""
    return ADVICE.get(error.reason, fallback)
