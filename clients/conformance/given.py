"""The people with whom cases begin, each with an account of their own."""

from datetime import timedelta
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from tests.people import People, Person
from tests.refusals import refusal
from twofactor.v1 import sign_in_service_pb2, types_pb2

_WRONG_CODES = 100
"""So many in a row disable an authenticator."""


async def person_given(state: str, people: People) -> dict[str, Any]:
    """What a person in this state knows, holds and was shown, as the variables of a case. "": nobody."""
    match state:
        case "":
            return {}
        case "account":
            person = await people.with_account()
        case "session":
            person = await people.signed_in()
        case "authenticator":
            person = await people.with_authenticator()
        case "disabled authenticator":
            person = await people.with_authenticator()
            await _disable(people, person)
        case _:
            raise ValueError(f"no such person: {state}")
    return {
        "email": person.email,
        "account_id": person.account_id,
        "password": person.password,
        "session_token": person.session_token,
        "secret": person.secret,
        "backup_code": person.backup_code,
        "generation": person.generation,
    }


async def _disable(people: People, person: Person) -> None:
    for _ in range(_WRONG_CODES):
        # Longer than any wait, and too few in a day to suspend the first factor. The session of the person ends
        # meanwhile, of idleness.
        people.clock.advance(timedelta(hours=2))
        auth_time = Timestamp()
        auth_time.FromDatetime(people.clock.now)
        asserted = types_pb2.AssertedFirstFactor(account_id=person.account_id, auth_time=auth_time)
        request = sign_in_service_pb2.StartSignInRequest(asserted=asserted, client=people.client)
        challenge = (await people.stubs.sign_in.StartSignIn(request)).challenge_token
        try:
            await people.verify_authenticator_code(challenge, person.wrong_code_at(people.clock.now))
        except grpc.aio.AioRpcError as error:
            if refusal(error).reason != "CODE_MISMATCH":
                raise
