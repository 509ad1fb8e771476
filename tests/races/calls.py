"""The requests that race, as their senders would fill them in."""

from google.protobuf.message import Message

from tests.people import CLIENT, PASSWORD, Person
from twofactor.v1 import account_service_pb2, sign_in_service_pb2, two_factor_service_pb2, types_pb2


def create_account(email: str, request_id: str = "") -> Message:
    """CreateAccount, with the usual password."""
    return account_service_pb2.CreateAccountRequest(email=email, password=PASSWORD, request_id=request_id)


def start_sign_in(owner: Person) -> Message:
    """StartSignIn, with the password."""
    credential = types_pb2.PasswordCredential(email=owner.email, password=owner.password)
    return sign_in_service_pb2.StartSignInRequest(password=credential, client=CLIENT)


def send_email_code(challenge: str, request_id: str = "") -> Message:
    """SendEmailCode."""
    return two_factor_service_pb2.SendEmailCodeRequest(challenge_token=challenge, request_id=request_id, client=CLIENT)


def use(challenge: str, code: str, request_id: str = "") -> Message:
    """UseBackupCode."""
    return two_factor_service_pb2.UseBackupCodeRequest(
        challenge_token=challenge, backup_code=code, request_id=request_id, client=CLIENT
    )


def authenticator_code(challenge: str, code: str, request_id: str = "") -> Message:
    """VerifyAuthenticatorCode."""
    return two_factor_service_pb2.VerifyAuthenticatorCodeRequest(
        challenge_token=challenge, code=code, request_id=request_id, client=CLIENT
    )


def email_code(challenge: str, code: str, request_id: str = "") -> Message:
    """VerifyEmailCode."""
    return two_factor_service_pb2.VerifyEmailCodeRequest(
        challenge_token=challenge, code=code, request_id=request_id, client=CLIENT
    )


def regenerate(session: str, password: str, request_id: str = "") -> Message:
    """RegenerateBackupCode, for the password."""
    return two_factor_service_pb2.RegenerateBackupCodeRequest(
        session_token=session,
        reauthentication=types_pb2.Reauthentication(password=password),
        request_id=request_id,
        client=CLIENT,
    )


def remove(owner: Person, session: str = "") -> Message:
    """RemoveAuthenticator, for the password."""
    return two_factor_service_pb2.RemoveAuthenticatorRequest(
        session_token=session or owner.session_token,
        reauthentication=types_pb2.Reauthentication(password=owner.password),
        client=CLIENT,
    )


def start_setup(owner: Person, session: str = "") -> Message:
    """StartAuthenticatorSetup, for the password."""
    return two_factor_service_pb2.StartAuthenticatorSetupRequest(
        session_token=session or owner.session_token,
        reauthentication=types_pb2.Reauthentication(password=owner.password),
        client=CLIENT,
    )


def confirm_setup(session: str, setup_id: str, code: str, request_id: str = "") -> Message:
    """ConfirmAuthenticatorSetup."""
    return two_factor_service_pb2.ConfirmAuthenticatorSetupRequest(
        session_token=session, setup_id=setup_id, code=code, request_id=request_id, client=CLIENT
    )


def revoke_others(session: str, *, including_this: bool = False) -> Message:
    """RevokeOtherSessions."""
    return sign_in_service_pb2.RevokeOtherSessionsRequest(
        session_token=session, including_this=including_this, client=CLIENT
    )


def confirm_first_factor(token: str, new_password: str) -> Message:
    """ConfirmFirstFactor."""
    return account_service_pb2.ConfirmFirstFactorRequest(token=token, new_password=new_password, client=CLIENT)


def saved(session: str, generation: int) -> Message:
    """ConfirmBackupCodeSaved."""
    return two_factor_service_pb2.ConfirmBackupCodeSavedRequest(session_token=session, generation=generation)


def status(session: str) -> Message:
    """GetTwoFactor."""
    return two_factor_service_pb2.GetTwoFactorRequest(session_token=session)


def sign_out(session: str) -> Message:
    """SignOut."""
    return sign_in_service_pb2.SignOutRequest(session_token=session)


def change_password(owner: Person, new_password: str, request_id: str = "", session: str = "") -> Message:
    """ChangePassword, for the password."""
    return account_service_pb2.ChangePasswordRequest(
        session_token=session or owner.session_token,
        current_password=owner.password,
        new_password=new_password,
        request_id=request_id,
        client=CLIENT,
    )


def start_password_reset(email: str) -> Message:
    """StartPasswordReset."""
    return account_service_pb2.StartPasswordResetRequest(email=email, client=CLIENT)


def complete_password_reset(token: str, new_password: str) -> Message:
    """CompletePasswordReset."""
    return account_service_pb2.CompletePasswordResetRequest(reset_token=token, new_password=new_password, client=CLIENT)
