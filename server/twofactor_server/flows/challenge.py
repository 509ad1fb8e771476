"""The challenge: locked to be acted on, and GetChallenge for the "Verify It's You" page."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from twofactor_server.crypto.tokens import Token
from twofactor_server.domain import email_codes as rules
from twofactor_server.domain.calls import Call
from twofactor_server.domain.challenges import Challenge, ChallengeState
from twofactor_server.domain.emails import masked
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import Method, Proof, SecondFactor
from twofactor_server.flows.unit_of_work import Dependencies, UnitOfWork
from twofactor_server.storage import challenges, email_codes, second_factors
from twofactor_server.storage.database import Transaction

METHOD_NAMES = {Method.EMAIL: "EMAIL_CODE", Method.AUTHENTICATOR: "AUTHENTICATOR"}
"""The contract's names of the methods, without their prefix."""


@dataclass(frozen=True, slots=True)
class ChallengeView:
    """The challenge as it is shown. Times of e-mail codes are None where they do not apply."""

    second_factor: Method
    masked_email: str
    attempts_left: int
    waits: Mapping[Proof, datetime]
    authenticator_disabled: bool
    email_code_expire_time: datetime | None
    next_send_time: datetime | None
    expire_time: datetime
    state: ChallengeState

    @property
    def backup_code_accepted(self) -> bool:
        """A backup code stands in for an authenticator only."""
        return self.second_factor is Method.AUTHENTICATOR


class Challenges:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def get(self, call: Call, token: Token) -> ChallengeView:
        """The challenge as it is now, in any state."""
        async with self._deps.database.reading() as tx:
            challenge = await challenges.find(tx, token.account_id, token.digest, call.caller)
            factor = await second_factors.read(tx, token.account_id) if challenge else None
            if factor is None or challenge is None:
                raise Refusal(Reason.CHALLENGE_NOT_FOUND)
            return await view_challenge(tx, call, factor, challenge, self._deps.now())


async def lock_challenge(uow: UnitOfWork, token: Token) -> tuple[SecondFactor, Challenge]:
    """Lock the account's second factor, then this caller's challenge, and read both."""
    factor = await second_factors.lock(uow.tx, token.account_id)
    challenge = await challenges.lock(uow.tx, token.account_id, token.digest, uow.call.caller) if factor else None
    if factor is None or challenge is None:
        raise Refusal(Reason.CHALLENGE_NOT_FOUND)
    return factor, challenge


async def view_challenge(
    tx: Transaction, call: Call, factor: SecondFactor, challenge: Challenge, now: datetime
) -> ChallengeView:
    """Read what the page shows of the challenge."""
    expire_time = next_send = None
    if factor.method is Method.EMAIL:
        sent = await email_codes.list_codes(tx, challenge)
        account, network = await email_codes.recent_send_times(
            tx, challenge.account_id, call.client.network_prefix, now
        )
        expire_time = sent[0].expire_time if sent else None
        next_send = rules.next_send(sends=len(sent), account=account, network=network, now=now)
    return ChallengeView(
        second_factor=factor.method,
        masked_email=masked(challenge.email),
        attempts_left=challenge.attempts_left,
        waits=current_waits(factor, now),
        authenticator_disabled=factor.authenticator_disabled,
        email_code_expire_time=expire_time,
        next_send_time=next_send if next_send and next_send < challenge.expire_time else None,
        expire_time=challenge.expire_time,
        state=challenge.state(now),
    )


def current_waits(factor: SecondFactor, now: datetime) -> dict[Proof, datetime]:
    """Until when the active method admits no attempt; empty if it admits one now."""
    proof, counter = (
        (Proof.EMAIL_CODE, factor.email_codes)
        if factor.method is Method.EMAIL
        else (Proof.AUTHENTICATOR, factor.authenticator)
    )
    return {proof: counter.wait_until} if counter.wait_until and counter.remaining_wait(now) else {}


def check_method(factor: SecondFactor, wanted: Method) -> None:
    """Refuse a proof for a method that is not the active one."""
    if factor.method is not wanted:
        raise Refusal(Reason.METHOD_NOT_ACTIVE, active_method=METHOD_NAMES[factor.method])
