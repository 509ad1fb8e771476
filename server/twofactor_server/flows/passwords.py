"""SetPassword and ChangePassword: by a signed-in owner, who proves once more to be the owner."""

from functools import partial
from uuid import UUID

from twofactor_server.crypto.tokens import TokenKind, parse_token
from twofactor_server.domain.accounts import Account, normalise_password
from twofactor_server.domain.calls import Call
from twofactor_server.domain.passwords import check_not_about
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.flows import trail
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.logical_calls import LogicalCall
from twofactor_server.flows.ownership import Owner, lock_owner
from twofactor_server.flows.password_change import apply_new_password, chosen, hash_chosen
from twofactor_server.flows.reauthentication import Charged, Reauthenticating
from twofactor_server.flows.steps import Step
from twofactor_server.storage import accounts
from twofactor_server.storage.database import Transaction

_FIELD = "new_password"
_ACTIONS = {"SetPassword": "set_password", "ChangePassword": "change_password"}


class Passwords:
    """SetPassword and ChangePassword."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps
        self._reauthenticating = Reauthenticating(deps)

    async def set(
        self, call: Call, session_token: str, given: Reauthentication, new_password: str, request_id: UUID | None
    ) -> None:
        """Give a password to an account that has none; CONFLICT if it has one."""
        await self._change(call, "SetPassword", session_token, given, new_password, request_id)

    async def change(
        self, call: Call, session_token: str, current_password: str, new_password: str, request_id: UUID | None
    ) -> None:
        """Replace the password, for the current one. An account that has none: REAUTHENTICATION_FAILED, as for a wrong
        one; SetPassword is the method then."""
        given = Reauthentication(password=normalise_password(current_password, "current_password"))
        await self._change(call, "ChangePassword", session_token, given, new_password, request_id)

    async def _change(
        self,
        call: Call,
        method: str,
        session_token: str,
        given: Reauthentication,
        new_password: str,
        request_id: UUID | None,
    ) -> None:
        token = parse_token(TokenKind.SESSION, session_token, "session_token")
        password = await chosen(new_password, _FIELD)
        logical = LogicalCall(method, token, request_id, password)

        async def charge(tx: Transaction) -> Charged | Refusal | None:
            """None: the change was made before, by this very call."""
            now = self._deps.now()
            owner = await lock_owner(tx, token, now, self._deps.session_limits)
            if await self._changed_before(tx, call, logical, owner):
                return None
            check_not_about(password, _FIELD, owner.session.email, self._deps.product_name)
            proved = given.normalised()
            await self._read(tx, logical, owner)
            return await self._reauthenticating.charge(tx, call, token, owner, proved, now)

        with self._deps.hashing.place() as place:
            charged: Charged | None = await self._deps.transact(call, Step.PASSWORD_CHARGED, charge)
            if charged is None:
                return
            await self._reauthenticating.judge(call, charged, place)
            hashed = await hash_chosen(self._deps, call, place, password)
        replace = partial(self._replace, call=call, logical=logical, charged=charged, password_hash=hashed)
        await self._deps.transact(call, Step.PASSWORD_CHANGED, replace)

    async def _replace(
        self, tx: Transaction, call: Call, logical: LogicalCall, charged: Charged, password_hash: str
    ) -> None:
        now = self._deps.now()
        owner = await lock_owner(tx, logical.token, now, self._deps.session_limits)
        if await self._changed_before(tx, call, logical, owner):
            return
        account = await self._read(tx, logical, owner)
        await self._reauthenticating.confirm(tx, owner, charged)
        session = owner.session
        await apply_new_password(tx, self._deps, call, account, password_hash, now, keep_session=session.session_id)
        await logical.keep(
            tx, self._deps, scope_id=session.session_id, session_id=session.session_id, generation=None, content={},
            now=now,
        )  # fmt: skip
        await trail.record(
            tx, call, account.account_id, _ACTIONS[logical.method], trail.SUCCESS, now, factor="password",
            session=session,
        )  # fmt: skip

    async def _changed_before(self, tx: Transaction, call: Call, logical: LogicalCall, owner: Owner) -> bool:
        now = self._deps.now()
        if await logical.answered(tx, self._deps, owner.session.session_id, now) is None:
            return False
        account_id = owner.factor.account_id
        await trail.record(
            tx, call, account_id, "replay", trail.SUCCESS, now, session=owner.session, method=logical.method
        )
        return True

    async def _read(self, tx: Transaction, logical: LogicalCall, owner: Owner) -> Account:
        """The account under the lock, fit for the method."""
        account = await accounts.by_id(tx, owner.factor.account_id)
        if account is None:
            raise Refusal(Reason.SESSION_ENDED)
        if logical.method == "SetPassword" and account.password_hash is not None:
            raise Refusal(Reason.CONFLICT)
        return account
