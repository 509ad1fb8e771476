"""What is changed after a password was judged right, and before what it was judged for is done."""

import contextlib
import threading
from asyncio import ensure_future, to_thread
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.inside import Inside, beside
from tests.article.password_steps import NEW, change
from tests.article.steps import sign_in_by_app
from tests.conftest import Refusing
from tests.people import People, Person
from tests.security.tables import rows
from tests.servers import Server
from twofactor_server.postgres import EmbeddedPostgres

PATIENCE = 20.0


class Judging:
    """The passwords that one server judges: each answer waits to be let out."""

    def __init__(self, verify: Callable[[str, str], bool]) -> None:
        self._verify = verify
        self._judged, self._let_out = threading.Event(), threading.Event()

    def verify(self, phc: str, secret: str) -> bool:
        """In the server's thread."""
        right = self._verify(phc, secret)
        self._judged.set()
        assert self._let_out.wait(PATIENCE)
        return right

    async def judged(self) -> None:
        """Return once a password has been judged."""
        assert await to_thread(self._judged.wait, PATIENCE)

    def let_out(self) -> None:
        """Let the server go on."""
        self._let_out.set()


@contextlib.contextmanager
def slowly(inside: Inside, monkeypatch: pytest.MonkeyPatch) -> Iterator[Judging]:
    """The server, judging so for the time of the block."""
    judging = Judging(inside.argon2id.verify)
    monkeypatch.setattr(inside.argon2id, "verify", judging.verify)
    try:
        yield judging
    finally:
        judging.let_out()


async def test_no_challenge_comes_of_a_password_that_is_no_longer_one(
    people: People, refused: Refusing, server: Server, tmp_path: Path, postgres: EmbeddedPostgres,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """ "A password changed between its verification and the insert" left a fresh challenge behind: the password's
    version is looked at again under the lock.

    Taken out: that look - the password that was no longer one was answered with a challenge."""
    owner = await people.signed_in()
    async with beside(server, tmp_path) as inside:
        with slowly(inside, monkeypatch) as judging:
            local = People(inside.stubs, people.mailbox, people.clock)
            signing_in = ensure_future(local.challenge_for(owner))
            await judging.judged()
            await change(people, owner)
            judging.let_out()
            with refused("CREDENTIALS_MISMATCH"):
                await signing_in
    assert len(await rows(postgres.url, "challenges", owner.account_id)) == 1
    owner.password = NEW
    await people.challenge_for(owner)


@pytest.mark.parametrize("ask", [People.remove_authenticator, People.regenerate], ids=["remove", "regenerate"])
async def test_what_was_asked_of_one_authenticator_is_not_done_to_the_next(
    people: People, refused: Refusing, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[People, Person], Awaitable[Any]],
) -> None:  # fmt: skip
    """A try dawdles, its retry is answered, and another authenticator is set up: that and its backup code stay.

    Taken out: the look whether it is still the same one - the try removed the new authenticator, or replaced the backup
    code that its owner had just been shown."""
    owner = await people.with_authenticator()
    async with beside(server, tmp_path) as inside:
        with slowly(inside, monkeypatch) as judging:
            asking = ensure_future(ask(People(inside.stubs, people.mailbox, people.clock), owner))
            await judging.judged()
            await people.remove_authenticator(owner)
            await people.set_up_authenticator(owner)
            judging.let_out()
            with refused("CONFLICT"):
                await asking
    await sign_in_by_app(people, owner)
    await people.use_backup_code(await people.challenge_for(owner), owner.backup_code)
