"""The states in which cases start: each creates an account of its own."""

from datetime import timedelta
from typing import Any

from tests.support.factories import AccountFactory, Owner
from tests.support.rpc import Refused

_DISABLING_FAILURES = 100
"""Consecutive wrong codes after which the server disables an authenticator."""


async def establish(precondition: str, factory: AccountFactory) -> dict[str, Any]:
    """Create what the precondition names and return it as the variables of a case."""
    match precondition:
        case "none":
            return {}
        case "account":
            owner = await factory.account()
        case "session":
            owner = await factory.signed_in_account()
        case "authenticator":
            owner = await factory.account_with_authenticator()
        case "disabled authenticator":
            owner = await factory.account_with_authenticator()
            await _disable_authenticator(factory, owner)
        case _:
            raise ValueError(f"unknown precondition: {precondition}")
    return {
        "email": owner.email,
        "account_id": owner.account_id,
        "password": owner.password,
        "session_token": owner.session_token,
        "secret": owner.secret,
        "backup_code": owner.backup_code,
        "generation": owner.generation,
    }


async def _disable_authenticator(factory: AccountFactory, owner: Owner) -> None:
    for _ in range(_DISABLING_FAILURES):
        # Two hours exceed every wait, and keep the failures per day below the number that suspends the first factor.
        # The owner's session expires meanwhile.
        factory.clock.advance(timedelta(hours=2))
        challenge = await factory.asserted_challenge_for(owner)
        code = owner.wrong_code_at(factory.clock.now)
        try:
            await factory.rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=code)
        except Refused as refusal:
            if refusal.reason != "CODE_MISMATCH":
                raise
