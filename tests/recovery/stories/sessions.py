"""Stories of revoked sessions."""

from typing import Any

import pytest

from tests.recovery.stories.story import Story
from tests.support.factories import AccountFactory
from tests.support.rpc import Refused
from twofactor_server.flows.transactions import TransactionName


class RevokeSession(Story):
    """The other session is ended, and this one stays."""

    passes = (TransactionName.SESSION_REVOKED,)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account_with_authenticator()
        challenge = await factory.challenge_for(self.owner)
        used = await factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=self.owner.backup_code)
        self._other, self._session_id = used.session_token, used.session.session_id

    async def call(self, factory: AccountFactory) -> Any:
        return await factory.rpc.RevokeSession(session_token=self.owner.session_token, session_id=self._session_id)

    async def check(self, factory: AccountFactory, last: Any) -> None:
        with pytest.raises(Refused) as ended:
            await factory.rpc.GetSession(session_token=self._other)
        assert ended.value.reason == "SESSION_ENDED"
        assert len((await factory.rpc.ListSessions(session_token=self.owner.session_token)).sessions) == 1


class RevokeOtherSessions(RevokeSession):
    """All other sessions are ended."""

    passes = (TransactionName.OTHER_SESSIONS_REVOKED,)

    async def call(self, factory: AccountFactory) -> Any:
        return await factory.rpc.RevokeOtherSessions(session_token=self.owner.session_token)
