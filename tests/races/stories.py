"""What several races begin with, and what is asked when they are over."""

import asyncio
from collections.abc import Iterable
from datetime import timedelta

import pyotp
from google.protobuf.message import Message

from tests.people import People, Person
from tests.races import calls
from tests.races.racers import Outcome, answers
from twofactor.v1 import two_factor_service_pb2, types_pb2

_AT_ONCE = 4
"""First factors under way at once: fewer than there are places for them in one server process."""


async def challenges_for(people: People, owner: Person, count: int) -> list[str]:
    """So many sign-ins that have passed their first factor."""
    free = asyncio.Semaphore(_AT_ONCE)

    async def challenge() -> str:
        async with free:
            return await people.challenge_for(owner)

    return await asyncio.gather(*(challenge() for _ in range(count)))


async def another_session(people: People, owner: Person) -> str:
    """One more session of the owner, opened with the phone's next code."""
    people.clock.advance(timedelta(seconds=30))
    signed_in = await people.verify_authenticator_code(
        await people.challenge_for(owner), owner.code_at(people.clock.now)
    )
    return signed_in.session_token


async def confirmation(people: People, owner: Person, request_id: str = "") -> Message:
    """Begin a setup; the call that confirms it with the right code."""
    started = await people.start_setup(owner)
    digits = pyotp.TOTP(started.secret.replace(" ", "")).at(int(people.clock.now.timestamp()))
    return calls.confirm_setup(owner.session_token, started.setup_id, digits, request_id)


def shown_codes(outcomes: Iterable[Outcome]) -> dict[int, str]:
    """Every backup code in the answers, by generation; repeats may show it again, but no generation has two codes."""
    shown: dict[int, str] = {}
    for answer in answers(outcomes):
        for issued in _issued(answer):
            assert shown.setdefault(issued.generation, issued.code) == issued.code
    return shown


async def check_working_code(people: People, owner: Person, shown: dict[int, str]) -> None:
    """Whoever was shown the highest generation holds the code that works."""
    newest = max(shown)
    signed_in = await people.use_backup_code(await people.challenge_for(owner), shown[newest])
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
