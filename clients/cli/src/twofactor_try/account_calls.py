"""The calls of AccountService, one method each: fields in, message out."""

from collections.abc import Sequence
from typing import Any

from twofactor.v1 import account_service_pb2 as accounts
from twofactor.v1.types_pb2 import Account, GitHubCredential, Identity, OidcCredential, Reauthentication
from twofactor_try.asking import Asking


class AccountCalls(Asking):
    """AccountService."""

    def create_account(self, email: str, password: str, request_id: str | None = None) -> Account:
        request = accounts.CreateAccountRequest(email=email, password=password)
        return self._ask(self._accounts.CreateAccount, request, request_id).account

    def create_account_by(
        self, credential: OidcCredential | GitHubCredential, request_id: str | None = None
    ) -> Account:
        request = accounts.CreateAccountRequest(**_member(credential))
        return self._ask(self._accounts.CreateAccount, request, request_id).account

    def link_identity(
        self, session_token: str, proof: Reauthentication, credential: OidcCredential | GitHubCredential
    ) -> Identity:
        request = accounts.LinkIdentityRequest(
            session_token=session_token,
            reauthentication=proof,
            client=self._client,
            **_member(credential),
        )
        return self._ask(self._accounts.LinkIdentity, request).identity

    def unlink_identity(self, session_token: str, proof: Reauthentication, identity_id: str) -> None:
        request = accounts.UnlinkIdentityRequest(
            session_token=session_token, reauthentication=proof, identity_id=identity_id, client=self._client
        )
        self._ask(self._accounts.UnlinkIdentity, request)

    def list_identities(self, session_token: str) -> Sequence[Identity]:
        request = accounts.ListIdentitiesRequest(session_token=session_token)
        return self._ask(self._accounts.ListIdentities, request).identities

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
            client=self._client,
        )
        self._ask(self._accounts.SetPassword, request, request_id)

    def change_password(
        self, session_token: str, current_password: str, new_password: str, request_id: str | None = None
    ) -> None:
        request = accounts.ChangePasswordRequest(
            session_token=session_token,
            current_password=current_password,
            new_password=new_password,
            client=self._client,
        )
        self._ask(self._accounts.ChangePassword, request, request_id)

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

    def confirm_first_factor(self, token: str, new_password: str) -> None:
        request = accounts.ConfirmFirstFactorRequest(token=token, new_password=new_password, client=self._client)
        self._ask(self._accounts.ConfirmFirstFactor, request)


def _member(credential: OidcCredential | GitHubCredential) -> dict[str, Any]:
    """The credential under the name that requests have for it."""
    return {"oidc" if isinstance(credential, OidcCredential) else "github": credential}
