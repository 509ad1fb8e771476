"""The promises as assertions: on every state, and on every move that decides something."""

from typing import NamedTuple

from model.calls import OK, Action, Outcome, UseBackupCode, VerifyAuthenticatorCode
from model.mechanisms import Promise
from model.owner import Broken, Owner
from model.refusals import inaccuracy, stored_reply
from model.rows import ACCOUNT, FACTOR, Account, Challenge, Rows
from model.statements import MAX_ATTEMPTS
from model.transitions import Move
from model.world import Scenario, World


class Violation(NamedTuple):
    """A broken promise, and what is wrong."""

    promise: Promise
    what: str


class Promises:
    """Checks a scenario's states and moves. ``only``: the promises to check."""

    def __init__(self, scenario: Scenario, only: frozenset[Promise] = frozenset(Promise)) -> None:
        self._scenario = scenario
        self._only = only
        self._owner = Owner(scenario)
        self._by_rows: dict[Rows, Broken | None] = {}

    def broken_by(self, before: World, move: Move) -> Violation | None:
        """The promise that the move breaks."""
        return self._select(self._check_move(before, move))

    def broken_in(self, world: World) -> Violation | None:
        """The promise that the state breaks."""
        return self._select(self._check_rows(world.rows)) or self._select(self._owner.broken_promise(world))

    def _select(self, found: Broken | None) -> Violation | None:
        return Violation(*found) if found is not None and found[0] in self._only else None

    def _check_rows(self, rows: Rows) -> Broken | None:
        if rows not in self._by_rows:
            found = _second_session(rows) or _miscounted(rows) or _stale_challenge(rows) or _surviving_session(rows)
            self._by_rows[rows] = found or _no_first_factor(rows)
        return self._by_rows[rows]

    def _check_move(self, before: World, move: Move) -> Broken | None:
        if move.kind == "deadlock":
            return Promise.ACCURATE, "two transactions wait for each other"
        if move.execution is None or move.kind in ("give up", "time"):
            return None
        action = self._scenario.action(move.execution)
        found = _uncounted(move.after.rows, action) if move.verdict is not None else None
        if found is None and move.outcome is not None:
            if move.kind == "answer":
                return _uncommitted_success(move.after.rows, action, move.outcome)
            found = _check_decision(before.rows, move.after.rows, action, move.outcome)
        return found


def _second_session(rows: Rows) -> Broken | None:
    sessions = [session for _, session in rows.table("sessions")]
    codes = [session.opened_by for session in sessions if session.opened_by not in ("app", "before")]
    if len(codes) > len(set(codes)):
        return Promise.SINGLE_USE, "one backup code has opened two sessions"
    challenges = [session.challenge for session in sessions]
    if len(challenges) > len(set(challenges)):
        return Promise.SINGLE_USE, "one challenge has opened two sessions"
    return None


def _miscounted(rows: Rows) -> Broken | None:
    """The count of attempts is the number of different codes that were tried, at most five."""
    for key, challenge in rows.table("challenges"):
        tried = sum(1 for attempt, _ in rows.table("backup_code_attempts") if attempt[1] == key[1])
        if tried > MAX_ATTEMPTS:
            return Promise.COUNTED, f"{tried} different codes were accepted for verification on one challenge"
        if challenge.attempts != tried:
            return Promise.COUNTED, f"{challenge.attempts} attempts were charged for {tried} different codes"
    return None


def _stale_challenge(rows: Rows) -> Broken | None:
    account: Account = rows.get(ACCOUNT)
    for _, challenge in rows.table("challenges"):
        if challenge.completed or challenge.void:
            continue
        if challenge.password_version != account.password_version:
            return Promise.NOTHING_STALE, "a challenge started with the old password is still open"
        if challenge.address != account.address:
            return Promise.NOTHING_STALE, "a challenge for the old address is still open"
        if challenge.started_by and not rows.get(("identities", challenge.started_by)).linked:
            return Promise.NOTHING_STALE, "a challenge started with an unlinked identity is still open"
        if account.closed:
            return Promise.NOTHING_STALE, "a challenge of a closed account is still open"
    return None


def _surviving_session(rows: Rows) -> Broken | None:
    if rows.get(ACCOUNT).closed and any(not session.ended for _, session in rows.table("sessions")):
        return Promise.NOTHING_STALE, "a session of a closed account is still live"
    return None


def _no_first_factor(rows: Rows) -> Broken | None:
    account: Account = rows.get(ACCOUNT)
    if account.closed or account.has_password or any(identity.linked for _, identity in rows.table("identities")):
        return None
    return Promise.FIRST_FACTOR, "the account has neither a password nor an identity"


def _uncounted(committed: Rows, action: Action) -> Broken | None:
    """A verdict whose attempt is not committed."""
    if not isinstance(action, UseBackupCode):
        return None
    if committed.get(("backup_code_attempts", action.challenge, action.code)) is None:
        return Promise.COUNTED, "a server knows whether the code is right, and no attempt is charged"
    return None


def _uncommitted_success(committed: Rows, action: Action, outcome: Outcome) -> Broken | None:
    """A success that is answered and not committed."""
    signed_in = (
        isinstance(action, UseBackupCode | VerifyAuthenticatorCode)
        and outcome.reason == OK
        and outcome.session is not None
    )
    if signed_in and not any(row.challenge == outcome.session for _, row in committed.table("sessions")):
        return Promise.VALID_CODE, "the answer contains a session and a new code that do not exist"
    return None


def _check_decision(before: Rows, after: Rows, action: Action, outcome: Outcome) -> Broken | None:
    """An answer at the moment it is decided."""
    stored = stored_reply(before, action)
    if stored is not None:
        replayed = outcome.replayed and outcome.code == stored.code
        if not replayed and not (outcome.reason == "REQUEST_ID_EXPIRED" and stored.erased):
            return Promise.RECOVERABLE, f"a retry of the call that succeeded is answered {outcome.reason}"
        return None
    if outcome.reason == OK and isinstance(action, UseBackupCode | VerifyAuthenticatorCode):
        return _stale_credential(before, action)
    wrong = inaccuracy(after, action, outcome)
    return (Promise.ACCURATE, wrong) if wrong else None


def _stale_credential(before: Rows, action: UseBackupCode | VerifyAuthenticatorCode) -> Broken | None:
    challenge: Challenge = before.get(("challenges", action.challenge))
    if challenge.completed or challenge.void:
        return Promise.NOTHING_STALE, "a completed or void challenge has opened a session"
    if isinstance(action, UseBackupCode) and before.get(FACTOR).code != action.code:
        return Promise.NOTHING_STALE, "a backup code that was no longer valid has opened a session"
    return None
