"""Plain words for what happens: calls, answers, and what a transaction changed."""

from collections.abc import Iterator
from typing import Any

from model.calls import (
    OK,
    AppMovesOn,
    ChangePassword,
    Close,
    ConfirmEmail,
    ConfirmSetup,
    Intent,
    Outcome,
    Regenerate,
    Remove,
    Report,
    Revoke,
    Saved,
    SetPassword,
    SignOut,
    StartByIdentity,
    StartSetup,
    StartSignIn,
    TenMinutesPass,
    Unlink,
    Use,
    VerifyApp,
)
from model.rows import AUTHENTICATOR, Code, Factor, Key, Rows, generation_of
from model.statements import ATTEMPTS

_TABLES = (
    "accounts",
    "identities",
    "mailed_links",
    "challenges",
    "backup_code_attempts",
    "spent_backup_codes",
    "second_factors",
    "authenticator_setups",
    "sessions",
    "replies",
)
"""The order in which changes are told."""


class Names:
    """The names of codes: "code 2", and "another code 2" if a second call made one of that number."""

    def __init__(self) -> None:
        self._seen: dict[int, list[Code]] = {}

    def code(self, code: Code | None) -> str:
        """How the code is called in this story."""
        if code is None:
            return "no code"
        if code.startswith("guess"):
            return code.replace("-", " ")
        generation = generation_of(code)
        seen = self._seen.setdefault(generation, [])
        if code not in seen:
            seen.append(code)
        return f"code {generation}" if seen[0] == code else f"another code {generation}"

    def call(self, intent: Intent) -> tuple[str, str]:
        """The call in plain words, and by its name in the contract."""
        match intent:
            case Use(challenge, code):
                return f"uses {self.code(code)} on sign-in {challenge}", f"UseBackupCode, {self.code(code)}"
            case VerifyApp(challenge):
                return f"types the app's digits on sign-in {challenge}", "VerifyAuthenticatorCode"
            case StartSignIn(challenge):
                return f"starts sign-in {challenge} with the password", "StartSignIn"
            case StartByIdentity(challenge, identity):
                return f"starts sign-in {challenge} with identity {identity}", "StartSignIn"
            case Regenerate():
                return "asks for a new backup code", "RegenerateBackupCode"
            case Remove():
                return "removes the authenticator", "RemoveAuthenticator"
            case StartSetup():
                return "starts to set an authenticator up", "StartAuthenticatorSetup"
            case ConfirmSetup():
                return "types the new app's digits", "ConfirmAuthenticatorSetup"
            case Saved(_, generation):
                return f'says of code {generation}, "I have saved it"', f"ConfirmBackupCodeSaved, {generation}"
            case SignOut(session):
                return f"signs out of session {session}", "SignOut"
            case Revoke(_, other):
                return f"ends session {other} from outside", "RevokeSession"
            case TenMinutesPass():
                return "ten minutes pass, every sign-in that was started has run out of time", ""
            case AppMovesOn():
                return "the app shows other digits by now", ""
        return self._account_call(intent)

    @staticmethod
    def _account_call(intent: Intent) -> tuple[str, str]:
        match intent:
            case ChangePassword():
                return "changes the password", "ChangePassword"
            case SetPassword():
                return "sets a first password", "SetPassword"
            case Unlink(_, identity):
                return f"unlinks identity {identity}, by a fresh proof of it", f"UnlinkIdentity, {identity}"
            case ConfirmEmail():
                return "follows the link that changes the address", "ConfirmEmailChange"
            case Report(_, generation):
                return f'says of code {generation}, "this wasn\'t me"', "ReportNotMe"
            case Close():
                return "closes the account", "CloseAccount"
        raise TypeError(intent)

    def outcome(self, outcome: Outcome) -> str:
        """The answer."""
        if outcome.reason != OK:
            return outcome.reason
        signed_in = [f"session {outcome.session}"] if outcome.session is not None else []
        shown = [self.code(outcome.code)] if outcome.code else []
        return ", ".join(signed_in + shown + (["as before"] if outcome.replayed else [])) or "done"

    def changes(self, before: Rows, after: Rows) -> list[str]:
        """What was committed, as the difference that it made."""
        found = [(key, before.get(key), row) for key, row in after.items if before.get(key) != row]
        found.sort(key=lambda change: _TABLES.index(str(change[0][0])))
        return [text for key, old, new in found for text in self._change(key, old, new)]

    def _change(self, key: Key, old: Any, new: Any) -> Iterator[str]:
        match key[0]:
            case "second_factors":
                yield from self._factor(old, new)
            case "challenges":
                yield from _challenge(key[1], old, new)
            case "backup_code_attempts" if new.verdict in ("wrong", "used"):
                yield f"the attempt counts as {new.verdict}"
            case "spent_backup_codes":
                yield f"generation {key[1]} is spent"
            case "sessions":
                yield f"session {key[1]} {'ends' if new.ended else 'opens'}"
            case "replies":
                yield f"a kept reply is erased ({new.erased})" if new.erased else "the reply is kept"
            case "authenticator_setups":
                yield "the setup is over" if new.ended else "the digits are stale" if new.stale else "a setup is open"
            case "accounts":
                yield "the account is closed" if new.closed else _changed_account(old, new)
            case "identities":
                yield f"identity {key[1]} is unlinked"
            case "mailed_links":
                yield "the link is used up"

    def _factor(self, old: Factor, new: Factor) -> Iterator[str]:
        if old.method != new.method:
            if new.method == AUTHENTICATOR:
                yield f"the authenticator is on, {self.code(new.code)} is its backup code"
            else:
                yield f"the authenticator is off, {self.code(old.code)} dies with it"
        elif new.code != old.code:
            yield f"{self.code(old.code)} gives way to {self.code(new.code)}"
        elif new.saved and not old.saved:
            yield "the code counts as saved"


def _changed_account(old: Any, new: Any) -> str:
    if new.address != old.address:
        return "the address is another one"
    return "the password is another one" if old.has_password else "the account has a password"


def _challenge(number: Any, old: Any, new: Any) -> Iterator[str]:
    if old is None:
        yield f"sign-in {number} is open"
        return
    if new.attempts != old.attempts:
        yield f"an attempt is charged, {new.attempts} of {ATTEMPTS}"
    if new.completed and not old.completed:
        yield f"sign-in {number} is completed"
    if new.void and not old.void:
        yield f"sign-in {number} is void"
