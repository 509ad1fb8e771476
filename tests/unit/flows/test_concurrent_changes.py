"""Changes made between the verification of a password and the transaction that relies on it."""

import contextlib
import threading
from asyncio import ensure_future, to_thread
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.factories import AccountFactory
from tests.support.in_process_server import InProcessServer, second_in_process_server
from tests.support.rpc import Rpc, refused
from tests.support.servers import Server
from tests.support.steps import NEW_PASSWORD, change_password, sign_in_by_app
from tests.support.tables import rows
from twofactor_server.postgres import EmbeddedPostgres

PATIENCE = 20.0


class HeldVerification:
    """Password verification of one server. Each result is held back until it is released."""

    def __init__(self, verify: Callable[[str, str], bool]) -> None:
        self._verify = verify
        self._verified, self._released = threading.Event(), threading.Event()

    def verify(self, phc: str, secret: str) -> bool:
        right = self._verify(phc, secret)
        self._verified.set()
        assert self._released.wait(PATIENCE)
        return right

    async def verified(self) -> None:
        """Return once a password has been verified."""
        assert await to_thread(self._verified.wait, PATIENCE)

    def release(self) -> None:
        """Let the server go on."""
        self._released.set()


@contextlib.contextmanager
def held_verification(inside: InProcessServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[HeldVerification]:
    held = HeldVerification(inside.argon2id.verify)
    monkeypatch.setattr(inside.argon2id, "verify", held.verify)
    try:
        yield held
    finally:
        held.release()


async def test_a_password_changed_meanwhile_opens_no_challenge(
    factory: AccountFactory,
    server: Server,
    tmp_path: Path,
    postgres: EmbeddedPostgres,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the check of the password's version under the lock, the old password was answered with a challenge."""
    owner = await factory.signed_in_account()
    async with second_in_process_server(server, tmp_path) as inside:
        with held_verification(inside, monkeypatch) as held:
            local = factory.over(inside.channel)
            signing_in = ensure_future(local.challenge_for(owner))
            await held.verified()
            await change_password(factory, owner)
            held.release()
            with refused("CREDENTIALS_MISMATCH"):
                await signing_in
    assert len(await rows(postgres.url, "challenges", owner.account_id)) == 1
    owner.password = NEW_PASSWORD
    await factory.challenge_for(owner)


@pytest.mark.parametrize("method", ["RemoveAuthenticator", "RegenerateBackupCode"])
async def test_a_late_call_does_not_change_the_next_authenticator(
    factory: AccountFactory, rpc: Rpc, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """A call is slow, its retry is answered, and another authenticator is set up: that one and its backup code stay.

    Without ``check_same_authenticator`` the slow call removed the new authenticator, or replaced the backup code that
    its owner had just been shown.
    """
    owner = await factory.account_with_authenticator()
    async with second_in_process_server(server, tmp_path) as inside:
        with held_verification(inside, monkeypatch) as held:
            asking = ensure_future(getattr(inside.rpc, method)(**owner.by_password()))
            await held.verified()
            await rpc.RemoveAuthenticator(**owner.by_password())
            await factory.set_up_authenticator(owner)
            held.release()
            with refused("CONFLICT"):
                await asking
    await sign_in_by_app(factory, owner)
    await rpc.UseBackupCode(challenge_token=await factory.challenge_for(owner), backup_code=owner.backup_code)
