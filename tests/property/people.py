"""People who hold one thing each, and what they do: the rules of the state machine.

Every rule can always run, and does nothing where the person lacks what it needs: what is drawn must not depend on what
the servers answered.
"""

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from tests.property.environment import Answer
from tests.property.invariants import (
    FIRST_MAILBOX,
    NOTHING,
    OLD_CODE,
    OWNER,
    PASSWORD,
    SECOND_MAILBOX,
    SESSION,
    Call,
    Ledger,
)
from tests.property.program import (
    ANSWERED,
    APP,
    BACKUP,
    CRASHED,
    LOST,
    MAIL,
    REPEATED,
    TWICE,
    Person,
    Program,
    Session,
)

ON_EMAIL, ON_APP, ON_APP_FOR_DAYS = "on e-mail codes", "on an authenticator", "on an authenticator for eight days"
CURRENT_MAILBOX, FORMER_MAILBOX = "reads the current mailbox", "reads the other mailbox"
SET_UP, REMOVE, REGENERATE = "StartAuthenticatorSetup", "RemoveAuthenticator", "RegenerateBackupCode"

fates = st.sampled_from([ANSWERED] * 8 + [LOST, REPEATED, TWICE] * 3 + [CRASHED])
methods = st.sampled_from((APP, BACKUP, MAIL))
who_signs_in = st.sampled_from((OWNER, OWNER, OWNER, PASSWORD, OLD_CODE, FIRST_MAILBOX, SECOND_MAILBOX, NOTHING))
who_has_session = st.sampled_from((OWNER, OWNER, SESSION))
who_reads_mail = st.sampled_from((OWNER, CURRENT_MAILBOX, CURRENT_MAILBOX, FORMER_MAILBOX))


