"""Identities claimed at once: each is linked to one account, and a code is spent once."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

from google.protobuf.message import Message

from tests.conftest import Refusing
from tests.people import CLIENT, People, Person
from tests.providers.owners import BY_PASSWORD, link, linked, some_user, somebody, start, with_identity
from tests.races.ledger import Ledger
from tests.races.racers import Racers, answers, reasons
from twofactor.v1 import account_service_pb2, types_pb2


def link_call(owner: Person, credential: types_pb2.OidcCredential, request_id: str = "") -> Message:
    return account_service_pb2.LinkIdentityRequest(
        session_token=owner.session_token, reauthentication=BY_PASSWORD, oidc=credential, request_id=request_id,
        client=CLIENT,
    )  # fmt: skip


async def test_8_accounts_link_one_identity(people: People, racers: Racers, ledger: Ledger) -> None:
    """One of them gets it.

    Taken out: the claim in ``identity_owners`` (any count accepted) - eight accounts with one identity.
    """
    owners = [await people.signed_in() for _ in range(8)]
    who = somebody()
    outcomes = await racers.race([link_call(owner, people.openid.signed_in(who)) for owner in owners])
    assert reasons(outcomes) == {"": 1, "IDENTITY_TAKEN": 7}
    links = 0
    for owner in owners:
        facts, mine = await ledger.of(owner.account_id), await linked(people, owner)
        assert (facts.reauthentications, facts.mails["identity-linked"]) == (0, len(mine))
        links += len(mine)
    assert links == 1


async def test_8_accounts_are_made_of_one_identity(people: People, racers: Racers) -> None:
    """With eight sign-ins there, or with one code eight times: one account comes of it."""
    who = somebody()
    sign_ins = [people.openid.signed_in(who) for _ in range(8)]
    outcomes = await racers.race([account_service_pb2.CreateAccountRequest(oidc=one) for one in sign_ins])
    assert reasons(outcomes) == {"": 1, "IDENTITY_TAKEN": 7}
    request = account_service_pb2.CreateAccountRequest(oidc=people.openid.signed_in(somebody()))
    outcomes = await racers.race([request] * 8)
    assert reasons(outcomes) == {"": 1, "CREDENTIALS_MISMATCH": 7}


async def test_a_call_that_races_with_itself_makes_one_account(people: People, racers: Racers) -> None:
    """With a request_id a repeat is either answered alike or told that the code is spent, never an account of its own;
    once one of them was answered, all are."""
    request = account_service_pb2.CreateAccountRequest(
        oidc=people.openid.signed_in(somebody()), request_id=str(uuid4())
    )
    outcomes = await racers.race([request] * 8)
    assert set(reasons(outcomes)) <= {"", "CREDENTIALS_MISMATCH"}
    assert len({answer.account.account_id for answer in answers(outcomes)}) == 1
    assert reasons(await racers.race([request] * 8)) == {"": 8}


async def test_a_link_that_races_with_itself_is_one(people: People, racers: Racers, ledger: Ledger) -> None:
    owner = await people.signed_in()
    request = link_call(owner, people.openid.signed_in(somebody()), str(uuid4()))
    outcomes = await racers.race([request] * 8)
    assert set(reasons(outcomes)) <= {"", "CREDENTIALS_MISMATCH"}
    assert len({answer.identity.identity_id for answer in answers(outcomes)}) == 1
    assert (await ledger.of(owner.account_id)).mails["identity-linked"] == 1
    await people.session(owner.session_token)


async def test_the_last_way_in_stays_whatever_races(people: People, racers: Racers, ledger: Ledger) -> None:
    """Without a password and with two identities, each unlinked at once on the strength of itself, from two sessions:
    one stays. The test holds both rows, so that neither call is done before the other has begun.

    Taken out: the row lock of the second factor - both are gone, and nobody can sign in.
    """
    who, user = somebody(), some_user()
    owner = await with_identity(people, who)
    given = types_pb2.Reauthentication(oidc=people.openid.signed_in(who))
    await link(people, owner, people.github.signed_in(user), given)
    identity_ids = {one.provider: one.identity_id for one in await linked(people, owner)}
    other = Person(owner.email, owner.account_id)
    challenge = (await start(people, people.openid.signed_in(who))).challenge_token
    code = await people.mailbox.code(owner.email, 2)
    other.session_token = (await people.verify_email_code(challenge, code)).session_token
    calls = [
        unlink_call(owner, identity_ids["example"], oidc=people.openid.signed_in(who)),
        unlink_call(other, identity_ids["github"], github=people.github.signed_in(user)),
    ]
    async with ledger.connection.transaction():
        hold = "SELECT 1 FROM identities WHERE account_id = $1 FOR UPDATE"
        await ledger.connection.fetch(hold, UUID(owner.account_id))
        racing = asyncio.create_task(racers.race(calls))
        await asyncio.sleep(1)
    assert reasons(await racing) == {"": 1, "LAST_WAY_IN": 1}
    assert len(await linked(people, owner)) == 1


async def test_a_sign_in_that_an_unlinking_overtakes(people: People, ledger: Ledger, refused: Refusing) -> None:
    """The identity was the account's when the provider was asked, and is not when the challenge is written.

    Taken out: looking again under the lock - a challenge is open that an unlinked identity began.
    """
    owner, who = await people.signed_in(), somebody()
    await link(people, owner, people.openid.signed_in(who))
    account_id = UUID(owner.account_id)
    async with ledger.connection.transaction():
        hold = "SELECT 1 FROM second_factors WHERE account_id = $1 FOR NO KEY UPDATE"
        await ledger.connection.fetch(hold, account_id)
        starting = asyncio.create_task(start(people, people.openid.signed_in(who)))
        await asyncio.sleep(1)
        for table in ("identities", "identity_owners"):
            await ledger.connection.execute(f"DELETE FROM {table} WHERE account_id = $1", account_id)  # noqa: S608
    with refused("IDENTITY_NOT_LINKED"):
        await starting
    assert (await ledger.of(owner.account_id)).challenges == 1


def unlink_call(owner: Person, identity_id: str, **given: Any) -> Message:
    return account_service_pb2.UnlinkIdentityRequest(
        session_token=owner.session_token,
        reauthentication=types_pb2.Reauthentication(**given),
        identity_id=identity_id,
        client=CLIENT,
    )
