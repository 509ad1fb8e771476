"""What the "Two-Factor Authentication" page shows, and the "I've saved it" button."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from twofactor_server.crypto.tokens import TokenKind, parse_token
from twofactor_server.domain.calls import Call
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import Method, Proof, SecondFactor
from twofactor_server.flows import trail
from twofactor_server.flows.challenges import check_method, waits_in_force
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.ownership import lock_owner
from twofactor_server.flows.steps import Step
from twofactor_server.storage import replies, second_factors, sessions
from twofactor_server.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class TwoFactorStatus:
    """The second factor as it is shown. ``must_regenerate``: not saved, and no reply can show the code again."""

    factor: SecondFactor
    waits: Mapping[Proof, datetime]
    must_regenerate: bool


class Status:
    """GetTwoFactor and ConfirmBackupCodeSaved."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def get(self, session_token: str) -> TwoFactorStatus:
        """The second factor as it is now. Reads only: it neither locks nor touches anything."""
        token = parse_token(TokenKind.SESSION, session_token, "session_token")

        async def work(tx: Transaction) -> TwoFactorStatus:
            now = self._deps.now()
            session = await sessions.find(tx, token.account_id, token.digest)
            found = await second_factors.read_for_status(tx, token.account_id, now) if session else None
            if found is None or session is None:
                raise Refusal(Reason.SESSION_ENDED)
            session.check_live(now, self._deps.session_limits)
            factor, shown = found
            unsaved = factor.method is Method.AUTHENTICATOR and factor.saved_time is None
            return TwoFactorStatus(factor, waits_in_force(factor, now), must_regenerate=unsaved and not shown)

        return await self._deps.database.read(work)

    async def confirm_saved(self, call: Call, session_token: str, generation: int) -> None:
        """The owner saved the code of this generation; said twice, it is as well.

        Only the replies of the session that says so are erased: another device's may be the only copy for the one
        who lost the answer.
        """
        token = parse_token(TokenKind.SESSION, session_token, "session_token")

        async def work(tx: Transaction) -> None:
            now = self._deps.now()
            owner = await lock_owner(tx, token, now, self._deps.session_limits)
            check_method(owner.factor, Method.AUTHENTICATOR)
            if generation != owner.factor.generation:
                raise Refusal(Reason.GENERATION_SUPERSEDED)
            if await second_factors.mark_saved(tx, token.account_id, generation, now):
                await trail.record(
                    tx, call, token.account_id, "confirm_backup_code_saved", trail.SUCCESS, now,
                    factor=Proof.BACKUP_CODE, session=owner.session,
                )  # fmt: skip
            await replies.erase_saved(tx, token.account_id, owner.session.session_id, generation)

        await self._deps.transact(call, Step.BACKUP_CODE_SAVED, work)
