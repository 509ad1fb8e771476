"""The calls of the contract, one method each: fields in, message out; any other status than OK is Refused."""

import time
from typing import TypeVar

import grpc

from twofactor.v1 import account_service_pb2 as accounts
from twofactor.v1 import sign_in_service_pb2 as sign_ins
from twofactor.v1 import two_factor_service_pb2 as factors
from twofactor.v1.account_service_pb2_grpc import AccountServiceStub
from twofactor.v1.sign_in_service_pb2_grpc import SignInServiceStub
from twofactor.v1.two_factor_service_pb2_grpc import TwoFactorServiceStub
from twofactor.v1.types_pb2 import (
    Account,
    AssertedFirstFactor,
    Challenge,
    ClientInfo,
    PasswordCredential,
    Reauthentication,
    Session,
)
from twofactor_try import request_ids
from twofactor_try.refusals import Refused

TIMEOUT_SECONDS = 10.0
"""Said with each call: exact, and told to the server. The service config's own, where shorter, counts as well."""

PATIENCE_SECONDS = 20.0
"""How long a call that is answered OVERLOADED is repeated."""

Request = TypeVar("Request")
Answer = TypeVar("Answer")


class Contract:
    """What a calling service may ask, for the person at `client`.

    `request_id` left out is derived from what the call holds, or minted where that says nothing; "" wants no replay.
    """

    def __init__(self, channel: grpc.Channel, client: ClientInfo) -> None:
        self._channel = channel
        self._client = client
        self._accounts = AccountServiceStub(channel)
        self._sign_ins = SignInServiceStub(channel)
        self._factors = TwoFactorServiceStub(channel)
        self.turned_away = 0
        """How often a call was answered OVERLOADED and asked again."""

    def seen_from(self, ip_address: str) -> "Contract":
        """The same channel, for a person at another address."""
        return Contract(self._channel, ClientInfo(ip_address=ip_address, user_agent=self._client.user_agent))

    def create_account(self, email: str, password: str, request_id: str | None = None) -> Account:
        request = accounts.CreateAccountRequest(
            email=email, password=password, request_id=request_ids.minted() if request_id is None else request_id
        )
        return self._ask(self._accounts.CreateAccount, request).account

    def get_account(self, *, email: str = "", account_id: str = "") -> Account:
        request = (
            accounts.GetAccountRequest(account_id=account_id) if account_id else accounts.GetAccountRequest(email=email)
        )
        return self._ask(self._accounts.GetAccount, request).account

    def set_password(
        self, session_token: str, proof: Reauthentication, new_password: str, request_id: str | None = None
    ) -> None:
        request = accounts.SetPasswordRequest(
            session_token=session_token,
            reauthentication=proof,
            new_password=new_password,
            request_id=request_ids.minted() if request_id is None else request_id,
            client=self._client,
        )
        self._ask(self._accounts.SetPassword, request)

    def change_password(
        self, session_token: str, current_password: str, new_password: str, request_id: str | None = None
    ) -> None:
        request = accounts.ChangePasswordRequest(
            session_token=session_token,
            current_password=current_password,
            new_password=new_password,
            request_id=request_ids.minted() if request_id is None else request_id,
            client=self._client,
        )
        self._ask(self._accounts.ChangePassword, request)

    def start_password_reset(self, email: str) -> None:
        self._ask(
            self._accounts.StartPasswordReset, accounts.StartPasswordResetRequest(email=email, client=self._client)
        )

    def complete_password_reset(self, token: str, new_password: str) -> None:
        request = accounts.CompletePasswordResetRequest(
            reset_token=token, new_password=new_password, client=self._client
        )
        self._ask(self._accounts.CompletePasswordReset, request)

    def change_email(
        self, session_token: str, proof: Reauthentication | None, new_email: str
    ) -> accounts.ChangeEmailResponse:
        request = accounts.ChangeEmailRequest(
            session_token=session_token, reauthentication=proof, new_email=new_email, client=self._client
        )
        return self._ask(self._accounts.ChangeEmail, request)

    def confirm_email_change(self, token: str) -> Account:
        request = accounts.ConfirmEmailChangeRequest(token=token, client=self._client)
        return self._ask(self._accounts.ConfirmEmailChange, request).account

    def report_not_me(self, token: str, new_password: str = "") -> accounts.ReportNotMeResponse:
        request = accounts.ReportNotMeRequest(token=token, new_password=new_password, client=self._client)
        return self._ask(self._accounts.ReportNotMe, request)

    def close_account(
        self, *, session_token: str = "", proof: Reauthentication | None = None, account_id: str = ""
    ) -> None:
        request = accounts.CloseAccountRequest(reauthentication=proof, client=self._client)
        if account_id:
            request.account_id = account_id
        else:
            request.session_token = session_token
        self._ask(self._accounts.CloseAccount, request)

    def start_sign_in(
        self, first_factor: PasswordCredential | AssertedFirstFactor, *, remember_me: bool = False
    ) -> sign_ins.StartSignInResponse:
        request = sign_ins.StartSignInRequest(client=self._client, remember_me=remember_me)
        if isinstance(first_factor, PasswordCredential):
            request.password.CopyFrom(first_factor)
        else:
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

    def confirm_first_factor(self, token: str, new_password: str) -> None:
        request = accounts.ConfirmFirstFactorRequest(token=token, new_password=new_password, client=self._client)
        self._ask(self._accounts.ConfirmFirstFactor, request)

    def send_email_code(self, token: str, request_id: str | None = None) -> Challenge:
        request = factors.SendEmailCodeRequest(
            challenge_token=token,
            request_id=request_ids.minted() if request_id is None else request_id,
            client=self._client,
        )
        return self._ask(self._factors.SendEmailCode, request).challenge

    def verify_email_code(
        self, token: str, code: str, request_id: str | None = None
    ) -> factors.VerifyEmailCodeResponse:
        request = factors.VerifyEmailCodeRequest(
            challenge_token=token,
            code=code,
            request_id=request_ids.derived(token, "VerifyEmailCode", code) if request_id is None else request_id,
            client=self._client,
        )
        return self._ask(self._factors.VerifyEmailCode, request)

    def verify_authenticator_code(
        self, token: str, code: str, request_id: str | None = None
    ) -> factors.VerifyAuthenticatorCodeResponse:
        if request_id is None:
            request_id = request_ids.derived(token, "VerifyAuthenticatorCode", code)
        request = factors.VerifyAuthenticatorCodeRequest(
            challenge_token=token, code=code, request_id=request_id, client=self._client
        )
        return self._ask(self._factors.VerifyAuthenticatorCode, request)

    def use_backup_code(self, token: str, code: str, request_id: str | None = None) -> factors.UseBackupCodeResponse:
        request = factors.UseBackupCodeRequest(
            challenge_token=token,
            backup_code=code,
            request_id=request_ids.derived(token, "UseBackupCode", code) if request_id is None else request_id,
            client=self._client,
        )
        return self._ask(self._factors.UseBackupCode, request)

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
        if request_id is None:
            request_id = request_ids.derived(session_token, f"ConfirmAuthenticatorSetup {setup_id}", code)
        request = factors.ConfirmAuthenticatorSetupRequest(
            session_token=session_token, setup_id=setup_id, code=code, request_id=request_id, client=self._client
        )
        return self._ask(self._factors.ConfirmAuthenticatorSetup, request)

    def cancel_setup(self, session_token: str, setup_id: str) -> None:
        request = factors.CancelAuthenticatorSetupRequest(session_token=session_token, setup_id=setup_id)
        self._ask(self._factors.CancelAuthenticatorSetup, request)

    def regenerate(
        self, session_token: str, proof: Reauthentication | None, request_id: str | None = None
    ) -> factors.RegenerateBackupCodeResponse:
        request = factors.RegenerateBackupCodeRequest(
            session_token=session_token,
            reauthentication=proof,
            request_id=request_ids.minted() if request_id is None else request_id,
            client=self._client,
        )
        return self._ask(self._factors.RegenerateBackupCode, request)

    def remove_authenticator(self, session_token: str, proof: Reauthentication | None) -> None:
        request = factors.RemoveAuthenticatorRequest(
            session_token=session_token, reauthentication=proof, client=self._client
        )
        self._ask(self._factors.RemoveAuthenticator, request)

    def _ask(self, method: "grpc.UnaryUnaryMultiCallable[Request, Answer]", request: Request) -> Answer:
        """The answer; OVERLOADED (nothing was charged) is waited out as RetryInfo says."""
        last_moment = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return method(request, timeout=TIMEOUT_SECONDS)
            except grpc.RpcError as error:
                refused = Refused(error)
            if refused.reason != "OVERLOADED" or time.monotonic() > last_moment:
                raise refused
            self.turned_away += 1
            time.sleep(refused.retry_after or 0.1)
