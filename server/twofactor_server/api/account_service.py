"""AccountService: accounts, their passwords, addresses and identities."""

from typing import Any

from twofactor.v1 import account_service_pb2 as pb
from twofactor.v1 import account_service_pb2_grpc
from twofactor_server.api import fields, messages
from twofactor_server.api.credentials import CredentialReader
from twofactor_server.api.interceptors import current_call
from twofactor_server.crypto.tokens import TokenKind
from twofactor_server.domain.identities import ProviderCredential
from twofactor_server.domain.refusals import Reason
from twofactor_server.flows.account.close import AccountClosing
from twofactor_server.flows.account.create import Accounts
from twofactor_server.flows.account.email_change import EmailChange
from twofactor_server.flows.account.identities import Identities
from twofactor_server.flows.account.password_reset import PasswordResets
from twofactor_server.flows.account.passwords import Passwords
from twofactor_server.flows.account.report import Reports
from twofactor_server.flows.account.unlock import Unlock
from twofactor_server.flows.unit_of_work import Dependencies


class AccountService(account_service_pb2_grpc.AccountServiceServicer):
    def __init__(self, deps: Dependencies) -> None:
        self._credentials = CredentialReader(deps.providers)
        self._accounts = Accounts(deps)
        self._passwords = Passwords(deps)
        self._resets = PasswordResets(deps)
        self._unlock = Unlock(deps)
        self._email_change = EmailChange(deps)
        self._reports = Reports(deps)
        self._closing = AccountClosing(deps)
        self._identities = Identities(deps)

    async def CreateAccount(self, request: pb.CreateAccountRequest, context: Any) -> pb.CreateAccountResponse:
        if credential := self._credentials.identity(request):
            return await self._create_with_identity(request, credential)
        request_id = fields.request_id(request.request_id)
        email = fields.email(fields.required(request.email, "email"), "email")
        password = fields.password(request.password, "password") if request.password else ""
        with fields.name_fields({Reason.EMAIL_TAKEN: "email", Reason.PASSWORD_REJECTED: "password"}):
            account = await self._accounts.create(current_call(), email, password, request_id)
        return pb.CreateAccountResponse(account=messages.account(account))

    async def GetAccount(self, request: pb.GetAccountRequest, context: Any) -> pb.GetAccountResponse:
        match request.WhichOneof("account"):
            case "account_id":
                account = await self._accounts.get(account_id=fields.uuid(request.account_id, "account_id"))
            case "email":
                account = await self._accounts.get(email=fields.email(request.email, "email"))
            case _:
                raise fields.refuse_field("account_id", "account_id or email is required")
        return pb.GetAccountResponse(account=messages.account(account))

    async def SetPassword(self, request: pb.SetPasswordRequest, context: Any) -> pb.SetPasswordResponse:
        token = fields.session_token(request.session_token)
        given = self._credentials.lenient_reauthentication(request.reauthentication)
        request_id = fields.request_id(request.request_id)
        password = fields.password(request.new_password, "new_password")
        with fields.name_fields({Reason.PASSWORD_REJECTED: "new_password"}):
            await self._passwords.set(current_call(request), token, given, password, request_id)
        return pb.SetPasswordResponse()

    async def ChangePassword(self, request: pb.ChangePasswordRequest, context: Any) -> pb.ChangePasswordResponse:
        token = fields.session_token(request.session_token)
        required = fields.required(request.current_password, "current_password")
        current = fields.password(required, "current_password")
        request_id = fields.request_id(request.request_id)
        password = fields.password(request.new_password, "new_password")
        with fields.name_fields({Reason.PASSWORD_REJECTED: "new_password"}):
            await self._passwords.change(current_call(request), token, current, password, request_id)
        return pb.ChangePasswordResponse()

    async def StartPasswordReset(
        self, request: pb.StartPasswordResetRequest, context: Any
    ) -> pb.StartPasswordResetResponse:
        email = fields.email(fields.required(request.email, "email"), "email")
        await self._resets.start(current_call(request), email)
        return pb.StartPasswordResetResponse()

    async def CompletePasswordReset(
        self, request: pb.CompletePasswordResetRequest, context: Any
    ) -> pb.CompletePasswordResetResponse:
        token = fields.token(TokenKind.LINK, request.reset_token, "reset_token")
        password = fields.password(request.new_password, "new_password")
        with fields.name_fields({Reason.PASSWORD_REJECTED: "new_password"}):
            await self._resets.complete(current_call(request), token, password)
        return pb.CompletePasswordResetResponse()

    async def ConfirmFirstFactor(
        self, request: pb.ConfirmFirstFactorRequest, context: Any
    ) -> pb.ConfirmFirstFactorResponse:
        token = fields.token(TokenKind.LINK, request.token, "token")
        password = fields.password(request.new_password, "new_password") if request.new_password else ""
        with fields.name_fields({Reason.PASSWORD_REJECTED: "new_password", Reason.INVALID_FIELD: "new_password"}):
            await self._unlock.unlock(current_call(request), token, password)
        return pb.ConfirmFirstFactorResponse()

    async def ChangeEmail(self, request: pb.ChangeEmailRequest, context: Any) -> pb.ChangeEmailResponse:
        token = fields.session_token(request.session_token)
        email = fields.email(fields.required(request.new_email, "new_email"), "new_email")
        given = self._credentials.reauthentication(request.reauthentication)
        with fields.name_fields({Reason.INVALID_FIELD: "new_email"}):
            expire_time = await self._email_change.start(current_call(request), token, given, email)
        return pb.ChangeEmailResponse(expire_time=messages.timestamp(expire_time))

    async def ConfirmEmailChange(
        self, request: pb.ConfirmEmailChangeRequest, context: Any
    ) -> pb.ConfirmEmailChangeResponse:
        token = fields.token(TokenKind.LINK, request.token, "token")
        account = await self._email_change.confirm(current_call(request), token)
        return pb.ConfirmEmailChangeResponse(account=messages.account(account))

    async def ReportNotMe(self, request: pb.ReportNotMeRequest, context: Any) -> pb.ReportNotMeResponse:
        token = fields.token(TokenKind.LINK, request.token, "token")
        password = fields.password(request.new_password, "new_password") if request.new_password else ""
        with fields.name_fields({Reason.PASSWORD_REJECTED: "new_password", Reason.INVALID_FIELD: "new_password"}):
            reverted = await self._reports.report(current_call(request), token, password)
        return pb.ReportNotMeResponse(undone=messages.reverted_changes(reverted))

    async def CloseAccount(self, request: pb.CloseAccountRequest, context: Any) -> pb.CloseAccountResponse:
        if request.WhichOneof("account") == "account_id":
            account_id = fields.uuid(request.account_id, "account_id")
            await self._closing.close(current_call(request), account_id)
        else:
            token = fields.session_token(request.session_token)
            given = self._credentials.reauthentication(request.reauthentication)
            await self._closing.close_own(current_call(request), token, given)
        return pb.CloseAccountResponse()

    async def LinkIdentity(self, request: pb.LinkIdentityRequest, context: Any) -> pb.LinkIdentityResponse:
        token = fields.session_token(request.session_token)
        given = self._credentials.lenient_reauthentication(request.reauthentication)
        credential = self._credentials.identity(request)
        if credential is None:
            raise fields.refuse_field("identity", "required")
        request_id = fields.request_id(request.request_id)
        linked = await self._identities.link(current_call(request), token, given, credential, request_id)
        return pb.LinkIdentityResponse(identity=messages.identity(linked))

    async def UnlinkIdentity(self, request: pb.UnlinkIdentityRequest, context: Any) -> pb.UnlinkIdentityResponse:
        token = fields.session_token(request.session_token)
        given = self._credentials.reauthentication(request.reauthentication)
        identity_id = fields.uuid(request.identity_id, "identity_id")
        await self._identities.unlink(current_call(request), token, given, identity_id)
        return pb.UnlinkIdentityResponse()

    async def ListIdentities(self, request: pb.ListIdentitiesRequest, context: Any) -> pb.ListIdentitiesResponse:
        linked = await self._identities.list(fields.session_token(request.session_token))
        return pb.ListIdentitiesResponse(identities=[messages.identity(identity) for identity in linked])

    async def _create_with_identity(
        self, request: pb.CreateAccountRequest, credential: ProviderCredential
    ) -> pb.CreateAccountResponse:
        request_id = fields.request_id(request.request_id)
        fields.absent(request, "email", "password")
        path = request.WhichOneof("identity") or "identity"
        with fields.name_fields({Reason.EMAIL_TAKEN: path, Reason.IDENTITY_TAKEN: path, Reason.INVALID_FIELD: path}):
            account = await self._accounts.create_with_identity(current_call(), credential, request_id)
        return pb.CreateAccountResponse(account=messages.account(account))
