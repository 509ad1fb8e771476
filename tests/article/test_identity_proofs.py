"""Re-authentication by a linked identity, and providers that fail while accounts are changed."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from tests.api.inside import beside
from tests.article.steps import STEP
from tests.conftest import Refusing
from tests.people import People, Person
from tests.providers.openid import TOKEN
from tests.providers.owners import (
    Credential,
    create,
    link,
    linked,
    proof,
    set_up_app,
    some_user,
    somebody,
    start,
    unlink,
    with_identity,
)
from tests.security.tables import of_account, query
from tests.servers import Server
from twofactor.v1 import two_factor_service_pb2, types_pb2
from twofactor_server.postgres import EmbeddedPostgres


async def regenerate(people: People, owner: Person, given: types_pb2.Reauthentication) -> int:
    """Change something on the strength of this; the new generation."""
    request = two_factor_service_pb2.RegenerateBackupCodeRequest(
        session_token=owner.session_token, reauthentication=given, client=people.client
    )
    return (await people.stubs.two_factor.RegenerateBackupCode(request)).backup_code.generation


async def with_app(people: People) -> tuple[Person, str]:
    """An owner with an authenticator, who has an identity and no password, and the identity's subject."""
    who = somebody()
    owner = await with_identity(people, who)
    await set_up_app(people, owner, who)
    return owner, who


async def test_a_linked_identity_proves_the_owner(people: People, refused: Refusing) -> None:
    """ "Accounts without one: the same linked identity exchanged now", within ten minutes of the second factor; after
    that the app's code beside it."""
    owner, who = await with_app(people)
    assert await regenerate(people, owner, proof(people.openid.signed_in(who))) == 2
    people.clock.advance(timedelta(minutes=10, seconds=1))
    with refused("REAUTHENTICATION_REQUIRED"):
        await regenerate(people, owner, proof(people.openid.signed_in(who)))
    code = owner.code_at(people.clock.now)
    assert await regenerate(people, owner, proof(people.openid.signed_in(who), code)) == 3


async def test_an_account_with_a_password_may_give_either(people: People) -> None:
    owner, user = await people.with_authenticator(), some_user()
    await link(people, owner, people.github.signed_in(user))
    assert await regenerate(people, owner, proof(people.github.signed_in(user))) == 2
    assert (await people.regenerate(owner)).backup_code.generation == 3


async def test_five_wrong_ones_end_the_session(people: People, refused: Refusing) -> None:
    """A code that the provider refuses, another session's nonce, another person's identity: each is a guess, charged
    before it is judged, and once however often it is sent."""
    owner, who = await with_app(people)
    spent = people.openid.signed_in(who)
    await start(people, spent)
    wrong: list[Credential] = [
        spent,
        people.openid.credential(people.openid.grant(who), nonce="another session's"),
        people.openid.credential(people.openid.grant(who), code_verifier="v" * 43),
        people.openid.signed_in(somebody()),
        people.github.signed_in(some_user()),
    ]
    for credential in wrong[:4]:
        for _ in range(3):
            with refused("REAUTHENTICATION_FAILED"):
                await regenerate(people, owner, proof(credential))
    await people.session(owner.session_token)
    with refused("REAUTHENTICATION_FAILED"):
        await regenerate(people, owner, proof(wrong[4]))
    with refused("SESSION_ENDED"):
        await regenerate(people, owner, proof(people.openid.signed_in(who)))


async def test_a_right_one_forgives(people: People, refused: Refusing) -> None:
    owner, who = await with_app(people)
    for _ in range(3):
        for _ in range(4):
            with refused("REAUTHENTICATION_FAILED"):
                await regenerate(people, owner, proof(people.openid.signed_in(somebody())))
        await regenerate(people, owner, proof(people.openid.signed_in(who)))


async def test_an_identity_unlinked_meanwhile_proves_nothing(people: People, refused: Refusing) -> None:
    owner, user = await people.with_authenticator(), some_user()
    made = await link(people, owner, people.github.signed_in(user))
    await unlink(people, owner, made.identity_id)
    with refused("REAUTHENTICATION_FAILED"):
        await regenerate(people, owner, proof(people.github.signed_in(user)))


Call = Callable[[People, Person, str, Credential], Awaitable[object]]

