"""A password is hashed again at the next sign-in after Argon2's parameters were raised."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NoReturn

import pytest
import pytest_asyncio

from tests.support.factories import AccountFactory, Owner
from tests.support.in_process_server import InProcessServer, second_in_process_server
from tests.support.rpc import Refused, Rpc, refused
from tests.support.servers import Server
from tests.support.steps import NEW_PASSWORD, change_password
from tests.support.tables import of_account, rows
from twofactor_server.crypto.hashing import Argon2id, Argon2Parameters
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage import accounts


@pytest_asyncio.fixture
async def raised(server: Server, tmp_path: Path) -> AsyncIterator[InProcessServer]:
    """A second server with higher Argon2 parameters."""
    async with second_in_process_server(server, tmp_path) as inside:
        Argon2id.__init__(inside.argon2id, Argon2Parameters(memory_kib=512, time=2))
        yield inside


async def hash_of(postgres: EmbeddedPostgres, owner: Owner) -> tuple[str, int]:
    """The parameters in the PHC string, and the version of the password."""
    (row,) = await rows(postgres.url, "accounts", owner.account_id)
    return row["password_hash"].split("$")[3], row["password_version"]


async def test_the_next_sign_in_raises_the_hash(
    factory: AccountFactory, rpc: Rpc, raised: InProcessServer, postgres: EmbeddedPostgres
) -> None:
    """OWASP ASVS 5.0, 11.4.2. Once, and only for the right password. The version stays the same, so sessions and open
    challenges stay valid."""
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    local = factory.over(raised.channel)
    attacker = Owner(owner.email, owner.account_id, "not the password")
    with pytest.raises(Refused):
        await local.challenge_for(attacker)
    assert await hash_of(postgres, owner) == ("m=256,t=1,p=1", 1)
    await local.challenge_for(owner)
    assert await hash_of(postgres, owner) == ("m=512,t=2,p=1", 1)
    before = raised.argon2id.operations
    await local.challenge_for(owner)
    assert raised.argon2id.operations == before + 1
    await rpc.GetSession(session_token=owner.session_token)
    await rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code)
    await factory.challenge_for(owner)
    assert await hash_of(postgres, owner) == ("m=512,t=2,p=1", 1), (
        "a server with lower parameters does not lower it again"
    )


async def test_a_concurrent_password_change_is_kept(
    factory: AccountFactory, raised: InProcessServer, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password is changed between the verification of the old one and its new hash. Without the conditions on hash
    and version in the UPDATE, the old password worked again and the new one did not."""
    owner = await factory.signed_in_account()
    started, released, hash_secret = threading.Event(), threading.Event(), raised.argon2id.hash

    def hash_slowly(secret: str) -> str:
        started.set()
        assert released.wait(20)
        return hash_secret(secret)

    monkeypatch.setattr(raised.argon2id, "hash", hash_slowly)
    signing_in = asyncio.ensure_future(factory.over(raised.channel).challenge_for(owner))
    await asyncio.to_thread(started.wait, 20)
    await change_password(factory, owner)
    changed = await of_account(postgres.url, owner.account_id)
    released.set()
    with refused("CREDENTIALS_MISMATCH"):
        await signing_in
    assert (await of_account(postgres.url, owner.account_id))["accounts"] == changed["accounts"]
    with refused("CREDENTIALS_MISMATCH"):
        await factory.challenge_for(owner)
    owner.password = NEW_PASSWORD
    await factory.challenge_for(owner)


async def test_a_failed_rehash_does_not_fail_the_sign_in(
    factory: AccountFactory, raised: InProcessServer, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await factory.account_with_authenticator()

    async def unavailable(*_: object) -> NoReturn:
        raise Refusal(Reason.DEPENDENCY_UNAVAILABLE)

    monkeypatch.setattr(accounts, "rehash_password", unavailable)
    await factory.over(raised.channel).challenge_for(owner)
    assert await hash_of(postgres, owner) == ("m=256,t=1,p=1", 1)


async def test_16_concurrent_sign_ins_all_succeed(
    factory: AccountFactory, raised: InProcessServer, postgres: EmbeddedPostgres
) -> None:
    owner = await factory.account_with_authenticator()
    local, free = factory.over(raised.channel), asyncio.Semaphore(4)

    async def sign_in() -> None:
        async with free:
            await local.challenge_for(owner)

    await asyncio.gather(*(sign_in() for _ in range(16)))
    assert await hash_of(postgres, owner) == ("m=512,t=2,p=1", 1)
    await factory.challenge_for(owner)
