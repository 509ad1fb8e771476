"""TwoFactorService."""

from typing import Any

from twofactor.v1 import two_factor_service_pb2 as pb
from twofactor.v1 import two_factor_service_pb2_grpc
from twofactor_server.api import calls, credentials, fields, messages
from twofactor_server.flows.authenticator_codes import AuthenticatorCodes
from twofactor_server.flows.authenticator_removal import AuthenticatorRemoval
from twofactor_server.flows.authenticator_setup import AuthenticatorSetups
from twofactor_server.flows.backup_codes import BackupCodes
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.email_codes import EmailCodes
from twofactor_server.flows.regeneration import Regeneration
from twofactor_server.flows.status import Status


class TwoFactorService(two_factor_service_pb2_grpc.TwoFactorServiceServicer):
    """The second factor: at sign-in, and its management by the signed-in owner."""

    def __init__(self, deps: Dependencies) -> None:
        self._email_codes = EmailCodes(deps)
        self._authenticator_codes = AuthenticatorCodes(deps)
        self._backup_codes = BackupCodes(deps)
        self._status = Status(deps)
        self._setups = AuthenticatorSetups(deps)
        self._regeneration = Regeneration(deps)
        self._removal = AuthenticatorRemoval(deps)

    async def SendEmailCode(self, request: pb.SendEmailCodeRequest, context: Any) -> pb.SendEmailCodeResponse:
        token = fields.required(request.challenge_token, "challenge_token")
        request_id = fields.request_id(request.request_id)
        view = await self._email_codes.send(calls.current(request), token, request_id)
        return pb.SendEmailCodeResponse(challenge=messages.challenge(view))

    async def VerifyEmailCode(self, request: pb.VerifyEmailCodeRequest, context: Any) -> pb.VerifyEmailCodeResponse:
        token = fields.required(request.challenge_token, "challenge_token")
        request_id = fields.request_id(request.request_id)
        done = await self._email_codes.verify(calls.current(request), token, request.code, request_id)
        session = messages.session(done.session)
        return pb.VerifyEmailCodeResponse(session_token=done.session_token, session=session, replayed=done.replayed)

    async def VerifyAuthenticatorCode(
        self, request: pb.VerifyAuthenticatorCodeRequest, context: Any
    ) -> pb.VerifyAuthenticatorCodeResponse:
        token = fields.required(request.challenge_token, "challenge_token")
        request_id = fields.request_id(request.request_id)
        done = await self._authenticator_codes.verify(calls.current(request), token, request.code, request_id)
        return pb.VerifyAuthenticatorCodeResponse(
            session_token=done.session_token, session=messages.session(done.session), replayed=done.replayed
        )

    async def UseBackupCode(self, request: pb.UseBackupCodeRequest, context: Any) -> pb.UseBackupCodeResponse:
        token = fields.required(request.challenge_token, "challenge_token")
        request_id = fields.request_id(request.request_id)
        done = await self._backup_codes.use(calls.current(request), token, request.backup_code, request_id)
        return pb.UseBackupCodeResponse(
            session_token=done.session_token,
            session=messages.session(done.session),
            new_backup_code=messages.backup_code(done.new_backup_code),
            replayed=done.replayed,
        )

    async def ConfirmBackupCodeSaved(
        self, request: pb.ConfirmBackupCodeSavedRequest, context: Any
    ) -> pb.ConfirmBackupCodeSavedResponse:
        token = fields.required(request.session_token, "session_token")
        generation = fields.positive(request.generation, "generation")
        await self._status.confirm_saved(calls.current(), token, generation)
        return pb.ConfirmBackupCodeSavedResponse()

    async def GetTwoFactor(self, request: pb.GetTwoFactorRequest, context: Any) -> pb.GetTwoFactorResponse:
        status = await self._status.get(fields.required(request.session_token, "session_token"))
        return messages.two_factor(status)

    async def StartAuthenticatorSetup(
        self, request: pb.StartAuthenticatorSetupRequest, context: Any
    ) -> pb.StartAuthenticatorSetupResponse:
        token = fields.required(request.session_token, "session_token")
        given = credentials.reauthentication(request.reauthentication)
        setup = await self._setups.start(calls.current(request), token, given)
        return messages.authenticator_setup(setup)

    async def ConfirmAuthenticatorSetup(
        self, request: pb.ConfirmAuthenticatorSetupRequest, context: Any
    ) -> pb.ConfirmAuthenticatorSetupResponse:
        token = fields.required(request.session_token, "session_token")
        setup_id = fields.uuid(request.setup_id, "setup_id")
        request_id = fields.request_id(request.request_id)
        shown = await self._setups.confirm(calls.current(request), token, setup_id, request.code, request_id)
        code = messages.backup_code(shown.backup_code)
        return pb.ConfirmAuthenticatorSetupResponse(backup_code=code, replayed=shown.replayed)

    async def CancelAuthenticatorSetup(
        self, request: pb.CancelAuthenticatorSetupRequest, context: Any
    ) -> pb.CancelAuthenticatorSetupResponse:
        token = fields.required(request.session_token, "session_token")
        await self._setups.cancel(calls.current(), token, fields.uuid(request.setup_id, "setup_id"))
        return pb.CancelAuthenticatorSetupResponse()

    async def RegenerateBackupCode(
        self, request: pb.RegenerateBackupCodeRequest, context: Any
    ) -> pb.RegenerateBackupCodeResponse:
        token = fields.required(request.session_token, "session_token")
        given = credentials.reauthentication(request.reauthentication)
        request_id = fields.request_id(request.request_id)
        shown = await self._regeneration.regenerate(calls.current(request), token, given, request_id)
        code = messages.backup_code(shown.backup_code)
        return pb.RegenerateBackupCodeResponse(backup_code=code, replayed=shown.replayed)

    async def RemoveAuthenticator(
        self, request: pb.RemoveAuthenticatorRequest, context: Any
    ) -> pb.RemoveAuthenticatorResponse:
        token = fields.required(request.session_token, "session_token")
        given = credentials.reauthentication(request.reauthentication)
        await self._removal.remove(calls.current(request), token, given)
        return pb.RemoveAuthenticatorResponse()
