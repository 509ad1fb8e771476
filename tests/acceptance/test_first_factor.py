"""The first factor: a password, or a trusted caller's assertion."""

import unicodedata
from datetime import timedelta
from uuid import uuid4

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner, unused_email
from tests.support.mailbox import Mailbox
from tests.support.rpc import Rpc, refused
from twofactor.v1 import types_pb2


async def account_with_password(factory: AccountFactory, password: str) -> Owner:
    """An account with this password."""
    address = unused_email()
    created = (await factory.rpc.CreateAccount(email=address, password=password)).account
    return Owner(address, created.account_id, password)


async def test_passwords_are_neither_truncated_nor_trimmed(factory: AccountFactory, clock: Clock) -> None:
    """Passwords that differ in the hundredth character or in a space are different."""
    owner = await account_with_password(factory, "p" * 99 + "x")
    for almost in ("p" * 99, "p" * 99 + "y", "p" * 99 + "x ", " " + "p" * 99 + "x", "p" * 99 + "X"):
        owner.password = almost
        with refused("CREDENTIALS_MISMATCH"):
            await factory.challenge_for(owner)
    clock.advance(timedelta(seconds=30))
    owner.password = "p" * 99 + "x"
    await factory.challenge_for(owner)


async def test_passwords_are_normalised_to_nfc(factory: AccountFactory) -> None:
    """NIST SP 800-63B section 3.1.1.2."""
    owner = await account_with_password(factory, unicodedata.normalize("NFC", "Gêñérätör \U0001f511"))
    owner.password = unicodedata.normalize("NFD", owner.password)
    await factory.challenge_for(owner)
    owner.password = "Generator \U0001f511"
    with refused("CREDENTIALS_MISMATCH"):
        await factory.challenge_for(owner)


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
async def test_an_assertion_must_be_fresh(
    factory: AccountFactory, rpc: Rpc, clock: Clock, age: timedelta, fits: bool
) -> None:
    """ "`asserted`: at most 10 minutes old, not in the future." The second factor is still required."""
    owner = await factory.account_with_authenticator()
    auth_time = Timestamp()
    auth_time.FromDatetime(clock.now - age)
    asserted = types_pb2.AssertedFirstFactor(account_id=owner.account_id, auth_time=auth_time)
    request = dict(asserted=asserted)
    if fits:
        started = await rpc.StartSignIn(**request)
        assert started.challenge.second_factor == types_pb2.SECOND_FACTOR_AUTHENTICATOR
        return
    with refused("INVALID_FIELD") as refusal:
        await rpc.StartSignIn(**request)
    assert refusal.value.fields == ("asserted.auth_time",)


async def test_an_assertion_for_an_unknown_account(rpc: Rpc, clock: Clock) -> None:
    """ACCOUNT_NOT_FOUND: a caller that may assert may know. A time out of range is INVALID_FIELD."""
    now = Timestamp()
    now.FromDatetime(clock.now)
    unknown = types_pb2.AssertedFirstFactor(account_id=str(uuid4()), auth_time=now)
    with refused("ACCOUNT_NOT_FOUND"):
        await rpc.StartSignIn(asserted=unknown)
    unknown.auth_time.seconds = 2**62
    with refused("INVALID_FIELD") as refusal:
        await rpc.StartSignIn(asserted=unknown)
    assert refusal.value.fields == ("asserted.auth_time",)


async def test_a_retried_creation_creates_one_account(rpc: Rpc, mailbox: Mailbox) -> None:
    """CreateAccount retried with its request_id returns the same account. Its address is EMAIL_TAKEN for others."""
    address = unused_email()
    request = {"email": address, "password": "a fine password", "request_id": str(uuid4())}
    made = [(await rpc.CreateAccount(**request)).account for _ in range(3)]
    assert made[0] == made[1] == made[2]
    assert (made[0].email, made[0].email_verified, made[0].has_password) == (address, False, True)
    request["email"], request["request_id"] = address.upper(), str(uuid4())
    with refused("EMAIL_TAKEN"):
        await rpc.CreateAccount(**request)
    assert (await rpc.GetAccount(account_id=made[0].account_id)).account == made[0]
    assert mailbox.to(address) == []
