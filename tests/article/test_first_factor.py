"""The first factor: a password as it was typed, or a trusted caller's word."""

import unicodedata
from datetime import timedelta
from uuid import uuid4

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from tests.conftest import Refusing
from tests.people import People, Person
from twofactor.v1 import account_service_pb2, sign_in_service_pb2, types_pb2


async def account(people: People, password: str) -> Person:
    """A fresh account with this password."""
    address = f"{uuid4().hex[:12]}@example.test"
    request = account_service_pb2.CreateAccountRequest(email=address, password=password)
    created = (await people.stubs.accounts.CreateAccount(request)).account
    return Person(address, created.account_id, password)


async def test_the_whole_password_counts(people: People, refused: Refusing) -> None:
    """Nothing is cut off and nothing trimmed: passwords that differ in the hundredth character, or a space, differ."""
    owner = await account(people, "p" * 99 + "x")
    for almost in ("p" * 99, "p" * 99 + "y", "p" * 99 + "x ", " " + "p" * 99 + "x", "p" * 99 + "X"):
        owner.password = almost
        with refused("CREDENTIALS_MISMATCH"):
            await people.challenge_for(owner)
    people.clock.advance(timedelta(seconds=30))
    owner.password = "p" * 99 + "x"
    await people.challenge_for(owner)


async def test_a_password_is_the_same_on_every_keyboard(people: People, refused: Refusing) -> None:
    """Passwords are compared in Unicode NFC (NIST SP 800-63B section 3.1.1.2): composed or not, it is the same one."""
    owner = await account(people, unicodedata.normalize("NFC", "Gêñérätör \U0001f511"))
    owner.password = unicodedata.normalize("NFD", owner.password)
    await people.challenge_for(owner)
    owner.password = "Generator \U0001f511"
    with refused("CREDENTIALS_MISMATCH"):
        await people.challenge_for(owner)


@pytest.mark.parametrize(
    ("age", "fits"),
    [
        (timedelta(minutes=10), True),
        (timedelta(0), True),
        (timedelta(minutes=10, seconds=1), False),
        (timedelta(minutes=-1), False),
        (timedelta(days=-36500), False),
    ],
)
async def test_a_callers_word_must_be_fresh(people: People, refused: Refusing, age: timedelta, fits: bool) -> None:
    """ "`asserted`: at most 10 minutes old, not in the future." The second factor is asked all the same."""
    owner = await people.with_authenticator()
    auth_time = Timestamp()
    auth_time.FromDatetime(people.clock.now - age)
    asserted = types_pb2.AssertedFirstFactor(account_id=owner.account_id, auth_time=auth_time)
    request = sign_in_service_pb2.StartSignInRequest(asserted=asserted, client=people.client)
    if fits:
        started = await people.stubs.sign_in.StartSignIn(request)
        assert started.challenge.second_factor == types_pb2.SECOND_FACTOR_AUTHENTICATOR
        return
    with refused("INVALID_FIELD") as said:
        await people.stubs.sign_in.StartSignIn(request)
    assert said[0].fields == ("asserted.auth_time",)


async def test_a_callers_word_for_nobody(people: People, refused: Refusing) -> None:
    """ACCOUNT_NOT_FOUND: a caller that may assert may know. A time that no calendar has is INVALID_FIELD."""
    now = Timestamp()
    now.FromDatetime(people.clock.now)
    nobody = types_pb2.AssertedFirstFactor(account_id=str(uuid4()), auth_time=now)
    with refused("ACCOUNT_NOT_FOUND"):
        await people.stubs.sign_in.StartSignIn(sign_in_service_pb2.StartSignInRequest(asserted=nobody))
    nobody.auth_time.seconds = 2**62
    with refused("INVALID_FIELD") as said:
        await people.stubs.sign_in.StartSignIn(sign_in_service_pb2.StartSignInRequest(asserted=nobody))
    assert said[0].fields == ("asserted.auth_time",)


async def test_an_account_is_made_once(people: People, refused: Refusing) -> None:
    """CreateAccount repeated with its request_id answers the same account; the address is taken for anybody else."""
    address = f"{uuid4().hex[:12]}@example.test"
    request = account_service_pb2.CreateAccountRequest(
        email=address, password="a fine password", request_id=str(uuid4())
    )
    made = [(await people.stubs.accounts.CreateAccount(request)).account for _ in range(3)]
    assert made[0] == made[1] == made[2]
    assert (made[0].email, made[0].email_verified, made[0].has_password) == (address, False, True)
    request.email, request.request_id = address.upper(), str(uuid4())
    with refused("EMAIL_TAKEN"):
        await people.stubs.accounts.CreateAccount(request)
    by_id = account_service_pb2.GetAccountRequest(account_id=made[0].account_id)
    assert (await people.stubs.accounts.GetAccount(by_id)).account == made[0]
    assert people.mailbox.to(address) == []
