"""The promises, as assertions: over every state, and over every move that decides something."""

from typing import NamedTuple

from model.answers import same_call_answered, untrue
from model.calls import OK, Intent, Outcome, Use, VerifyApp
from model.mechanisms import Promise
from model.owner import Broken, Owner
from model.rows import ACCOUNT, FACTOR, Account, Challenge, Rows
from model.statements import ATTEMPTS
from model.stepping import Move
from model.world import Scenario, World


class Violation(NamedTuple):
    """A promise that did not hold, and what is wrong."""

    promise: Promise
    what: str


class Promises:
    """Judges a scenario's states and moves. ``only``: the promises that are looked at."""

    def __init__(self, scenario: Scenario, only: frozenset[Promise] = frozenset(Promise)) -> None:
        self._scenario = scenario
        self._only = only
        self._owner = Owner(scenario)
        self._rows: dict[Rows, Broken | None] = {}

    def broken_by(self, before: World, move: Move) -> Violation | None:
        """The promise that the move breaks."""
        return self._counted(self._by_move(before, move))

    def broken_in(self, world: World) -> Violation | None:
        """The promise that the state breaks."""
        return self._counted(self._by_rows(world.rows)) or self._counted(self._owner.stuck(world))

    def _counted(self, found: Broken | None) -> Violation | None:
        return Violation(*found) if found is not None and found[0] in self._only else None

    def _by_rows(self, rows: Rows) -> Broken | None:
        if rows not in self._rows:
            found = opened_twice(rows) or charged_wrong(rows) or stale_challenge(rows) or outlived(rows)
            self._rows[rows] = found or locked_out(rows)
        return self._rows[rows]

    def _by_move(self, before: World, move: Move) -> Broken | None:
        if move.kind == "deadlock":
            return Promise.TRUE, "two transactions wait for each other"
        if move.client < 0 or move.kind in ("give up", "time"):
            return None
        intent = self._scenario.intent(move.client, before.clients[move.client].position)
        running = [e for e in before.running if (e.client, e.name) == (move.client, move.name)]
        if running:
            intent = self._scenario.intent(move.client, running[0].position)
        if intent is None:
            return None
        found = judged_free(move.after.rows, intent) if move.verdict is not None else None
        if found is None and move.outcome is not None:
            if move.kind == "answer":
                return told_of_nothing(move.after.rows, intent, move.outcome)
            found = decided(before.rows, move.after.rows, intent, move.outcome)
        return found


def opened_twice(rows: Rows) -> Broken | None:
    """A code, or a challenge, that opened two sessions."""
    sessions = [session for _, session in rows.table("sessions")]
    codes = [session.opened_by for session in sessions if session.opened_by not in ("app", "before")]
    if len(codes) > len(set(codes)):
        return Promise.TWICE, "one backup code has opened two sessions"
    challenges = [session.challenge for session in sessions]
    if len(challenges) > len(set(challenges)):
        return Promise.TWICE, "one challenge has opened two sessions"
    return None


def charged_wrong(rows: Rows) -> Broken | None:
    """Attempts are the distinct codes that were tried, and never more than five."""
    for key, challenge in rows.table("challenges"):
        tried = sum(1 for attempt, _ in rows.table("backup_code_attempts") if attempt[1] == key[1])
        if tried > ATTEMPTS:
            return Promise.FREE, f"{tried} different codes were taken on one challenge"
        if challenge.attempts != tried:
            return Promise.FREE, f"attempts charged: {challenge.attempts}, codes tried: {tried}"
    return None


def stale_challenge(rows: Rows) -> Broken | None:
    """An open challenge that an older password or an unlinked identity started, or that belongs to an older address or
    a closed account."""
    account: Account = rows.get(ACCOUNT)
    for _, challenge in rows.table("challenges"):
        if challenge.completed or challenge.void:
            continue
        if challenge.password_version != account.password_version:
            return Promise.DEAD, "a sign-in that the old password started is still open"
        if challenge.address != account.address:
            return Promise.DEAD, "a sign-in for the old address is still open"
        if challenge.begun_by and not rows.get(("identities", challenge.begun_by)).linked:
            return Promise.DEAD, "a sign-in that an unlinked identity started is still open"
        if account.closed:
            return Promise.DEAD, "a sign-in to a closed account is open"
    return None


def outlived(rows: Rows) -> Broken | None:
    """A session of a closed account."""
    if rows.get(ACCOUNT).closed and any(not session.ended for _, session in rows.table("sessions")):
        return Promise.DEAD, "a session of a closed account is alive"
    return None


def locked_out(rows: Rows) -> Broken | None:
    """An account that is not closed, and that no first factor opens."""
    account: Account = rows.get(ACCOUNT)
    if account.closed or account.has_password or any(identity.linked for _, identity in rows.table("identities")):
        return None
    return Promise.WAY_IN, "the account has neither a password nor an identity"


def judged_free(committed: Rows, intent: Intent) -> Broken | None:
    """A verdict before its attempt is committed."""
    if isinstance(intent, Use) and committed.get(("backup_code_attempts", intent.challenge, intent.code)) is None:
        return Promise.FREE, "a server knows whether the code is right, and no attempt is charged"
    return None


def told_of_nothing(committed: Rows, intent: Intent, outcome: Outcome) -> Broken | None:
    """A success that is answered and not committed."""
    signed_in = isinstance(intent, Use | VerifyApp) and outcome.reason == OK and outcome.session is not None
    if signed_in and not any(row.challenge == outcome.session for _, row in committed.table("sessions")):
        return Promise.NEITHER, "the owner is shown a session and a new code that do not exist"
    return None


def decided(before: Rows, after: Rows, intent: Intent, outcome: Outcome) -> Broken | None:
    """An answer at the moment it is decided."""
    kept = same_call_answered(before, intent)
    if kept is not None:
        replayed = outcome.replayed and outcome.code == kept.code
        if not replayed and not (outcome.reason == "REQUEST_ID_EXPIRED" and kept.erased):
            return Promise.LOST, f"the call that succeeded is repeated and answered {outcome.reason}"
        return None
    if outcome.reason == OK and isinstance(intent, Use | VerifyApp):
        return _opened_by_the_dead(before, intent)
    wrong = untrue(after, intent, outcome)
    return (Promise.TRUE, wrong) if wrong else None


def _opened_by_the_dead(before: Rows, intent: Use | VerifyApp) -> Broken | None:
    challenge: Challenge = before.get(("challenges", intent.challenge))
    if challenge.completed or challenge.void:
        return Promise.DEAD, "a challenge that was over has opened a session"
    if isinstance(intent, Use) and before.get(FACTOR).code != intent.code:
        return Promise.DEAD, "a code that was dead has opened a session"
    return None
