"""GetTwoFactor and ConfirmBackupCodeSaved: the "Two-Factor Authentication" page and its "I've saved it" button."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.calls import Call
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import Method, Proof, SecondFactor
from twofactor_server.flows.challenge import check_method, current_waits
from twofactor_server.flows.session_lock import lock_session
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.unit_of_work import Dependencies
from twofactor_server.storage import replies, second_factors, sessions


@dataclass(frozen=True, slots=True)
class TwoFactorStatus:
    """The second factor as it is shown. ``must_regenerate``: the code is not saved, and no stored reply shows it."""

    factor: SecondFactor
    waits: Mapping[Proof, datetime]
    must_regenerate: bool


class Status:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def get(self, token: Token) -> TwoFactorStatus:
        """The second factor as it is now. Reads without locks and does not count as activity of the session."""
        now = self._deps.now()
        async with self._deps.database.reading() as tx:
            session = await sessions.find(tx, token.account_id, token.digest)
            found = await second_factors.read_for_status(tx, token.account_id, now) if session else None
        if found is None or session is None:
            raise Refusal(Reason.SESSION_ENDED)
        session.check_live(now, self._deps.session_limits)
        factor, has_reply = found
        unsaved = factor.method is Method.AUTHENTICATOR and factor.saved_time is None
        return TwoFactorStatus(factor, current_waits(factor, now), must_regenerate=unsaved and not has_reply)

    async def confirm_saved(self, call: Call, token: Token, generation: int) -> None:
        """The owner saved the backup code of this generation. Repeating the call has no further effect.

        Only the replies of this session are erased: another device that lost its answer may need its own.
        """
        async with self._deps.unit_of_work(call, TransactionName.BACKUP_CODE_SAVED) as uow:
            locked = await lock_session(uow, token)
            check_method(locked.factor, Method.AUTHENTICATOR)
            if generation != locked.factor.generation:
                raise Refusal(Reason.GENERATION_SUPERSEDED)
            account_id, session = token.account_id, locked.session
            if await second_factors.mark_saved(uow.tx, account_id, generation, uow.now):
                await uow.audit(account_id, "confirm_backup_code_saved", factor=Proof.BACKUP_CODE, session=session)
            await replies.erase_saved(uow.tx, account_id, session.session_id, generation)
