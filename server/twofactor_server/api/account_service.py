"""AccountService."""

from typing import Any

from twofactor.v1 import account_service_pb2 as pb
from twofactor.v1 import account_service_pb2_grpc
from twofactor_server.api import calls, credentials, fields, messages
from twofactor_server.domain.refusals import invalid
from twofactor_server.flows.account_closing import AccountClosing
from twofactor_server.flows.accounts import Accounts
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.email_change import EmailChange
from twofactor_server.flows.first_factor_confirmation import FirstFactorConfirmation
from twofactor_server.flows.identities import Identities
from twofactor_server.flows.identity_accounts import IdentityAccounts
from twofactor_server.flows.not_me import NotMe
from twofactor_server.flows.password_reset import PasswordResets
from twofactor_server.flows.passwords import Passwords


class AccountService(account_service_pb2_grpc.AccountServiceServicer):
    """Accounts."""

    def __init__(self, deps: Dependencies) -> None:
        self._accounts = Accounts(deps)
        self._passwords = Passwords(deps)
        self._resets = PasswordResets(deps)
        self._confirmation = FirstFactorConfirmation(deps)
        self._email_change = EmailChange(deps)
        self._not_me = NotMe(deps)
        self._closing = AccountClosing(deps)
        self._identity_accounts = IdentityAccounts(deps)
        self._identities = Identities(deps)

    async def CreateAccount(self, request: pb.CreateAccountRequest, context: Any) -> pb.CreateAccountResponse:
        request_id = fields.request_id(request.request_id)
        if identity := credentials.identity(request):
            fields.absent(request, "email", "password")
            account = await self._identity_accounts.create(calls.current(), identity, request_id)
        else:
            email = fields.required(request.email, "email")
            account = await self._accounts.create(calls.current(), email, request.password, request_id)
        return pb.CreateAccountResponse(account=messages.account(account))

    async def GetAccount(self, request: pb.GetAccountRequest, context: Any) -> pb.GetAccountResponse:
        match request.WhichOneof("account"):
            case "account_id":
                account = await self._accounts.get(account_id=fields.uuid(request.account_id, "account_id"))
            case "email":
                account = await self._accounts.get(email=request.email)
            case _:
                raise invalid("account_id", "account_id or email is required")
        return pb.GetAccountResponse(account=messages.account(account))

    async def SetPassword(self, request: pb.SetPasswordRequest, context: Any) -> pb.SetPasswordResponse:
        token = fields.required(request.session_token, "session_token")
        given = credentials.reauthentication(request.reauthentication)
        request_id = fields.request_id(request.request_id)
        await self._passwords.set(calls.current(request), token, given, request.new_password, request_id)
        return pb.SetPasswordResponse()

    async def ChangePassword(self, request: pb.ChangePasswordRequest, context: Any) -> pb.ChangePasswordResponse:
        token = fields.required(request.session_token, "session_token")
        current = fields.required(request.current_password, "current_password")
        request_id = fields.request_id(request.request_id)
        await self._passwords.change(calls.current(request), token, current, request.new_password, request_id)
        return pb.ChangePasswordResponse()

    async def StartPasswordReset(
        self, request: pb.StartPasswordResetRequest, context: Any
    ) -> pb.StartPasswordResetResponse:
        await self._resets.start(calls.current(request), fields.required(request.email, "email"))
        return pb.StartPasswordResetResponse()

    async def CompletePasswordReset(
        self, request: pb.CompletePasswordResetRequest, context: Any
    ) -> pb.CompletePasswordResetResponse:
        token = fields.required(request.reset_token, "reset_token")
        await self._resets.complete(calls.current(request), token, request.new_password)
        return pb.CompletePasswordResetResponse()

    async def ConfirmFirstFactor(
        self, request: pb.ConfirmFirstFactorRequest, context: Any
    ) -> pb.ConfirmFirstFactorResponse:
        token = fields.required(request.token, "token")
        await self._confirmation.confirm(calls.current(request), token, request.new_password)
        return pb.ConfirmFirstFactorResponse()

    async def ChangeEmail(self, request: pb.ChangeEmailRequest, context: Any) -> pb.ChangeEmailResponse:
        token = fields.required(request.session_token, "session_token")
        email = fields.required(request.new_email, "new_email")
        given = credentials.reauthentication(request.reauthentication)
        expire_time = await self._email_change.start(calls.current(request), token, given, email)
        return pb.ChangeEmailResponse(expire_time=messages.timestamp(expire_time))

    async def ConfirmEmailChange(
        self, request: pb.ConfirmEmailChangeRequest, context: Any
    ) -> pb.ConfirmEmailChangeResponse:
        token = fields.required(request.token, "token")
        account = await self._email_change.confirm(calls.current(request), token)
        return pb.ConfirmEmailChangeResponse(account=messages.account(account))

    async def ReportNotMe(self, request: pb.ReportNotMeRequest, context: Any) -> pb.ReportNotMeResponse:
        token = fields.required(request.token, "token")
        undone = await self._not_me.report(calls.current(request), token, request.new_password)
        return pb.ReportNotMeResponse(undone=messages.undone(undone))

    async def CloseAccount(self, request: pb.CloseAccountRequest, context: Any) -> pb.CloseAccountResponse:
        match request.WhichOneof("account"):
            case "account_id":
                await self._closing.close(calls.current(request), fields.uuid(request.account_id, "account_id"))
            case _:
                token = fields.required(request.session_token, "session_token")
                given = credentials.reauthentication(request.reauthentication)
                await self._closing.close_own(calls.current(request), token, given)
        return pb.CloseAccountResponse()

    async def LinkIdentity(self, request: pb.LinkIdentityRequest, context: Any) -> pb.LinkIdentityResponse:
        token = fields.required(request.session_token, "session_token")
        given = credentials.reauthentication(request.reauthentication)
        identity = credentials.identity(request)
        if identity is None:
            raise invalid("identity", "required")
        request_id = fields.request_id(request.request_id)
        linked = await self._identities.link(calls.current(request), token, given, identity, request_id)
        return pb.LinkIdentityResponse(identity=messages.identity(linked))

    async def UnlinkIdentity(self, request: pb.UnlinkIdentityRequest, context: Any) -> pb.UnlinkIdentityResponse:
        token = fields.required(request.session_token, "session_token")
        given = credentials.reauthentication(request.reauthentication)
        identity_id = fields.uuid(request.identity_id, "identity_id")
        await self._identities.unlink(calls.current(request), token, given, identity_id)
        return pb.UnlinkIdentityResponse()

    async def ListIdentities(self, request: pb.ListIdentitiesRequest, context: Any) -> pb.ListIdentitiesResponse:
        linked = await self._identities.list(fields.required(request.session_token, "session_token"))
        return pb.ListIdentitiesResponse(identities=[messages.identity(one) for one in linked])
