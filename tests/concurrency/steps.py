"""Steps that several concurrency tests share."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pyotp

from tests.concurrency.client_pool import Outcome, responses
from tests.support.factories import AccountFactory, Owner
from tests.support.rpc import build
from twofactor.v1 import two_factor_service_pb2, types_pb2

_AT_ONCE = 4
"""First factors under way at once: fewer than there are places for them in one server process."""


async def challenges_for(factory: AccountFactory, owner: Owner, count: int) -> list[str]:
    """Start this many sign-ins; returns the tokens of their challenges."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def challenge() -> str:
        async with free:
            return await factory.challenge_for(owner)

    return await asyncio.gather(*(challenge() for _ in range(count)))


async def another_session(factory: AccountFactory, owner: Owner) -> str:
    """Open another session with the app's next code."""
    factory.clock.advance(timedelta(seconds=30))
    signed_in = await factory.rpc.VerifyAuthenticatorCode(
        challenge_token=await factory.challenge_for(owner), code=owner.code_at(factory.clock.now)
    )
    token: str = signed_in.session_token
    return token


async def setup_confirmation(factory: AccountFactory, owner: Owner, request_id: str = "") -> Any:
    """Start a setup; returns the request that confirms it with the correct code."""
    started = await factory.rpc.StartAuthenticatorSetup(**owner.by_password())
    digits = pyotp.TOTP(started.secret.replace(" ", "")).at(int(factory.clock.now.timestamp()))
    return build.ConfirmAuthenticatorSetup(
        session_token=owner.session_token, setup_id=started.setup_id, code=digits, request_id=request_id
    )


def shown_codes(outcomes: Iterable[Outcome]) -> dict[int, str]:
    """All backup codes in the responses by generation. A replay may repeat a code, but no generation has two codes."""
    shown: dict[int, str] = {}
    for answer in responses(outcomes):
        for issued in _issued(answer):
            assert shown.setdefault(issued.generation, issued.code) == issued.code
    return shown


async def check_working_code(factory: AccountFactory, owner: Owner, shown: dict[int, str]) -> None:
    """The code of the highest generation works."""
    newest = max(shown)
    signed_in = await factory.rpc.UseBackupCode(
        challenge_token=await factory.challenge_for(owner), backup_code=shown[newest]
    )
    assert signed_in.new_backup_code.generation == newest + 1


def _issued(answer: object) -> list[types_pb2.BackupCode]:
    match answer:
        case two_factor_service_pb2.UseBackupCodeResponse():
            return [answer.new_backup_code]
        case (
            two_factor_service_pb2.RegenerateBackupCodeResponse()
            | two_factor_service_pb2.ConfirmAuthenticatorSetupResponse()
        ):
            return [answer.backup_code]
        case _:
            return []
