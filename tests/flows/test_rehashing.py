"""A password is hashed anew when Argon2's parameters were raised, at the next sign-in; nothing else changes by it."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NoReturn

import grpc
import pytest
import pytest_asyncio

from tests.api.inside import Inside, beside
from tests.article.password_steps import NEW, change
from tests.conftest import Refusing
from tests.people import People, Person
from tests.security.tables import of_account, rows
from tests.servers import Server
from twofactor_server.crypto.hashing import Argon2id, Argon2Parameters
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage import accounts


@pytest_asyncio.fixture
async def raised(server: Server, tmp_path: Path) -> AsyncIterator[Inside]:
    """A second server beside the first, whose parameters ask more."""
    async with beside(server, tmp_path) as inside:
        Argon2id.__init__(inside.argon2id, Argon2Parameters(memory_kib=512, time=2))
        yield inside


def on(inside: Inside, people: People) -> People:
    return People(inside.stubs, people.mailbox, people.clock)


async def hash_of(postgres: EmbeddedPostgres, owner: Person) -> tuple[str, int]:
    """The PHC string's parameters and the password's version."""
    (row,) = await rows(postgres.url, "accounts", owner.account_id)
    return row["password_hash"].split("$")[3], row["password_version"]


async def test_the_next_sign_in_raises_the_hash(people: People, raised: Inside, postgres: EmbeddedPostgres) -> None:
    """ "Parameters stored and raised over time" (OWASP ASVS 5.0, 11.4.2): once, and only for the right password. The
    version stays: sessions and open challenges go on."""
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    local = on(raised, people)
    stranger = Person(owner.email, owner.account_id, "not the password")
    with pytest.raises(grpc.aio.AioRpcError):
        await local.challenge_for(stranger)
    assert await hash_of(postgres, owner) == ("m=256,t=1,p=1", 1)
    await local.challenge_for(owner)
    assert await hash_of(postgres, owner) == ("m=512,t=2,p=1", 1)
    before = raised.argon2id.operations
    await local.challenge_for(owner)
    assert raised.argon2id.operations == before + 1
    await people.session(owner.session_token)
    await people.use_backup_code(challenge, owner.backup_code)
    await people.challenge_for(owner)
    assert await hash_of(postgres, owner) == ("m=512,t=2,p=1", 1), "a server with less does not take it back"


async def test_a_change_meanwhile_stays(
    people: People, raised: Inside, refused: Refusing, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password is changed between the judgement of the old one and its new hash: the old one never comes back. With
    the look at the hash and the version taken out of the replacement, the old password works again and the new one
    does not."""
    owner = await people.signed_in()
    reached, released, hash_it = threading.Event(), threading.Event(), raised.argon2id.hash

    def slowly(secret: str) -> str:
        reached.set()
        assert released.wait(20)
        return hash_it(secret)

    monkeypatch.setattr(raised.argon2id, "hash", slowly)
    signing_in = asyncio.ensure_future(on(raised, people).challenge_for(owner))
    await asyncio.to_thread(reached.wait, 20)
    await change(people, owner)
    changed = await of_account(postgres.url, owner.account_id)
    released.set()
    with refused("CREDENTIALS_MISMATCH"):
        await signing_in
    assert (await of_account(postgres.url, owner.account_id))["accounts"] == changed["accounts"]
    with refused("CREDENTIALS_MISMATCH"):
        await people.challenge_for(owner)
    owner.password = NEW
    await people.challenge_for(owner)


async def test_it_is_never_in_the_way(
    people: People, raised: Inside, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the new hash cannot be written now, the sign-in goes on with the old one."""
    owner = await people.with_authenticator()

    async def unavailable(*_: object) -> NoReturn:
        raise Refusal(Reason.DEPENDENCY_UNAVAILABLE)

    monkeypatch.setattr(accounts, "rehash_password", unavailable)
    await on(raised, people).challenge_for(owner)
    assert await hash_of(postgres, owner) == ("m=256,t=1,p=1", 1)


async def test_16_sign_ins_at_once(people: People, raised: Inside, postgres: EmbeddedPostgres) -> None:
    """All are let in, whoever of them raises the hash."""
    owner = await people.with_authenticator()
    local, free = on(raised, people), asyncio.Semaphore(4)

    async def sign_in() -> None:
        async with free:
            await local.challenge_for(owner)

    await asyncio.gather(*(sign_in() for _ in range(16)))
    assert await hash_of(postgres, owner) == ("m=512,t=2,p=1", 1)
    await people.challenge_for(owner)