class People(Program):
    """One account, its owner, and others who each hold one thing."""

    @initialize(opening=st.sampled_from((ON_EMAIL, ON_APP, ON_APP, ON_APP_FOR_DAYS)), moved=st.booleans())
    def begin(self, opening: str, moved: bool = False) -> None:
        """The owner signs in twice by mail; the older session is stolen. ``moved``: the owner changes the address."""
        env = self.environment
        env.clock.advance(timedelta(seconds=35 - env.now.timestamp() % 30))
        first, second = self.addresses = [f"{uuid4().hex[:12]}@example.test" for _ in range(2)]
        password = "correct horse battery staple"
        created = env.send("CreateAccount", {"email": first, "password": password})
        self.account_id = created.response.account.account_id
        self.ledger = Ledger(self.known, env.facts(self.account_id))
        self.people = {
            OWNER: Person(OWNER, 1, (first, second), password),
            PASSWORD: Person(PASSWORD, 2, (), password),
            OLD_CODE: Person(OLD_CODE, 3, (), password),
            FIRST_MAILBOX: Person(FIRST_MAILBOX, 4, (first,)),
            SECOND_MAILBOX: Person(SECOND_MAILBOX, 5, (second,)),
            SESSION: Person(SESSION, 6),
            NOTHING: Person(NOTHING, 7),
        }
        self.sign_in(MAIL)
        self.steal_session()
        self.sign_in(MAIL)
        if moved:
            self.change_in_session(OWNER, "ChangeEmail")
        if opening != ON_EMAIL:
            self.change_in_session(OWNER, SET_UP)
        if opening == ON_APP_FOR_DAYS:
            env.clock.advance(timedelta(days=8))
            self.sign_in(APP)

    # -- Signing in

    @rule(who=who_signs_in)
    def start_sign_in(self, who: str) -> None:
        """With the password that this person knows, or a wrong one."""
        self.open_challenge(self.people[who])

    @rule(
        who=who_signs_in,
        method=methods,
        code=st.sampled_from(("right", "right", "old", "wrong")),
        fresh=st.booleans(),
        fate=fates,
    )
    def type_code(self, who: str, method: str, code: str, fresh: bool = False, fate: str = ANSWERED) -> None:
        """A code on the newest challenge, or on a fresh one; a wrong code where the person does not know this kind."""
        if fresh:
            self.start_sign_in(who)
        if self.people[who].challenges:
            self.complete_challenge(self.people[who], method, code, fate)

    @rule(method=st.sampled_from((APP, BACKUP)), code=st.sampled_from(("right", "right", "old")))
    def type_code_in_two_windows(self, method: str, code: str) -> None:
        """The owner's code on two challenges at the same moment: two logical calls, of which one may succeed."""
        for _ in range(2):
            self.start_sign_in(OWNER)
        if len(self.owner.challenges) > 1:
            calls = [self.code_call(self.owner, window, method, code) for window in self.owner.challenges[-2:]]
            answers = self.environment.send_at_once([(call.method, call.fields) for call in calls])
            self.observe([(call, [answer]) for call, answer in zip(calls, answers, strict=True)])

    @rule(who=st.sampled_from((OWNER, PASSWORD)), fate=fates)
    def send_email_code(self, who: str, fate: str) -> None:
        person, client = self.people[who], self.people[who].client()
        if person.challenges:
            challenge = person.challenges[-1]
            challenge.ips.append(client["ip_address"])
            fields = {"challenge_token": challenge.token, "request_id": str(uuid4()), "client": client}
            self.call(person, "SendEmailCode", fate, **fields)

    @rule(who=st.sampled_from((PASSWORD, OLD_CODE, FIRST_MAILBOX)), method=methods, times=st.integers(1, 6))
    def guess_codes(self, who: str, method: str, times: int) -> None:
        """Wrong codes on one challenge."""
        self.start_sign_in(who)
        for _ in range(times):
            self.type_code(who, method, "wrong")

    @rule(times=st.integers(1, 8))
    def guess_passwords(self, times: int) -> None:
        for _ in range(times):
            self.start_sign_in(NOTHING)

    @rule(who=st.sampled_from((OWNER, PASSWORD)), back=st.integers(0, 3))
    def repeat_call(self, who: str, back: int) -> None:
        """An earlier call once more, with its request_id: a retry after a lost answer, a reload, a double click."""
        person = self.people[who]
        calls = [call for call in person.calls if "request_id" in call.fields]
        if calls:
            self.perform(person, calls[-1 - back % len(calls)], ANSWERED)

    # -- In a session

    @rule(
        who=who_has_session,
        method=st.sampled_from((SET_UP, SET_UP, REMOVE, REGENERATE, "ChangePassword", "ChangeEmail")),
        back=st.integers(0, 1),
        proof=st.sampled_from(("right", "right", "right", "wrong", "wrong as before")),
        fate=fates,
    )
    def change_in_session(
        self, who: str, method: str, back: int = 0, proof: str = "right", fate: str = ANSWERED
    ) -> None:
        """A change that needs re-authentication. Only the owner knows the password and the app's code."""
        person = self.people[who]
        if not person.sessions:
            return
        session = person.sessions[-1 - back % len(person.sessions)]
        password, code, spends = self.proof_of(person, proof)
        step_up = not session.strong and self.ledger.facts.method == "authenticator"
        given = {"password": password} | ({"authenticator_code": code} if step_up else {})
        fields: dict[str, Any] = {"session_token": session.token, "client": person.client(), "reauthentication": given}
        if method == "ChangePassword":
            del fields["reauthentication"]
            fields |= {"current_password": password, "new_password": self.new_password(person)}
        if method in (REGENERATE, "ChangePassword"):
            fields["request_id"] = str(uuid4())
        if method == "ChangeEmail":
            fields["new_email"] = next(one for one in self.addresses if one != self.ledger.facts.email)
        repeatable = method in (REGENERATE, REMOVE, "ChangePassword")
        call = self.new_call(person, method, session.session_id, spends if step_up else (), **fields)
        answer = self.perform(person, call, fate if repeatable else ANSWERED)
        guess = (password, *((code, str(self.step)) if step_up else ()))
        self.ledger.checked_proof(session.session_id, guess, answer)
        if answer.ok and who == OWNER:
            session.strong |= step_up
            self.finish_change(session, call, answer, fate)

    def finish_change(self, session: Session, call: Call, answer: Answer, fate: str) -> None:
        """The second half of a change: the new phone's first code, or the link to the new address."""
        if call.method == "ChangePassword":
            self.owner.password = call.fields["new_password"]
        elif call.method == "ChangeEmail":
            link = self.mails_with("confirm-email", [call.fields["new_email"]])[-1].link("confirm-email")
            self.call(self.owner, "ConfirmEmailChange", fate, token=link, client=self.owner.client())
        elif call.method == SET_UP:
            secret = answer.response.secret.replace(" ", "")
            code, spends = self.app_code(secret)
            fields: dict[str, Any] = {"session_token": session.token, "setup_id": answer.response.setup_id}
            fields |= {"code": code, "request_id": str(uuid4()), "client": self.owner.client()}
            confirm = self.new_call(self.owner, "ConfirmAuthenticatorSetup", session.session_id, spends, **fields)
            self.phones["pending"] = secret
            if self.perform(self.owner, confirm, fate).ok:
                session.strong = True

    @rule(who=who_has_session, method=st.sampled_from(("ConfirmBackupCodeSaved", "SignOut", "RevokeOtherSessions")))
    def act_in_session(self, who: str, method: str) -> None:
        """What needs no proof."""
        person = self.people[who]
        if person.sessions:
            session = person.sessions[-1]
            fields: dict[str, Any] = {"session_token": session.token}
            if method == "ConfirmBackupCodeSaved":
                fields["generation"] = max(1, max(person.codes, default=self.ledger.facts.generation))
            self.perform(person, self.new_call(person, method, session.session_id, **fields), ANSWERED)

    @rule()
    def steal_session(self) -> None:
        """The newest session of the owner is somebody else's too."""
        self.people[SESSION].sessions += [Session(**vars(session)) for session in self.owner.sessions[-1:]]

    @rule(
        method=st.sampled_from((REMOVE, REGENERATE, SET_UP, "ChangePassword")),
        back=st.integers(0, 1),
        times=st.integers(1, 8),
        proof=st.sampled_from(("wrong", "wrong as before")),
    )
    def guess_proofs(self, method: str, back: int, times: int, proof: str = "wrong as before") -> None:
        """A wrong password and a wrong code in the stolen session, one in each time step."""
        for _ in range(times):
            self.change_in_session(SESSION, method, back, proof)
            self.pass_time(30)

    @rule(remove=st.booleans(), fate=fates)
    def move_to_new_phone(self, remove: bool, fate: str = ANSWERED) -> None:
        """The owner signs in and sets the authenticator up again. ``remove``: after removing it."""
        self.owner_gets_in(BACKUP)
        if remove:
            self.change_in_session(OWNER, REMOVE)
        self.change_in_session(OWNER, SET_UP, fate=fate)

    # -- By mail

    def reader(self, who: str) -> Person:
        """The owner's two addresses are read by two people; which of the two is the current one changes."""
        if who not in (CURRENT_MAILBOX, FORMER_MAILBOX):
            return self.people[who]
        first_is_current = self.ledger.facts.email == self.addresses[0]
        return self.people[FIRST_MAILBOX if first_is_current == (who == CURRENT_MAILBOX) else SECOND_MAILBOX]

    @rule(who=who_reads_mail, back=st.sampled_from((0, 0, 0, 1, 2)), choose=st.booleans(), fate=fates)
    def report_not_me(self, who: str, back: int = 0, choose: bool = True, fate: str = ANSWERED) -> None:
        """The link of a notice, the newest one if ``back`` is 0. ``choose``: with a new password of this person."""
        self.follow(self.reader(who), "not-me", back, choose, fate)

    @rule(who=who_reads_mail, sign_in=st.booleans(), fate=fates)
    def reset_password_by_mail(self, who: str, sign_in: bool, fate: str = ANSWERED) -> None:
        """``sign_in``: then with the new password, and with the code that is mailed if there is one."""
        self.ask_for_reset(who)
        person = self.reader(who)
        if self.follow(person, "reset-password", fate=fate) and sign_in and self.open_challenge(person).ok:
            self.complete_challenge(person, MAIL)

    @rule(who=who_reads_mail, back=st.integers(0, 1), fate=fates)
    def lift_suspension(self, who: str, back: int, fate: str) -> None:
        self.follow(self.reader(who), "confirm-sign-in", back, fate=fate)

    @rule(who=st.sampled_from((OWNER, NOTHING)))
    def ask_for_reset(self, who: str) -> None:
        """The mail goes to the current address, whoever asks."""
        person = self.reader(who)
        self.call(person, "StartPasswordReset", email=self.ledger.facts.email, client=person.client())

    @rule(seconds=st.sampled_from((30, 30, 30, 61, 61, 301, 601, 3601, 8 * 86400)))
    def pass_time(self, seconds: int) -> None:
        self.environment.clock.advance(timedelta(seconds=seconds))

    # -- The owner gets in

    @rule(way=st.sampled_from((APP, BACKUP)))
    def owner_gets_in(self, way: str) -> None:
        """Never neither: whatever has happened, the owner completes a sign-in, after the documented waits at most."""
        for call in [call for call in self.owner.calls if call.lost]:
            self.perform(self.owner, call, ANSWERED)
        for _ in range(8):
            opened = answer = self.open_challenge(self.owner)
            method = self.working_method(way)
            if opened.ok:
                answer = self.complete_challenge(self.owner, method)
            if answer.ok:
                return
            if answer.reason in ("ATTEMPTS_THROTTLED", "DELIVERY_THROTTLED"):
                self.ledger.delayed(answer, not opened.ok, self.environment.now)
                self.environment.clock.advance(answer.retry_after)
            elif answer.reason == "CODE_ALREADY_USED" and method == APP:
                self.pass_time(30)
            elif answer.reason in ("CREDENTIALS_MISMATCH", "FIRST_FACTOR_SUSPENDED"):
                if self.password_is_current and not self.ledger.facts.suspended:
                    self.ledger.violated("the owner's password was refused", answer.reason)
                self.reset_password()
            elif answer.reason == "AUTHENTICATOR_DISABLED":
                way = BACKUP
            else:
                self.ledger.violated("the owner cannot complete a sign-in", f"{method}: {answer.reason}")
        self.ledger.violated("the owner cannot complete a sign-in", "too many waits")

    @invariant()
    def the_owner_holds_the_second_factor(self) -> None:
        """The authenticator is one of the owner's phones, and its backup code was shown, or retired by a report."""
        facts = self.ledger.facts
        if facts.method == "authenticator":
            if facts.authenticator not in self.phones:
                self.ledger.violated("the authenticator is somebody else's", facts)
            if facts.generation not in self.ledger.codes.keys() | self.ledger.retired:
                self.ledger.violated("the backup code was shown to nobody", facts)

    def teardown(self) -> None:
        """Every program ends with the owner signing in, and with the books."""
        if hasattr(self, "ledger") and not self.ledger.broken:
            for way in (APP, BACKUP):
                self.owner_gets_in(way)
            kinds = Counter(mail.kind for mail in self.mails_to(self.addresses))
            self.ledger.settled(self.environment.events(self.account_id), kinds)
