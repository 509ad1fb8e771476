"""Concurrent creations of accounts and requests for e-mail codes."""

from uuid import uuid4

from tests.concurrency.client_pool import ClientPool, reasons, responses
from tests.support.db_snapshot import SnapshotReader
from tests.support.factories import PASSWORD, AccountFactory, unused_email
from tests.support.rpc import build


async def test_8_creations_with_one_address(clients: ClientPool, db: SnapshotReader) -> None:
    """One account gets the address. With one request_id, all calls return that account.

    Seen to fail without the key of addresses: 8 accounts with one address. Without the key of creations: retries
    were EMAIL_TAKEN.
    """
    for request_id, expected in (("", {"": 1, "EMAIL_TAKEN": 7}), (str(uuid4()), {"": 8})):
        address = unused_email()
        outcomes = await clients.call_at_once(
            [build.CreateAccount(email=address, password=PASSWORD, request_id=request_id)] * 8
        )
        assert reasons(outcomes) == expected
        (account_id,) = {answer.account.account_id for answer in responses(outcomes)}
        assert (await db.snapshot(account_id)).generation == 0


async def test_12_sign_ins_with_email_codes(factory: AccountFactory, clients: ClientPool, db: SnapshotReader) -> None:
    """One network gets five codes an hour. A sign-in beyond the budget leaves no challenge.

    Seen to fail without the row lock: 12 codes were sent.
    """
    owner = await factory.account()
    outcomes = await clients.call_at_once([build.StartSignIn(password=owner.credential)] * 12)
    assert reasons(outcomes) == {"": 5, "DELIVERY_THROTTLED": 7}
    snapshot = await db.snapshot(owner.account_id)
    assert (snapshot.challenges, snapshot.mails["sign-in-code"]) == (5, 5)


async def test_16_email_codes_on_one_challenge(
    factory: AccountFactory, clients: ClientPool, db: SnapshotReader
) -> None:
    """A challenge sends three codes, the first at its start. With one request_id, one more is sent.

    Seen to fail without both row locks: INTERNAL from the key of a challenge's codes.
    """
    owner = await factory.account()
    first, second = await factory.challenge_for(owner), await factory.challenge_for(owner)
    repeats = await clients.call_at_once([build.SendEmailCode(challenge_token=first, request_id=str(uuid4()))] * 8)
    assert reasons(repeats) == {"": 8}
    outcomes = await clients.call_at_once([build.SendEmailCode(challenge_token=second) for _ in range(8)])
    assert reasons(outcomes) == {"": 2, "DELIVERY_THROTTLED": 6}
    assert (await db.snapshot(owner.account_id)).mails["sign-in-code"] == 5
