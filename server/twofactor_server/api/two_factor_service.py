"""TwoFactorService: proving the second factor at sign-in, and managing it from a session."""

from typing import Any

from twofactor.v1 import two_factor_service_pb2 as pb
from twofactor.v1 import two_factor_service_pb2_grpc
from twofactor_server.api import fields, messages
from twofactor_server.api.credentials import CredentialReader
from twofactor_server.api.interceptors import current_call
from twofactor_server.domain import backup_codes, email_codes
from twofactor_server.flows.two_factor.authenticator_codes import AuthenticatorCodes
from twofactor_server.flows.two_factor.authenticator_removal import AuthenticatorRemoval
from twofactor_server.flows.two_factor.authenticator_setup import AuthenticatorSetups
from twofactor_server.flows.two_factor.backup_codes import BackupCodes
from twofactor_server.flows.two_factor.email_codes import EmailCodes
from twofactor_server.flows.two_factor.regeneration import Regeneration
from twofactor_server.flows.two_factor.status import Status
from twofactor_server.flows.unit_of_work import Dependencies


class TwoFactorService(two_factor_service_pb2_grpc.TwoFactorServiceServicer):
    def __init__(self, deps: Dependencies) -> None:
        self._credentials = CredentialReader(deps.providers)
        self._email_codes = EmailCodes(deps)
        self._authenticator_codes = AuthenticatorCodes(deps)
        self._backup_codes = BackupCodes(deps)
        self._status = Status(deps)
        self._setups = AuthenticatorSetups(deps)
        self._regeneration = Regeneration(deps)
        self._removal = AuthenticatorRemoval(deps)

    async def SendEmailCode(self, request: pb.SendEmailCodeRequest, context: Any) -> pb.SendEmailCodeResponse:
        token = fields.challenge_token(request.challenge_token)
        challenge = await self._email_codes.send(current_call(request), token, fields.request_id(request.request_id))
        return pb.SendEmailCodeResponse(challenge=messages.challenge(challenge))

    async def VerifyEmailCode(self, request: pb.VerifyEmailCodeRequest, context: Any) -> pb.VerifyEmailCodeResponse:
        token = fields.challenge_token(request.challenge_token)
        digits = fields.parse(email_codes.normalise, request.code, "code")
        request_id = fields.request_id(request.request_id)
        done = await self._email_codes.verify(current_call(request), token, digits, request_id)
        return pb.VerifyEmailCodeResponse(
            session_token=done.session_token, session=messages.session(done.session), replayed=done.replayed
        )

    async def VerifyAuthenticatorCode(
        self, request: pb.VerifyAuthenticatorCodeRequest, context: Any
    ) -> pb.VerifyAuthenticatorCodeResponse:
        token = fields.challenge_token(request.challenge_token)
        digits = fields.parse(email_codes.normalise, request.code, "code")
        request_id = fields.request_id(request.request_id)
        done = await self._authenticator_codes.verify(current_call(request), token, digits, request_id)
        return pb.VerifyAuthenticatorCodeResponse(
            session_token=done.session_token, session=messages.session(done.session), replayed=done.replayed
        )

    async def UseBackupCode(self, request: pb.UseBackupCodeRequest, context: Any) -> pb.UseBackupCodeResponse:
        token = fields.challenge_token(request.challenge_token)
        code = fields.parse(backup_codes.normalise, request.backup_code, "backup_code")
        done = await self._backup_codes.use(current_call(request), token, code, fields.request_id(request.request_id))
        return pb.UseBackupCodeResponse(
            session_token=done.session_token,
            session=messages.session(done.session),
            new_backup_code=messages.backup_code(done.new_backup_code),
            replayed=done.replayed,
        )

    async def ConfirmBackupCodeSaved(
        self, request: pb.ConfirmBackupCodeSavedRequest, context: Any
    ) -> pb.ConfirmBackupCodeSavedResponse:
        token = fields.session_token(request.session_token)
        await self._status.confirm_saved(current_call(), token, fields.positive(request.generation, "generation"))
        return pb.ConfirmBackupCodeSavedResponse()

    async def GetTwoFactor(self, request: pb.GetTwoFactorRequest, context: Any) -> pb.GetTwoFactorResponse:
        return messages.two_factor(await self._status.get(fields.session_token(request.session_token)))

    async def StartAuthenticatorSetup(
        self, request: pb.StartAuthenticatorSetupRequest, context: Any
    ) -> pb.StartAuthenticatorSetupResponse:
        token = fields.session_token(request.session_token)
        given = self._credentials.reauthentication(request.reauthentication)
        return messages.authenticator_setup(await self._setups.start(current_call(request), token, given))

    async def ConfirmAuthenticatorSetup(
        self, request: pb.ConfirmAuthenticatorSetupRequest, context: Any
    ) -> pb.ConfirmAuthenticatorSetupResponse:
        token = fields.session_token(request.session_token)
        setup_id = fields.uuid(request.setup_id, "setup_id")
        digits = fields.parse(email_codes.normalise, request.code, "code")
        request_id = fields.request_id(request.request_id)
        result = await self._setups.confirm(current_call(request), token, setup_id, digits, request_id)
        return pb.ConfirmAuthenticatorSetupResponse(
            backup_code=messages.backup_code(result.backup_code), replayed=result.replayed
        )

    async def CancelAuthenticatorSetup(
        self, request: pb.CancelAuthenticatorSetupRequest, context: Any
    ) -> pb.CancelAuthenticatorSetupResponse:
        token = fields.session_token(request.session_token)
        await self._setups.cancel(current_call(), token, fields.uuid(request.setup_id, "setup_id"))
        return pb.CancelAuthenticatorSetupResponse()

    async def RegenerateBackupCode(
        self, request: pb.RegenerateBackupCodeRequest, context: Any
    ) -> pb.RegenerateBackupCodeResponse:
        token = fields.session_token(request.session_token)
        given = self._credentials.lenient_reauthentication(request.reauthentication)
        request_id = fields.request_id(request.request_id)
        result = await self._regeneration.regenerate(current_call(request), token, given, request_id)
        return pb.RegenerateBackupCodeResponse(
            backup_code=messages.backup_code(result.backup_code), replayed=result.replayed
        )

    async def RemoveAuthenticator(
        self, request: pb.RemoveAuthenticatorRequest, context: Any
    ) -> pb.RemoveAuthenticatorResponse:
        token = fields.session_token(request.session_token)
        given = self._credentials.reauthentication(request.reauthentication)
        await self._removal.remove(current_call(request), token, given)
        return pb.RemoveAuthenticatorResponse()
