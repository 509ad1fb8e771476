"""Identities claimed at once: each is linked to one account, and a code is spent once."""

import asyncio
from uuid import uuid4

import pytest
from google.protobuf.message import Message

from tests.people import CLIENT, People, Person
from tests.providers.owners import BY_PASSWORD, create, link, linked, some_user, somebody, unlink
from tests.races.ledger import Ledger
from tests.races.racers import Racers, answers, reasons
from twofactor.v1 import account_service_pb2, sign_in_service_pb2, types_pb2


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


@pytest.mark.parametrize("times", range(3))
async def test_the_last_way_in_stays_whatever_races(people: People, racers: Racers, times: int) -> None:
    """Without a password and with two identities, each unlinked at once on the strength of itself: one stays.

    Taken out: the row lock - both are gone, and nobody can sign in.
    """
    who, user = somebody(), some_user()
    account = await create(people, people.openid.signed_in(who))
    owner = Person(account.email, account.account_id)
    request = sign_in_service_pb2.StartSignInRequest(oidc=people.openid.signed_in(who), client=CLIENT)
    challenge = (await people.stubs.sign_in.StartSignIn(request)).challenge_token
    code = await people.mailbox.code(owner.email)
    owner.session_token = (await people.verify_email_code(challenge, code)).session_token
    await link(
        people, owner, people.github.signed_in(user), types_pb2.Reauthentication(oidc=people.openid.signed_in(who))
    )
    identity_ids = {one.provider: one.identity_id for one in await linked(people, owner)}
    proofs = {
        identity_ids["example"]: types_pb2.Reauthentication(oidc=people.openid.signed_in(who)),
        identity_ids["github"]: types_pb2.Reauthentication(github=people.github.signed_in(user)),
    }
    outcomes = await racers.race(
        [
            account_service_pb2.UnlinkIdentityRequest(
                session_token=owner.session_token, reauthentication=given, identity_id=identity_id, client=CLIENT
            )
            for identity_id, given in proofs.items()
        ]
    )
    assert reasons(outcomes) == {"": 1, "LAST_WAY_IN": 1}
    assert len(await linked(people, owner)) == 1


async def test_sign_ins_that_race_with_an_unlinking(people: People, racers: Racers) -> None:
    """Whatever comes first: no challenge of the identity is open once it is unlinked.

    Taken out: looking again under the lock - a challenge begun before and written after is open.
    """
    owner, who = await people.signed_in(), somebody()
    made = await link(people, owner, people.openid.signed_in(who))
    starts = [
        sign_in_service_pb2.StartSignInRequest(oidc=people.openid.signed_in(who), client=CLIENT) for _ in range(4)
    ]
    outcomes, _ = await asyncio.gather(racers.race(starts), unlink(people, owner, made.identity_id))
    assert set(reasons(outcomes)) <= {"", "IDENTITY_NOT_LINKED"}
    for answer in answers(outcomes):
        state = (await people.challenge(answer.challenge_token)).state
        assert state == types_pb2.CHALLENGE_STATE_EXPIRED