CALLS: dict[str, Call] = {
    "StartSignIn": lambda people, owner, who, credential: start(people, credential),
    "CreateAccount": lambda people, owner, who, credential: create(people, credential, str(uuid4())),
    "RegenerateBackupCode": lambda people, owner, who, credential: regenerate(people, owner, proof(credential)),
    "LinkIdentity": lambda people, owner, who, credential: link(people, owner, credential, vouched(people, owner)),
    "LinkIdentity, to prove": lambda people, owner, who, credential: link(
        people, owner, people.github.signed_in(some_user()), proof(credential)
    ),
}


def vouched(people: People, owner: Person) -> types_pb2.Reauthentication:
    """A right proof that asks no provider."""
    assertion = types_pb2.AssertedFirstFactor(account_id=owner.account_id)
    assertion.auth_time.FromDatetime(people.clock.now)
    return types_pb2.Reauthentication(asserted=assertion)


@pytest.mark.parametrize("call", CALLS)
async def test_an_outage_leaves_nothing_behind(
    people: People, refused: Refusing, postgres: EmbeddedPostgres, call: str
) -> None:
    """ "DEPENDENCY_UNAVAILABLE, nothing stored, nothing else touched": no charge either, so that no outage ends a
    session, and no audit event that looks like an attack."""
    owner, who = await with_app(people)
    before = await of_account(postgres.url, owner.account_id)
    accounts = await query(postgres.url, "SELECT count(*) FROM accounts")
    for _ in range(6):
        grant = people.openid.grant(who)
        with people.openid.web.answering(TOKEN, "503"), refused("DEPENDENCY_UNAVAILABLE") as said:
            await CALLS[call](people, owner, who, people.openid.credential(grant))
        assert said[0].retry_after is not None
    assert await of_account(postgres.url, owner.account_id) == before
    assert await query(postgres.url, "SELECT count(*) FROM accounts") == accounts
    await people.session(owner.session_token)


async def test_a_refused_code_to_link_is_no_guess(people: People, refused: Refusing) -> None:
    """CREDENTIALS_MISMATCH: what proves the owner was right, and is not counted against the session."""
    owner, who = await with_app(people)
    for _ in range(6):
        spent = people.openid.credential(people.openid.grant(somebody()), nonce="another's")
        with refused("CREDENTIALS_MISMATCH"):
            await link(people, owner, spent, proof(people.openid.signed_in(who)))
    assert len(await linked(people, owner)) == 1
    await people.session(owner.session_token)


async def test_a_taken_identity_is_no_guess(people: People, refused: Refusing) -> None:
    owner, who = await with_app(people)
    taken = some_user()
    await create(people, people.github.signed_in(taken))
    for _ in range(6):
        with refused("IDENTITY_TAKEN"):
            await link(people, owner, people.github.signed_in(taken), proof(people.openid.signed_in(who)))
    await people.session(owner.session_token)


async def test_passwords_work_while_a_provider_hangs(people: People, server: Server, tmp_path: Path) -> None:
    """Whoever waits for a provider holds no place in the hashing queue: more of them wait than there are places, and
    everybody else signs in.

    With the places not lent meanwhile, the sign-in is answered OVERLOADED.
    """
    owners = [await with_app(people) for _ in range(2)]
    other, web = await people.with_account(), people.openid.web
    async with beside(server, tmp_path, people.providers) as inside:
        near = People(inside.stubs, people.mailbox, people.clock, providers=people.providers)
        already, waiting = web.waiting, []
        with web.answering(TOKEN, "hang"):
            for number in range(inside.places + 2):
                owner, who = owners[number % 2]
                waiting.append(asyncio.create_task(regenerate(near, owner, proof(people.openid.signed_in(who)))))
                while web.waiting - already <= number and not waiting[-1].done():
                    await asyncio.sleep(0.01)
            await near.challenge_for(other)
            assert web.waiting - already == len(waiting)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)


async def test_the_app_code_of_a_proof_is_spent(people: People, refused: Refusing) -> None:
    owner, who = await with_app(people)
    people.clock.advance(timedelta(minutes=11))
    code = owner.code_at(people.clock.now)
    await regenerate(people, owner, proof(people.openid.signed_in(who), code))
    people.clock.advance(timedelta(minutes=11) + STEP)
    with refused("REAUTHENTICATION_FAILED"):
        await regenerate(people, owner, proof(people.openid.signed_in(who), "000000"))
