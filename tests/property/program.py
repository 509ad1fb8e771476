"""What all rules share: the people's knowledge, the codes that they type, and how a call is made and observed.

``fate`` says what becomes of a call: ``answered``; ``lost`` (the person never sees the answer); ``repeated`` at the
other server; ``twice at once`` at both; ``crashed`` (its server crashes, and the call is repeated).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any, ClassVar
from uuid import uuid4

import pyotp
from hypothesis import currently_in_test_context, note
from hypothesis.stateful import RuleBasedStateMachine

from tests.property.environment import OTHER, STEADY, Answer, Environment, Mail
from tests.property.invariants import OLD_CODE, OWNER, Call, Ledger, secrets_of

APP, BACKUP, MAIL = "VerifyAuthenticatorCode", "UseBackupCode", "VerifyEmailCode"
ANSWERED, LOST, REPEATED, TWICE, CRASHED = "answered", "lost", "repeated", "twice at once", "crashed"

_LINKS = {
    "not-me": ("ReportNotMe", "token"),
    "reset-password": ("CompletePasswordReset", "reset_token"),
    "confirm-sign-in": ("ConfirmFirstFactor", "token"),
}


@dataclass
class Session:
    token: str
    session_id: str
    strong: bool


@dataclass
class Challenge:
    """``ips``: where its e-mail codes were asked from, which tells the mails apart."""

    token: str
    ips: list[str]


@dataclass
class Person:
    """What one person knows. ``network`` is a /24; every call comes from another address of it."""

    who: str
    network: int
    mailboxes: Sequence[str] = ()
    password: str = "a wrong guess"
    challenges: list[Challenge] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    codes: dict[int, str] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    requests: int = 0

    def client(self) -> dict[str, str]:
        self.requests += 1
        return {"ip_address": f"198.18.{self.network}.{1 + self.requests % 250}"}


class Program(RuleBasedStateMachine):
    """One account and the people around it. ``phones``: the secret behind each sealed one that the account has had."""

    environment: ClassVar[Environment]
    known: ClassVar[frozenset[str]]
    people: dict[str, Person]
    ledger: Ledger
    account_id: str
    addresses: list[str]

    def __init__(self) -> None:
        super().__init__()
        self.phones: dict[str, str] = {}
        self.guesses: Iterator[int] = count(1)
        self.crashed = False
        self.password_is_current = True

    @property
    def owner(self) -> Person:
        return self.people[OWNER]

    @property
    def step(self) -> int:
        return int(self.environment.now.timestamp()) // 30

    # -- Calls

    def new_call(
        self, person: Person, method: str, session_id: str = "", spends: tuple[str, ...] = (), **fields: Any
    ) -> Call:
        return Call(person.who, method, fields, self.environment.now, session_id, spends)

    def call(self, person: Person, method: str, fate: str = ANSWERED, **fields: Any) -> Answer:
        return self.perform(person, self.new_call(person, method, **fields), fate)

    def perform(self, person: Person, call: Call, fate: str) -> Answer:
        """Make the call. The answer is what the ledger saw, also where the person did not see it."""
        env, request = self.environment, (call.method, call.fields)
        match fate:
            case "repeated":
                answers = [env.send(*request), env.send(*request, OTHER)]
            case "twice at once":
                answers = env.send_at_once([request, request])
            case "crashed" if not self.crashed:
                self.crashed = True
                delay = next(self.guesses) % 8 / 500
                answers = [env.send_and_crash(*request, delay), env.send(*request)]
                answers = [answer for answer in answers if answer.reason != "UNAVAILABLE"]
            case _:
                answers = [env.send(*request, (STEADY, OTHER)[person.requests % 2])]
        self.observe([(call, answers)])
        call.lost = fate == LOST and "request_id" in call.fields
        if call.answer and not call.lost:
            self.learn(person, call, call.answer)
        person.calls += [] if call in person.calls else [call]
        return call.answer or answers[-1]

    def observe(self, made: Sequence[tuple[Call, list[Answer]]]) -> None:
        """Show the ledger what happened: first the effect of each call, then what its repetitions were answered."""
        env, ledger = self.environment, self.ledger
        for call, answers in made:
            answers.sort(key=lambda answer: (answer.replayed, not answer.ok))
            self.tell(call, answers)
            ledger.answered(call, answers[0], env.now)
        for call, answers in made:
            facts = env.facts(self.account_id)
            if call.method == "ConfirmAuthenticatorSetup" and call.answer:
                self.phones.setdefault(facts.authenticator, self.phones["pending"])
            ledger.changed(call, self.people[call.who].mailboxes, facts)
            for answer in answers[1:]:
                ledger.answered(call, answer, env.now)
            consumed = call.answer or answers[0].reason == "CHALLENGE_CONSUMED"
            if call.method in (APP, BACKUP, MAIL) and not consumed:
                token = {"challenge_token": call.fields["challenge_token"]}
                challenge = env.send("GetChallenge", token).response.challenge
                ledger.charged(call, answers, challenge.attempts_left, env.now)

    def learn(self, person: Person, call: Call, answer: Answer) -> None:
        """What the person has from the answer. Only the owner goes on with a session or a code."""
        session_id, token, code, generation = secrets_of(answer)
        if person.who == OWNER and code:
            person.codes[generation] = code
        if person.who == OWNER and session_id and session_id not in [one.session_id for one in person.sessions]:
            person.sessions.append(Session(token, session_id, strong=call.method != MAIL))

    def tell(self, call: Call, answers: Sequence[Answer]) -> None:
        """Note the call in the output of a failing program."""
        if currently_in_test_context():
            reasons = ", ".join(answer.reason or ("replayed" if answer.replayed else "OK") for answer in answers)
            note(f"    {self.environment.now:%d %H:%M:%S} {call.who}: {call.method} -> {reasons}")

    def open_challenge(self, person: Person) -> Answer:
        """StartSignIn with the password that this person believes in."""
        client = person.client()
        password = {"email": self.ledger.facts.email, "password": person.password}
        answer = self.call(person, "StartSignIn", password=password, client=client)
        if answer.ok:
            person.challenges.append(Challenge(answer.response.challenge_token, [client["ip_address"]]))
        return answer

    def complete_challenge(self, person: Person, method: str, code: str = "right", fate: str = ANSWERED) -> Answer:
        """A code on this person's newest challenge."""
        return self.perform(person, self.code_call(person, person.challenges[-1], method, code), fate)

    def sign_in(self, method: str) -> None:
        """The owner, where nothing stands in the way."""
        self.open_challenge(self.owner)
        answer = self.complete_challenge(self.owner, method)
        assert answer.ok, answer

    def follow(self, person: Person, purpose: str, back: int = 0, choose: bool = True, fate: str = ANSWERED) -> bool:
        """The link in one of the newest mails that have one; whether it did anything."""
        mails = self.mails_with(purpose, person.mailboxes)
        if not mails:
            return False
        method, name = _LINKS[purpose]
        token, password = mails[-1 - back % len(mails)].link(purpose), self.new_password(person) if choose else ""
        fields: dict[str, Any] = {name: token, "new_password": password, "client": person.client()}
        call = self.new_call(person, method, spends=("link", token), **fields)
        before = self.ledger.facts.password_version
        answer = self.perform(person, call, fate)
        if password and self.ledger.facts.password_version != before:
            person.password, self.password_is_current = password, person.who == OWNER
        return answer.ok

    def working_method(self, wanted: str) -> str:
        """The wanted one of the app and the backup code, as far as the owner has them."""
        facts = self.ledger.facts
        if facts.method == "email":
            return MAIL
        return wanted if facts.generation in self.owner.codes else APP

    def reset_password(self) -> None:
        """By the newest link; where it was used and the budget for another one is spent, an hour later."""
        for _ in range(2):
            address = {"email": self.ledger.facts.email}
            self.call(self.owner, "StartPasswordReset", **address, client=self.owner.client())
            if self.follow(self.owner, "reset-password"):
                return
            self.environment.clock.advance(timedelta(hours=1))
        self.ledger.violated("the owner cannot choose a new password")

    # -- Codes, passwords and mails

    def code_call(self, person: Person, challenge: Challenge, method: str, code: str) -> Call:
        digits, spends = self.code_of(person, challenge, method, code)
        name = "backup_code" if method == BACKUP else "code"
        fields = {"challenge_token": challenge.token, name: digits, "request_id": str(uuid4())}
        return self.new_call(person, method, spends=spends, **fields, client=person.client())

    def code_of(
        self, person: Person, challenge: Challenge | None, method: str, code: str
    ) -> tuple[str, tuple[str, ...]]:
        """The ``right``, an ``old`` or a ``wrong`` code, as far as the person knows one, and what it spends."""
        secret = self.phones.get(self.ledger.facts.authenticator)
        if method == APP and person.who == OWNER and secret and code != "wrong":
            return self.app_code(secret, -1 if code == "old" else 0)
        if method == BACKUP:
            known = self.codes_known_to(person)
            if known and code != "wrong":
                chosen = known[-2 if code == "old" and len(known) > 1 else -1]
                return chosen, ("backup", chosen)
            return f"{next(self.guesses):016d}", ()
        if method == MAIL and challenge and code != "wrong":
            sent = [mail.code for mail in self.mails_to(person.mailboxes) if mail.asked_from in challenge.ips]
            if sent:
                digits = sent[0 if code == "old" else -1]
                return digits, ("mail", challenge.token, digits)
        return self.wrong_digits(self.guesses), ()

    def proof_of(self, person: Person, proof: str) -> tuple[str, str, tuple[str, ...]]:
        """Password and app code for re-authentication, and what the code spends. Only the owner knows right ones."""
        if proof == "right" and person.who == OWNER:
            return person.password, *self.code_of(person, None, APP, "right")
        numbers = count() if proof == "wrong as before" else self.guesses
        return f"a wrong guess {next(iter(numbers))}", self.wrong_digits(numbers), ()

    def codes_known_to(self, person: Person) -> list[str]:
        """The backup codes that this person knows, the oldest first."""
        if person.who == OLD_CODE:
            facts = self.ledger.facts
            current = facts.generation if facts.method == "authenticator" else facts.generation + 1
            return [code for generation, code in sorted(self.ledger.codes.items()) if generation < current]
        return [code for _, code in sorted(person.codes.items())]

    def app_code(self, secret: str, steps: int = 0) -> tuple[str, tuple[str, ...]]:
        step = self.step + steps
        return pyotp.TOTP(secret).at(step * 30), ("app", secret, str(step))

    def wrong_digits(self, numbers: Iterator[int]) -> str:
        """Six digits that no phone shows now and that no mail has."""
        shown = {self.app_code(secret, steps)[0] for secret in self.phones.values() for steps in range(-3, 4)}
        shown |= {mail.code for mail in self.mails_to(self.addresses)}
        return next(digits for digits in (f"{number:06d}" for number in numbers) if digits not in shown)

    def new_password(self, person: Person) -> str:
        return f"{person.who} made up number {next(self.guesses)}"

    def mails_to(self, addresses: Sequence[str]) -> list[Mail]:
        """The mails to these addresses, the oldest first."""
        mails = [mail for address in addresses for mail in self.environment.mails.of(address)]
        return sorted(mails, key=lambda mail: mail.number)

    def mails_with(self, purpose: str, addresses: Sequence[str]) -> list[Mail]:
        """Those with a link of this purpose."""
        return [mail for mail in self.mails_to(addresses) if mail.link(purpose)]
