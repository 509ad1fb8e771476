"""Re-authentication by a linked identity, and provider failures during account changes."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner
from tests.support.identity_steps import (
    Credential,
    account_with_identity,
    create_account_by,
    link_identity,
    list_identities,
    new_github_user,
    new_subject,
    proof_by,
    set_up_authenticator_by,
    start_sign_in_by,
    unlink_identity,
)
from tests.support.in_process_server import second_in_process_server
from tests.support.providers.openid import TOKEN
from tests.support.rpc import Rpc, refused
from tests.support.servers import Server
from tests.support.steps import STEP
from tests.support.tables import of_account, query
from twofactor.v1 import types_pb2
from twofactor_server.postgres import EmbeddedPostgres


async def regenerate(factory: AccountFactory, owner: Owner, given: types_pb2.Reauthentication) -> int:
    """Regenerate the backup code with this re-authentication; returns the new generation."""
    shown = await factory.rpc.RegenerateBackupCode(session_token=owner.session_token, reauthentication=given)
    generation: int = shown.backup_code.generation
    return generation


async def account_with_identity_and_authenticator(factory: AccountFactory) -> tuple[Owner, str]:
    """An account with an identity, an authenticator and no password; returns it with the identity's subject."""
    who = new_subject()
    owner = await account_with_identity(factory, who)
    await set_up_authenticator_by(factory, owner, who)
    return owner, who


async def test_a_linked_identity_reauthenticates(factory: AccountFactory, clock: Clock) -> None:
    """ "Accounts without one: the same linked identity exchanged now", within ten minutes of the second factor; later
    together with the app's code."""
    owner, who = await account_with_identity_and_authenticator(factory)
    assert await regenerate(factory, owner, proof_by(factory.openid.signed_in(who))) == 2
    clock.advance(timedelta(minutes=10, seconds=1))
    with refused("REAUTHENTICATION_REQUIRED"):
        await regenerate(factory, owner, proof_by(factory.openid.signed_in(who)))
    code = owner.code_at(clock.now)
    assert await regenerate(factory, owner, proof_by(factory.openid.signed_in(who), code)) == 3


async def test_an_account_with_a_password_may_use_either(factory: AccountFactory, rpc: Rpc) -> None:
    owner, user = await factory.account_with_authenticator(), new_github_user()
    await link_identity(factory, owner, factory.github.signed_in(user))
    assert await regenerate(factory, owner, proof_by(factory.github.signed_in(user))) == 2
    assert (await rpc.RegenerateBackupCode(**owner.by_password())).backup_code.generation == 3


async def test_five_wrong_proofs_end_the_session(factory: AccountFactory, rpc: Rpc) -> None:
    """A refused code, another session's nonce, or another person's identity is a guess. It is charged before it is
    verified, and once however often it is sent."""
    owner, who = await account_with_identity_and_authenticator(factory)
    spent = factory.openid.signed_in(who)
    await start_sign_in_by(factory, spent)
    wrong: list[Credential] = [
        spent,
        factory.openid.credential(factory.openid.grant(who), nonce="another session's"),
        factory.openid.credential(factory.openid.grant(who), code_verifier="v" * 43),
        factory.openid.signed_in(new_subject()),
        factory.github.signed_in(new_github_user()),
    ]
    for credential in wrong[:4]:
        for _ in range(3):
            with refused("REAUTHENTICATION_FAILED"):
                await regenerate(factory, owner, proof_by(credential))
    await rpc.GetSession(session_token=owner.session_token)
    with refused("REAUTHENTICATION_FAILED"):
        await regenerate(factory, owner, proof_by(wrong[4]))
    with refused("SESSION_ENDED"):
        await regenerate(factory, owner, proof_by(factory.openid.signed_in(who)))


async def test_a_correct_proof_resets_the_count(factory: AccountFactory) -> None:
    owner, who = await account_with_identity_and_authenticator(factory)
    for _ in range(3):
        for _ in range(4):
            with refused("REAUTHENTICATION_FAILED"):
                await regenerate(factory, owner, proof_by(factory.openid.signed_in(new_subject())))
        await regenerate(factory, owner, proof_by(factory.openid.signed_in(who)))


async def test_an_unlinked_identity_does_not_reauthenticate(factory: AccountFactory) -> None:
    owner, user = await factory.account_with_authenticator(), new_github_user()
    made = await link_identity(factory, owner, factory.github.signed_in(user))
    await unlink_identity(factory, owner, made.identity_id)
    with refused("REAUTHENTICATION_FAILED"):
        await regenerate(factory, owner, proof_by(factory.github.signed_in(user)))


Call = Callable[[AccountFactory, Owner, str, Credential], Awaitable[object]]

