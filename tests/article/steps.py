"""What owners, and those who would be them, do again and again in these stories."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

from google.protobuf.timestamp_pb2 import Timestamp

from tests.people import CLIENT, People, Person
from twofactor.v1 import sign_in_service_pb2, two_factor_service_pb2, types_pb2

STEP = timedelta(seconds=30)
"""One step of an authenticator app."""


def from_network(number: int) -> types_pb2.ClientInfo:
    """The same browser, in another network each time."""
    return types_pb2.ClientInfo(ip_address=f"198.18.{number}.7", user_agent=CLIENT.user_agent)


def wrong_backup_codes() -> Iterator[str]:
    """Well-formed codes that nobody was ever given, all different."""
    return (f"{number:016d}" for number in count(1))


def wrong_digits(code: str, offset: int = 1) -> str:
    """Six digits that are not ``code``."""
    return f"{(int(code) + offset) % 10**6:06d}"


async def vouched_challenge(people: People, person: Person, client: types_pb2.ClientInfo | None = None) -> str:
    """A challenge for which a trusted caller vouched: no password is asked, nor hashed."""
    auth_time = Timestamp()
    auth_time.FromDatetime(people.clock.now)
    asserted = types_pb2.AssertedFirstFactor(account_id=person.account_id, auth_time=auth_time)
    request = sign_in_service_pb2.StartSignInRequest(asserted=asserted, client=client or people.client)
    return (await people.stubs.sign_in.StartSignIn(request)).challenge_token


async def sign_in_by_app(
    people: People, person: Person, request_id: str = ""
) -> two_factor_service_pb2.VerifyAuthenticatorCodeResponse:
    """A sign-in with the app's current code, in a step of its own."""
    people.clock.advance(STEP)
    challenge = await people.challenge_for(person)
    return await people.verify_authenticator_code(challenge, person.code_at(people.clock.now), request_id)


async def sign_in_by_mail(people: People, person: Person, nth: int) -> two_factor_service_pb2.VerifyEmailCodeResponse:
    """A sign-in with a mailed code, the account's ``nth`` one; those before it have come when it is asked for."""
    await people.mailbox.wait_for(person.email, "sign-in-code", nth - 1)
    challenge = await people.challenge_for(person)
    return await people.verify_email_code(challenge, await people.mailbox.code(person.email, nth))


async def sign_in_by_backup_code(
    people: People, person: Person, request_id: str = ""
) -> two_factor_service_pb2.UseBackupCodeResponse:
    """A sign-in with the backup code; the person keeps the new one."""
    challenge = await people.challenge_for(person)
    signed_in = await people.use_backup_code(challenge, person.backup_code, request_id)
    person.backup_code = signed_in.new_backup_code.code
    person.generation = signed_in.new_backup_code.generation
    return signed_in
