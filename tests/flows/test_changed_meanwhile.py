"""A password that is changed after it was judged right, and before the challenge is opened."""

import asyncio
import threading
from pathlib import Path

import pytest

from tests.api.inside import beside
from tests.article.password_steps import NEW, change
from tests.conftest import Refusing
from tests.people import People
from tests.security.tables import rows
from tests.servers import Server
from twofactor_server.postgres import EmbeddedPostgres


async def test_no_challenge_comes_of_a_password_that_is_no_longer_one(
    people: People, refused: Refusing, server: Server, tmp_path: Path, postgres: EmbeddedPostgres,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """ "A password changed between its verification and the insert" left a fresh challenge behind: the password's
    version is looked at again under the lock.

    Taken out: that look - the password that was no longer one was answered with a challenge."""
    owner = await people.signed_in()
    async with beside(server, tmp_path) as inside:
        reached, released, verify = threading.Event(), threading.Event(), inside.argon2id.verify

        def slowly(phc: str, secret: str) -> bool:
            right = verify(phc, secret)
            reached.set()
            assert released.wait(20)
            return right

        monkeypatch.setattr(inside.argon2id, "verify", slowly)
        local = People(inside.stubs, people.mailbox, people.clock)
        signing_in = asyncio.ensure_future(local.challenge_for(owner))
        await asyncio.to_thread(reached.wait, 20)
        await change(people, owner)
        released.set()
        with refused("CREDENTIALS_MISMATCH"):
            await signing_in
    assert len(await rows(postgres.url, "challenges", owner.account_id)) == 1
    owner.password = NEW
    await people.challenge_for(owner)