CALLS: dict[str, Call] = {
    "StartSignIn": lambda factory, owner, who, credential: start_sign_in_by(factory, credential),
    "CreateAccount": lambda factory, owner, who, credential: create_account_by(factory, credential, str(uuid4())),
    "RegenerateBackupCode": lambda factory, owner, who, credential: regenerate(factory, owner, proof_by(credential)),
    "LinkIdentity": lambda factory, owner, who, credential: link_identity(
        factory, owner, credential, asserted(factory, owner)
    ),
    "LinkIdentity, to prove": lambda factory, owner, who, credential: link_identity(
        factory, owner, factory.github.signed_in(new_github_user()), proof_by(credential)
    ),
}


def asserted(factory: AccountFactory, owner: Owner) -> types_pb2.Reauthentication:
    """A correct proof that needs no provider."""
    assertion = types_pb2.AssertedFirstFactor(account_id=owner.account_id)
    assertion.auth_time.FromDatetime(factory.clock.now)
    return types_pb2.Reauthentication(asserted=assertion)


@pytest.mark.parametrize("call", CALLS)
async def test_an_outage_leaves_nothing_behind(
    factory: AccountFactory, rpc: Rpc, postgres: EmbeddedPostgres, call: str
) -> None:
    """ "DEPENDENCY_UNAVAILABLE, nothing stored, nothing else touched": an outage is not charged and does not end a
    session, and writes no event that looks like an attack."""
    owner, who = await account_with_identity_and_authenticator(factory)
    before = await of_account(postgres.url, owner.account_id)
    accounts = await query(postgres.url, "SELECT count(*) FROM accounts")
    for _ in range(6):
        grant = factory.openid.grant(who)
        with factory.openid.web.answering(TOKEN, "503"), refused("DEPENDENCY_UNAVAILABLE") as refusal:
            await CALLS[call](factory, owner, who, factory.openid.credential(grant))
        assert refusal.value.retry_after is not None
    assert await of_account(postgres.url, owner.account_id) == before
    assert await query(postgres.url, "SELECT count(*) FROM accounts") == accounts
    await rpc.GetSession(session_token=owner.session_token)


async def test_a_refused_code_to_link_is_not_a_guess(factory: AccountFactory, rpc: Rpc) -> None:
    """CREDENTIALS_MISMATCH: the proof was correct, and nothing is charged to the session."""
    owner, who = await account_with_identity_and_authenticator(factory)
    for _ in range(6):
        spent = factory.openid.credential(factory.openid.grant(new_subject()), nonce="another's")
        with refused("CREDENTIALS_MISMATCH"):
            await link_identity(factory, owner, spent, proof_by(factory.openid.signed_in(who)))
    assert len(await list_identities(factory, owner)) == 1
    await rpc.GetSession(session_token=owner.session_token)


async def test_a_taken_identity_is_not_a_guess(factory: AccountFactory, rpc: Rpc) -> None:
    owner, who = await account_with_identity_and_authenticator(factory)
    taken = new_github_user()
    await create_account_by(factory, factory.github.signed_in(taken))
    for _ in range(6):
        with refused("IDENTITY_TAKEN"):
            await link_identity(
                factory, owner, factory.github.signed_in(taken), proof_by(factory.openid.signed_in(who))
            )
    await rpc.GetSession(session_token=owner.session_token)


async def test_passwords_work_while_a_provider_hangs(factory: AccountFactory, server: Server, tmp_path: Path) -> None:
    """A call that waits for a provider holds no slot of the hashing queue: more calls than slots wait, and other users
    sign in.

    Fails if the slots are not released during the wait: the sign-in is refused with OVERLOADED.
    """
    owners = [await account_with_identity_and_authenticator(factory) for _ in range(2)]
    other, web = await factory.account(), factory.openid.web
    async with second_in_process_server(server, tmp_path, factory.providers) as inside:
        near = factory.over(inside.channel)
        already, waiting = web.waiting, []
        with web.answering(TOKEN, "hang"):
            for number in range(inside.hashing_slots + 2):
                owner, who = owners[number % 2]
                waiting.append(asyncio.create_task(regenerate(near, owner, proof_by(factory.openid.signed_in(who)))))
                while web.waiting - already <= number and not waiting[-1].done():
                    await asyncio.sleep(0.01)
            await near.challenge_for(other)
            assert web.waiting - already == len(waiting)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)


async def test_the_app_code_of_a_proof_is_spent(factory: AccountFactory, clock: Clock) -> None:
    owner, who = await account_with_identity_and_authenticator(factory)
    clock.advance(timedelta(minutes=11))
    code = owner.code_at(clock.now)
    await regenerate(factory, owner, proof_by(factory.openid.signed_in(who), code))
    clock.advance(timedelta(minutes=11) + STEP)
    with refused("REAUTHENTICATION_FAILED"):
        await regenerate(factory, owner, proof_by(factory.openid.signed_in(who), "000000"))
