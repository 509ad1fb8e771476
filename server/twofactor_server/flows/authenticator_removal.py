"""RemoveAuthenticator: back to e-mail codes at once; the backup code dies with the authenticator."""

from functools import partial

from twofactor_server.crypto.tokens import Token, TokenKind, parse_token
from twofactor_server.domain.calls import Call
from twofactor_server.domain.not_me import authenticator_changed
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import Refusal
from twofactor_server.domain.second_factors import Method, Proof
from twofactor_server.flows import trail
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.ownership import lock_owner
from twofactor_server.flows.reauthentication import Charged, Reauthenticating
from twofactor_server.flows.steps import Step
from twofactor_server.mail.notices import AuthenticatorOff
from twofactor_server.storage import authenticator_setups, replies, second_factors
from twofactor_server.storage.database import Transaction


class AuthenticatorRemoval:
    """RemoveAuthenticator."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps
        self._reauthenticating = Reauthenticating(deps)

    async def remove(self, call: Call, session_token: str, given: Reauthentication) -> None:
        """Turn the authenticator off; on e-mail codes already: nothing to do, and no second mail. Another one in its
        place by now: CONFLICT, and that one stays."""
        token = parse_token(TokenKind.SESSION, session_token, "session_token")
        given = given.normalised()

        async def charge(tx: Transaction) -> Charged | Refusal | None:
            now = self._deps.now()
            owner = await lock_owner(tx, token, now, self._deps.session_limits)
            if owner.factor.method is Method.EMAIL:
                return None
            return await self._reauthenticating.charge(tx, call, token, owner, given, now)

        with self._deps.hashing.place() as place:
            charged: Charged | None = await self._deps.transact(call, Step.REMOVAL_CHARGED, charge)
            if charged is None:
                return
            await self._reauthenticating.judge(call, charged, place)
        turn_off = partial(self._turn_off, call=call, token=token, charged=charged)
        await self._deps.transact(call, Step.AUTHENTICATOR_OFF, turn_off)

    async def _turn_off(self, tx: Transaction, call: Call, token: Token, charged: Charged) -> None:
        now = self._deps.now()
        owner = await lock_owner(tx, token, now, self._deps.session_limits)
        if owner.factor.method is Method.EMAIL:
            return
        await self._reauthenticating.confirm_for_same(tx, owner, charged)
        account_id, generation = owner.factor.account_id, owner.factor.generation
        await second_factors.turn_off_authenticator(tx, account_id, generation)
        await authenticator_setups.end_all(tx, account_id, now)
        await replies.erase_superseded(tx, account_id, generation + 1)
        await trail.record(
            tx, call, account_id, "remove_authenticator", trail.SUCCESS, now, factor=Proof.AUTHENTICATOR,
            session=owner.session,
        )  # fmt: skip
        notice = AuthenticatorOff(**trail.told(owner.session.email, call, now))
        undoing = authenticator_changed(owner.factor, generation, None)
        await trail.post_undoable(tx, self._deps, account_id, notice, totp_secret=owner.factor.totp_secret, **undoing)
