"""The calls of the contract, one method each: fields in, message out; any other status than OK is Refused."""

from twofactor.v1 import sign_in_service_pb2 as sign_ins
from twofactor.v1 import two_factor_service_pb2 as factors
from twofactor.v1.types_pb2 import (
    AssertedFirstFactor,
    Challenge,
    ClientInfo,
    GitHubCredential,
    OidcCredential,
    PasswordCredential,
    Reauthentication,
    Session,
)
from twofactor_try.account_calls import AccountCalls

FirstFactor = PasswordCredential | OidcCredential | GitHubCredential | AssertedFirstFactor


class Contract(AccountCalls):
    """All of it."""

    def seen_from(self, ip_address: str) -> "Contract":
        """The same channel, for a person at another address."""
        return Contract(self._channel, ClientInfo(ip_address=ip_address, user_agent=self._client.user_agent))

    def start_sign_in(self, first_factor: FirstFactor, *, remember_me: bool = False) -> sign_ins.StartSignInResponse:
        request = sign_ins.StartSignInRequest(client=self._client, remember_me=remember_me)
        match first_factor:
            case PasswordCredential():
                request.password.CopyFrom(first_factor)
            case OidcCredential():
                request.oidc.CopyFrom(first_factor)
            case GitHubCredential():
                request.github.CopyFrom(first_factor)
            case _:
                request.asserted.CopyFrom(first_factor)
        return self._ask(self._sign_ins.StartSignIn, request)

    def get_challenge(self, token: str) -> Challenge:
        return self._ask(self._sign_ins.GetChallenge, sign_ins.GetChallengeRequest(challenge_token=token)).challenge

    def get_session(self, token: str) -> Session:
        return self._ask(self._sign_ins.GetSession, sign_ins.GetSessionRequest(session_token=token)).session

    def sign_out(self, token: str) -> None:
        self._ask(self._sign_ins.SignOut, sign_ins.SignOutRequest(session_token=token))

    def list_sessions(self, token: str) -> sign_ins.ListSessionsResponse:
        return self._ask(self._sign_ins.ListSessions, sign_ins.ListSessionsRequest(session_token=token))

    def revoke_session(self, token: str, session_id: str) -> None:
        request = sign_ins.RevokeSessionRequest(session_token=token, session_id=session_id, client=self._client)
        self._ask(self._sign_ins.RevokeSession, request)

    def revoke_other_sessions(self, token: str, *, including_this: bool = False) -> None:
        request = sign_ins.RevokeOtherSessionsRequest(
            session_token=token, including_this=including_this, client=self._client
        )
        self._ask(self._sign_ins.RevokeOtherSessions, request)

    def send_email_code(self, token: str, request_id: str | None = None) -> Challenge:
        request = factors.SendEmailCodeRequest(challenge_token=token, client=self._client)
        return self._ask(self._factors.SendEmailCode, request, request_id).challenge

    def verify_email_code(
        self, token: str, code: str, request_id: str | None = None
    ) -> factors.VerifyEmailCodeResponse:
        request = factors.VerifyEmailCodeRequest(challenge_token=token, code=code, client=self._client)
        return self._ask(self._factors.VerifyEmailCode, request, request_id)

    def verify_authenticator_code(
        self, token: str, code: str, request_id: str | None = None
    ) -> factors.VerifyAuthenticatorCodeResponse:
        request = factors.VerifyAuthenticatorCodeRequest(challenge_token=token, code=code, client=self._client)
        return self._ask(self._factors.VerifyAuthenticatorCode, request, request_id)

    def use_backup_code(self, token: str, code: str, request_id: str | None = None) -> factors.UseBackupCodeResponse:
        request = factors.UseBackupCodeRequest(challenge_token=token, backup_code=code, client=self._client)
        return self._ask(self._factors.UseBackupCode, request, request_id)

    def confirm_saved(self, session_token: str, generation: int) -> None:
        request = factors.ConfirmBackupCodeSavedRequest(session_token=session_token, generation=generation)
        self._ask(self._factors.ConfirmBackupCodeSaved, request)

    def get_two_factor(self, session_token: str) -> factors.GetTwoFactorResponse:
        return self._ask(self._factors.GetTwoFactor, factors.GetTwoFactorRequest(session_token=session_token))

    def start_setup(
        self, session_token: str, proof: Reauthentication | None
    ) -> factors.StartAuthenticatorSetupResponse:
        request = factors.StartAuthenticatorSetupRequest(
            session_token=session_token, reauthentication=proof, client=self._client
        )
        return self._ask(self._factors.StartAuthenticatorSetup, request)

    def confirm_setup(
        self, session_token: str, setup_id: str, code: str, request_id: str | None = None
    ) -> factors.ConfirmAuthenticatorSetupResponse:
        request = factors.ConfirmAuthenticatorSetupRequest(
            session_token=session_token, setup_id=setup_id, code=code, client=self._client
        )
        return self._ask(self._factors.ConfirmAuthenticatorSetup, request, request_id)

    def cancel_setup(self, session_token: str, setup_id: str) -> None:
        request = factors.CancelAuthenticatorSetupRequest(session_token=session_token, setup_id=setup_id)
        self._ask(self._factors.CancelAuthenticatorSetup, request)

    def regenerate(
        self, session_token: str, proof: Reauthentication | None, request_id: str | None = None
    ) -> factors.RegenerateBackupCodeResponse:
        request = factors.RegenerateBackupCodeRequest(
            session_token=session_token,
            reauthentication=proof,
            client=self._client,
        )
        return self._ask(self._factors.RegenerateBackupCode, request, request_id)

    def remove_authenticator(self, session_token: str, proof: Reauthentication | None) -> None:
        request = factors.RemoveAuthenticatorRequest(
            session_token=session_token, reauthentication=proof, client=self._client
        )
        self._ask(self._factors.RemoveAuthenticator, request)
