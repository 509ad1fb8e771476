"""Verifying an authenticator code, at sign-in and in a re-authentication."""

from uuid import UUID

from twofactor_server.crypto.keyring import KeyPurpose, Keyring
from twofactor_server.crypto.sealing import unseal
from twofactor_server.crypto.totp import codes_at
from twofactor_server.domain import authenticator, limits
from twofactor_server.domain.authenticator import Verdict
from twofactor_server.domain.refusals import CommittedRefusal, Reason, Refusal, refuse_committed
from twofactor_server.domain.second_factors import SecondFactor
from twofactor_server.flows.unit_of_work import UnitOfWork
from twofactor_server.storage import second_factors


async def verify_authenticator_code(uow: UnitOfWork, factor: SecondFactor, digits: str) -> CommittedRefusal | None:
    """Accept the code's time step (None), or count a failure on the account and return the refusal.

    A disabled authenticator and a wait in force are raised and cost nothing. The right code of an accepted step is
    CODE_ALREADY_USED and costs nothing: it is no guess.
    """
    if factor.authenticator_disabled:
        raise Refusal(Reason.AUTHENTICATOR_DISABLED)
    if wait := factor.authenticator.remaining_wait(uow.now):
        raise Refusal(Reason.ATTEMPTS_THROTTLED, retry_after=wait)
    secret = unseal_secret(uow.deps.keyring, factor.account_id, factor.totp_secret)
    codes = codes_at(secret, authenticator.steps_around(uow.now))
    verdict, step = authenticator.verify(digits, codes, factor.last_step)
    if verdict is Verdict.RIGHT:
        await second_factors.accept_step(uow.tx, factor.account_id, step)
        return None
    if verdict is Verdict.REPLAYED:
        return refuse_committed(Reason.CODE_ALREADY_USED)
    counter = factor.authenticator.after_failure(uow.now)
    disabled = counter.failures >= limits.AUTHENTICATOR_DISABLED_AFTER
    await second_factors.set_authenticator_counter(uow.tx, factor.account_id, counter, disabled=disabled)
    return refuse_committed(Reason.CODE_MISMATCH)


def unseal_secret(keyring: Keyring, account_id: UUID, sealed: bytes | None) -> bytes:
    """The account's TOTP secret. It was sealed for this account and opens for no other."""
    if sealed is None:
        raise ValueError("an active authenticator has a secret")
    return unseal(keyring, KeyPurpose.TOTP_SECRET, account_id.bytes, sealed)
