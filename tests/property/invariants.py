"""What must never happen, whoever calls which method in whatever order.

The ledger sees every answer of the servers and what the database says before and after each call. It predicts no
answer; it knows what each person may change, and what may happen only once.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.property.environment import Answer, Facts
from twofactor.v1 import account_service_pb2

OWNER = "owner"
PASSWORD = "knows the password"
OLD_CODE = "knows the password and an old backup code"
FIRST_MAILBOX = "reads the first mailbox"
SECOND_MAILBOX = "reads the second mailbox"
SESSION = "stole a session"
NOTHING = "has nothing"

MAY_CHANGE = {
    OWNER: {"email", "password_version", "suspended", "method", "authenticator", "generation", "opened", "ended"},
    # Twenty wrong second factors suspend the first one.
    PASSWORD: {"suspended"},
    OLD_CODE: {"suspended"},
    # Ending sessions is the safe side and needs no proof.
    SESSION: {"ended"},
    NOTHING: set(),
}
"""What a call of this person may change. FIRST_MAILBOX and SECOND_MAILBOX are in ``_check_mailbox``."""

NEEDS_PROOF = (
    "StartAuthenticatorSetup",
    "ConfirmAuthenticatorSetup",
    "RegenerateBackupCode",
    "ChangePassword",
    "ChangeEmail",
)
"""Methods that succeed only after re-authentication, which nobody but the owner can pass."""

KEEPS_REPLY = (
    *("VerifyEmailCode", "VerifyAuthenticatorCode", "UseBackupCode"),
    *("ConfirmAuthenticatorSetup", "RegenerateBackupCode", "ChangePassword"),
)
REPLY_LIFETIME = timedelta(hours=24)
SESSION_IDLE = timedelta(hours=1)
LONGEST_WAIT = timedelta(hours=1)
REAUTHENTICATION_ATTEMPTS = 5

EFFECTS: dict[str, tuple[str, ...]] = {
    "VerifyEmailCode": ("verify_email_code",),
    "VerifyAuthenticatorCode": ("verify_authenticator_code",),
    "UseBackupCode": ("use_backup_code", "backup-code-used"),
    "ConfirmAuthenticatorSetup": ("confirm_authenticator_setup", "authenticator-on"),
    "RegenerateBackupCode": ("regenerate_backup_code", "backup-code-regenerated"),
    "RemoveAuthenticator": ("remove_authenticator", "authenticator-off"),
    "ChangePassword": ("change_password", "password-changed"),
    "CompletePasswordReset": ("reset_password", "password-changed"),
    "ConfirmEmailChange": ("confirm_email_change", "email-changed", "email-changed"),
    "ConfirmFirstFactor": ("confirm_first_factor", "password-changed"),
    "ReportNotMe": ("report_not_me",),
}
"""The audit event of each change, and the mails that tell the owner of it."""
_REPORT_MAILS: dict[int, str] = {
    account_service_pb2.UNDONE_CHANGE_PASSWORD_CHANGED: "password-changed",
    account_service_pb2.UNDONE_CHANGE_FIRST_FACTOR_SUSPENDED: "sign-in-suspended",
}

MAILBOX_TAKEOVER = "a mailed link turns the authenticator into e-mail codes"
FORMER_ADDRESS = "a link mailed to a former address sets the password"
ENDLESS_GUESSING = "a stolen session guesses authenticator codes without end"
OWNER_DELAYED = "the owner waits because of guesses in a stolen session"
RETRY_CHARGED = "a repeated call with a wrong code is charged again"

KNOWN_DEFECTS = {
    MAILBOX_TAKEOVER: "ReportNotMe removes an authenticator where the account was on e-mail codes before it.",
    FORMER_ADDRESS: "ReportNotMe accepts a new password for every notice of the last seven days.",
    ENDLESS_GUESSING: "Re-authentication charges the same digits once, and verifies them again in every time step.",
    OWNER_DELAYED: "Wrong codes in re-authentication count as failures of the sign-in, and may disable the app.",
    RETRY_CHARGED: "Authenticator and e-mail codes are verified and charged once per network call.",
}


class Violation(AssertionError):
    """An invariant was broken; ``name`` says which."""

    def __init__(self, name: str, detail: object = "") -> None:
        super().__init__(f"{name}: {detail}")
        self.name = name


@dataclass(eq=False)
class Call:
    """One logical call. ``spends`` is the single-use code or link in it; ``answer`` is the first successful answer,
    which the person did not see if the call is ``lost``."""

    who: str
    method: str
    fields: dict[str, Any]
    time: datetime
    session_id: str = ""
    spends: tuple[str, ...] = ()
    answer: Answer | None = None
    charged: bool = False
    lost: bool = False


@dataclass
class Ledger:
    """What happened on one account. Violations in ``known`` are skipped and counted in ``skipped``."""

    known: frozenset[str]
    facts: Facts
    broken: bool = False
    skipped: Counter[str] = field(default_factory=Counter)
    spent: set[tuple[str, ...]] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)
    codes: dict[int, str] = field(default_factory=dict)
    retired: set[int] = field(default_factory=set)
    said_saved: set[str] = field(default_factory=set)
    attempts_left: defaultdict[str, int] = field(default_factory=lambda: defaultdict(lambda: 5))
    wrong_proofs: defaultdict[str, set[tuple[str, ...]]] = field(default_factory=lambda: defaultdict(set))
    last_wrong_code: datetime | None = None
    owner_was_wrong: bool = False
    effects: Counter[str] = field(default_factory=Counter)

    def violated(self, name: str, detail: object = "") -> None:
        """Fail, unless this is a known defect."""
        if name not in self.known:
            self.broken = True
            raise Violation(name, detail)
        self.skipped[name] += 1

    def answered(self, call: Call, answer: Answer, now: datetime) -> None:
        """Never twice, never lost: one effect, and the same answer for every repetition of the call."""
        if call.answer is not None:
            if not answer.ok and self._reply_is_kept(call, now):
                self.violated("a repeated call lost its answer", f"{call.method}: {answer.reason}")
            if answer.ok and secrets_of(answer) != secrets_of(call.answer):
                self.violated("a repeated call was answered differently", call.method)
        elif answer.ok:
            call.answer = answer
            self._record_effect(call, answer)
        self.owner_was_wrong |= call.who == OWNER and answer.reason == "CREDENTIALS_MISMATCH"
        if call.method == "ConfirmBackupCodeSaved" and answer.ok:
            self.said_saved.add(call.session_id)

    def charged(self, call: Call, answers: Sequence[Answer], left: int, now: datetime) -> None:
        """Never free: a wrong code costs one of the five attempts of its challenge, and its repetition costs none."""
        challenge = call.fields["challenge_token"]
        wrong = {"CODE_MISMATCH", "CODE_SUPERSEDED"} & {answer.reason for answer in answers}
        if call.method == "UseBackupCode":
            code = (challenge, call.fields["backup_code"])
            wrong |= {"CODE_ALREADY_USED"} & {answer.reason for answer in answers}
            call.charged |= code in self.wrong_proofs[challenge]
            self.wrong_proofs[challenge] |= {code} if wrong else set()
        drop, expected = self.attempts_left[challenge] - left, int(bool(wrong) and not call.charged)
        if drop < expected:
            self.violated("a wrong code was free", f"{call.method}: {left} attempts left")
        if drop > expected:
            self.violated(RETRY_CHARGED if wrong else "a call was charged that was no guess", call.method)
        if wrong:
            call.charged, self.last_wrong_code = True, now
        self.attempts_left[challenge] = left

    def checked_proof(self, session_id: str, guess: tuple[str, ...], answer: Answer) -> None:
        """Never free: five wrong proofs end a session."""
        wrong = self.wrong_proofs[session_id]
        if answer.ok:
            wrong.clear()
        elif answer.reason == "REAUTHENTICATION_FAILED":
            wrong.add(guess)
        if len(wrong) > REAUTHENTICATION_ATTEMPTS:
            with_code = len(guess) > 1
            self.violated(ENDLESS_GUESSING if with_code else "a session guesses passwords without end", wrong)

    def changed(self, call: Call, mailboxes: Sequence[str], after: Facts) -> None:
        """Nobody gains what they do not hold. Called after each call, with what the database says then."""
        who, before, self.facts = call.who, self.facts, after
        names = ("email", "password_version", "suspended", "method", "authenticator", "generation", "opened", "ended")
        changes = {name for name in names if getattr(before, name) != getattr(after, name)}
        if call.method == "ReportNotMe" and after.generation not in self.codes:
            self.retired.add(after.generation)
        elif call.method != "ReportNotMe" and after.suspended and not before.suspended:
            self.effects["sign-in-suspended"] += 1
        if mailboxes and who != OWNER:
            self._check_mailbox(mailboxes, changes, before, after)
        elif not changes <= MAY_CHANGE[who]:
            self.violated(f"somebody who {who} changed {sorted(changes - MAY_CHANGE[who])}", after)
        if who in (PASSWORD, OLD_CODE) and before.suspended and not after.suspended:
            self.violated(f"somebody who {who} lifted the suspension")
        if after.generation < before.generation:
            self.violated("a generation was counted backwards", after)
        if not after.opened - before.opened <= self.sessions:
            self.violated("a session was opened that nobody was answered", after)

    def delayed(self, answer: Answer, first_factor: bool, now: datetime) -> None:
        """Only wrong codes after a right password, and the owner's own wrong passwords, make the owner wait."""
        if answer.retry_after > LONGEST_WAIT:
            self.violated("the owner waits for longer than an hour", answer)
        if answer.reason == "ATTEMPTS_THROTTLED" and first_factor and not self.owner_was_wrong:
            self.violated("the owner waits because of somebody's wrong passwords", answer)
        last = self.last_wrong_code
        if answer.reason == "ATTEMPTS_THROTTLED" and not first_factor and (not last or now - last > LONGEST_WAIT):
            self.violated(OWNER_DELAYED, answer)

    def settled(self, events: Counter[str], mails: Counter[str]) -> None:
        """Every change was audited and mailed once."""
        tracked = {name for names in EFFECTS.values() for name in names} | {"sign-in-suspended"}
        found = Counter({name: (events + mails)[name] for name in tracked if (events + mails)[name]})
        if found != self.effects:
            self.violated("a change was not audited and mailed once", f"{found} instead of {self.effects}")

    def _record_effect(self, call: Call, answer: Answer) -> None:
        session_id, _, code, generation = secrets_of(answer)
        first_use = call.spends not in self.spent
        if not first_use and call.spends[0] != "link":
            self.violated("a code was accepted twice", call.spends)
        self.spent |= {call.spends} if call.spends else set()
        if session_id in self.sessions:
            self.violated("two sign-ins share a session", call)
        self.sessions |= {session_id} - {""}
        if code:
            if code in self.codes.values() or generation <= max(self.codes, default=0):
                self.violated("a backup code was shown twice", generation)
            self.codes[generation] = code
        if call.who != OWNER and call.method in NEEDS_PROOF:
            self.violated(f"somebody who {call.who} passed re-authentication", call.method)
        changed = first_use and (call.method != "RemoveAuthenticator" or self.facts.method == "authenticator")
        self.effects.update(EFFECTS.get(call.method, ()) if changed else ())
        if changed and call.method == "ReportNotMe":
            self.effects.update(_REPORT_MAILS[one] for one in answer.response.undone if one in _REPORT_MAILS)

    def _check_mailbox(self, mailboxes: Sequence[str], changes: set[str], before: Facts, after: Facts) -> None:
        """Who reads a mailbox may set a new password by a link mailed to the current address, take back an address that
        was theirs for seven days, and bring back a former authenticator. Sessions are for accounts on e-mail codes."""
        current = before.email in mailboxes
        if "method" in changes and after.method == "email":
            self.violated(MAILBOX_TAKEOVER, after)
        if "password_version" in changes and not current:
            self.violated(FORMER_ADDRESS, after)
        if "opened" in changes and (before.method != "email" or not current):
            self.violated("a mailbox opened a session of an account with an authenticator", after)
        if "email" in changes and after.email not in mailboxes:
            self.violated("a mailbox gave the account another address", after)

    def _reply_is_kept(self, call: Call, now: datetime) -> bool:
        """Whether a repetition must still be answered: a day, unless its code or its session is over."""
        if call.answer is None or call.method not in KEEPS_REPLY or now - call.time >= REPLY_LIFETIME:
            return False
        opened, _, code, generation = secrets_of(call.answer)
        session_id = opened or call.session_id
        superseded = code and (generation != self.facts.generation or self.facts.method == "email")
        idle = not opened and now - call.time >= SESSION_IDLE
        return not (superseded or idle or session_id in self.facts.ended | self.said_saved)


def secrets_of(answer: Answer) -> tuple[str, str, str, int]:
    """The session's id and token, and the backup code and its generation, as far as the answer has them."""
    response = answer.response
    fields = response.DESCRIPTOR.fields_by_name
    session_id = response.session.session_id if "session" in fields and "session_token" in fields else ""
    name = next((name for name in ("new_backup_code", "backup_code") if name in fields), None)
    code = getattr(response, name) if name else None
    token = response.session_token if "session_token" in fields else ""
    return session_id, token, code.code if code else "", code.generation if code else 0
