"""A state-changing method as a story: an initial state, a call that can be retried, and what must hold at the end.

Whatever fault hits the call, it is retried with the same request_id, as a client would. The end is verified through the
contract: exactly one effect, one session, one attempt charged, one e-mail.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar
from uuid import uuid4

from tests.support.factories import AccountFactory, Owner
from tests.support.rpc import Refused, refused
from twofactor_server.flows.background.mail_delivery import LEASE
from twofactor_server.flows.transactions import TransactionName


@dataclass
class Story:
    """One state-changing method on one account.

    ``passes`` are the transactions that its call commits, in order. ``reason`` is the refusal that the call ends with,
    empty for success. ``repeats`` is how often the call may be made before an e-mail budget is exhausted.
    """

    passes: ClassVar[tuple[TransactionName, ...]] = ()
    reason: ClassVar[str] = ""
    repeats: ClassVar[int] = 100
    owner: Owner = field(default_factory=lambda: Owner("", ""))
    request_id: str = field(default_factory=lambda: str(uuid4()))
    challenge: str = ""
    code: str = ""

    async def prepare(self, factory: AccountFactory) -> None:
        """Create the initial state."""
        raise NotImplementedError

    async def call(self, factory: AccountFactory) -> Any:
        """Make the call; every time the same logical call."""
        raise NotImplementedError

    async def check(self, factory: AccountFactory, last: Any) -> None:
        """Verify the end. ``last`` is the response to the last call, None if it was refused."""

    async def retry_and_verify(self, factory: AccountFactory) -> None:
        """Retry the call on a healthy server, and verify the end once the e-mails that a dead server had leased are
        free again."""
        last = None
        if self.reason:
            with refused(self.reason):
                await self.call(factory)
        else:
            last = await self.call(factory)
        factory.clock.advance(LEASE + timedelta(seconds=1))
        await self.check(factory, last)

    async def attempts_left(self, factory: AccountFactory) -> int:
        """The attempts left on the story's challenge."""
        left: int = (await factory.rpc.GetChallenge(challenge_token=self.challenge)).challenge.attempts_left
        return left

    async def challenge_after_waiting(self, factory: AccountFactory, password: str) -> str:
        """Pass the first factor with this password; a throttled call is retried after its retry delay."""
        while True:
            try:
                return await factory.challenge_for(replace(self.owner, password=password))
            except Refused as refusal:
                if refusal.reason != "ATTEMPTS_THROTTLED":
                    raise
                factory.clock.advance(timedelta(seconds=refusal.retry_after or 0))

    async def check_session(self, factory: AccountFactory, token: str) -> None:
        """The token belongs to a live session."""
        await factory.rpc.GetSession(session_token=token)

    async def check_backup_code(self, factory: AccountFactory, code: str) -> None:
        """The backup code works."""
        await factory.rpc.UseBackupCode(challenge_token=await factory.challenge_for(self.owner), backup_code=code)
