"""Concurrent calls with identities: each identity is linked to one account, and each authorization code is used
once."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

from google.protobuf.message import Message

from tests.concurrency.client_pool import ClientPool, reasons, responses
from tests.support.db_snapshot import SnapshotReader
from tests.support.factories import AccountFactory, Owner
from tests.support.identity_steps import (
    account_with_identity,
    link_identity,
    list_identities,
    new_github_user,
    new_subject,
    start_sign_in_by,
)
from tests.support.mailbox import Mailbox
from tests.support.rpc import Rpc, build, refused
from twofactor.v1 import types_pb2


def link_call(owner: Owner, credential: types_pb2.OidcCredential, request_id: str = "") -> Message:
    """Build LinkIdentity with the password."""
    request: Message = build.LinkIdentity(**owner.by_password(), oidc=credential, request_id=request_id)
    return request


def unlink_call(owner: Owner, identity_id: str, **proof: Any) -> Message:
    """Build UnlinkIdentity with this proof."""
    reauthentication = types_pb2.Reauthentication(**proof)
    request: Message = build.UnlinkIdentity(
        session_token=owner.session_token, reauthentication=reauthentication, identity_id=identity_id
    )
    return request


async def test_8_links_of_one_identity(factory: AccountFactory, clients: ClientPool, db: SnapshotReader) -> None:
    """One account gets it.

    Seen to fail without the claim in ``identity_owners`` (any row count accepted): eight accounts with one
    identity.
    """
    owners = [await factory.signed_in_account() for _ in range(8)]
    who = new_subject()
    outcomes = await clients.call_at_once([link_call(owner, factory.openid.signed_in(who)) for owner in owners])
    assert reasons(outcomes) == {"": 1, "IDENTITY_TAKEN": 7}
    links = 0
    for owner in owners:
        snapshot, mine = await db.snapshot(owner.account_id), await list_identities(factory, owner)
        assert (snapshot.reauthentications, snapshot.mails["identity-linked"]) == (0, len(mine))
        links += len(mine)
    assert links == 1


async def test_8_creations_by_one_identity(factory: AccountFactory, clients: ClientPool) -> None:
    """Eight sign-ins at the provider, or one code eight times, create one account."""
    who = new_subject()
    sign_ins = [factory.openid.signed_in(who) for _ in range(8)]
    outcomes = await clients.call_at_once([build.CreateAccount(oidc=one) for one in sign_ins])
    assert reasons(outcomes) == {"": 1, "IDENTITY_TAKEN": 7}
    request = build.CreateAccount(oidc=factory.openid.signed_in(new_subject()))
    outcomes = await clients.call_at_once([request] * 8)
    assert reasons(outcomes) == {"": 1, "CREDENTIALS_MISMATCH": 7}


async def test_8_retries_of_one_creation(factory: AccountFactory, clients: ClientPool) -> None:
    """With a request_id, a retry gets the same answer or CREDENTIALS_MISMATCH, because the code is spent. Once one
    call was answered, all retries are."""
    request = build.CreateAccount(oidc=factory.openid.signed_in(new_subject()), request_id=str(uuid4()))
    outcomes = await clients.call_at_once([request] * 8)
    assert set(reasons(outcomes)) <= {"", "CREDENTIALS_MISMATCH"}
    assert len({answer.account.account_id for answer in responses(outcomes)}) == 1
    assert reasons(await clients.call_at_once([request] * 8)) == {"": 8}


async def test_8_retries_of_one_link(
    factory: AccountFactory, rpc: Rpc, clients: ClientPool, db: SnapshotReader
) -> None:
    owner = await factory.signed_in_account()
    request = link_call(owner, factory.openid.signed_in(new_subject()), str(uuid4()))
    outcomes = await clients.call_at_once([request] * 8)
    assert set(reasons(outcomes)) <= {"", "CREDENTIALS_MISMATCH"}
    assert len({answer.identity.identity_id for answer in responses(outcomes)}) == 1
    assert (await db.snapshot(owner.account_id)).mails["identity-linked"] == 1
    await rpc.GetSession(session_token=owner.session_token)


async def test_unlinking_both_identities_keeps_one(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, clients: ClientPool, db: SnapshotReader
) -> None:
    """An account without a password and with two identities: each is unlinked with itself as the proof, from two
    sessions. The test locks both rows, so that both calls start before one is done.

    Seen to fail without the row lock of the second factor: both were unlinked, and no first factor was left.
    """
    who, user = new_subject(), new_github_user()
    owner = await account_with_identity(factory, who)
    given = types_pb2.Reauthentication(oidc=factory.openid.signed_in(who))
    await link_identity(factory, owner, factory.github.signed_in(user), given)
    identity_ids = {one.provider: one.identity_id for one in await list_identities(factory, owner)}
    other = Owner(owner.email, owner.account_id)
    challenge = (await start_sign_in_by(factory, factory.openid.signed_in(who))).challenge_token
    code = await mailbox.code(owner.email, 2)
    other.session_token = (await rpc.VerifyEmailCode(challenge_token=challenge, code=code)).session_token
    calls = [
        unlink_call(owner, identity_ids["example"], oidc=factory.openid.signed_in(who)),
        unlink_call(other, identity_ids["github"], github=factory.github.signed_in(user)),
    ]
    async with db.connection.transaction():
        hold = "SELECT 1 FROM identities WHERE account_id = $1 FOR UPDATE"
        await db.connection.fetch(hold, UUID(owner.account_id))
        unlinking = asyncio.create_task(clients.call_at_once(calls))
        await asyncio.sleep(1)
    assert reasons(await unlinking) == {"": 1, "LAST_WAY_IN": 1}
    assert len(await list_identities(factory, owner)) == 1


async def test_an_identity_unlinked_during_a_sign_in(factory: AccountFactory, db: SnapshotReader) -> None:
    """The identity is unlinked between the request to the provider and the insert of the challenge.

    Seen to fail without the second check under the lock: the unlinked identity opened a challenge.
    """
    owner, who = await factory.signed_in_account(), new_subject()
    await link_identity(factory, owner, factory.openid.signed_in(who))
    account_id = UUID(owner.account_id)
    async with db.connection.transaction():
        hold = "SELECT 1 FROM second_factors WHERE account_id = $1 FOR NO KEY UPDATE"
        await db.connection.fetch(hold, account_id)
        starting = asyncio.create_task(start_sign_in_by(factory, factory.openid.signed_in(who)))
        await asyncio.sleep(1)
        for table in ("identities", "identity_owners"):
            await db.connection.execute(f"DELETE FROM {table} WHERE account_id = $1", account_id)  # noqa: S608
    with refused("IDENTITY_NOT_LINKED"):
        await starting
    assert (await db.snapshot(owner.account_id)).challenges == 1
