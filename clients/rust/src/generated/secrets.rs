// Generated from the contract by `cargo run -p generate`. DO NOT EDIT.
use std::fmt::{Debug, Formatter, Result};
use super::*;
/// Shows only whether a secret is set.
struct Secret(bool);
impl Debug for Secret {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(if self.0 { "[hidden]" } else { "\"\"" })
    }
}
impl Debug for PasswordCredential {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("PasswordCredential")
            .field("email", &self.email)
            .field("password", &Secret(!self.password.is_empty()))
            .finish()
    }
}
impl Debug for OidcCredential {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("OidcCredential")
            .field("provider", &self.provider)
            .field("authorization_code", &Secret(!self.authorization_code.is_empty()))
            .field("code_verifier", &Secret(!self.code_verifier.is_empty()))
            .field("nonce", &Secret(!self.nonce.is_empty()))
            .field("redirect_uri", &self.redirect_uri)
            .finish()
    }
}
impl Debug for GitHubCredential {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("GitHubCredential")
            .field("authorization_code", &Secret(!self.authorization_code.is_empty()))
            .field("code_verifier", &Secret(!self.code_verifier.is_empty()))
            .field("redirect_uri", &self.redirect_uri)
            .finish()
    }
}
impl Debug for Reauthentication {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Reauthentication")
            .field("first_factor", &self.first_factor)
            .field("authenticator_code", &Secret(!self.authenticator_code.is_empty()))
            .finish()
    }
}
impl Debug for reauthentication::FirstFactor {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Password(secret) => {
                f.debug_tuple("Password").field(&Secret(!secret.is_empty())).finish()
            }
            Self::Oidc(value) => f.debug_tuple("Oidc").field(value).finish(),
            Self::Github(value) => f.debug_tuple("Github").field(value).finish(),
            Self::Asserted(value) => f.debug_tuple("Asserted").field(value).finish(),
        }
    }
}
impl Debug for BackupCode {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("BackupCode")
            .field("code", &Secret(!self.code.is_empty()))
            .field("generation", &self.generation)
            .finish()
    }
}
impl Debug for CreateAccountRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("CreateAccountRequest")
            .field("email", &self.email)
            .field("password", &Secret(!self.password.is_empty()))
            .field("identity", &self.identity)
            .field("request_id", &self.request_id)
            .finish()
    }
}
impl Debug for create_account_request::Identity {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Oidc(value) => f.debug_tuple("Oidc").field(value).finish(),
            Self::Github(value) => f.debug_tuple("Github").field(value).finish(),
        }
    }
}
impl Debug for SetPasswordRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("SetPasswordRequest")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .field("reauthentication", &self.reauthentication)
            .field("new_password", &Secret(!self.new_password.is_empty()))
            .field("request_id", &self.request_id)
            .field("client", &self.client)
            .finish()
    }
}
impl Debug for ChangePasswordRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("ChangePasswordRequest")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .field("current_password", &Secret(!self.current_password.is_empty()))
            .field("new_password", &Secret(!self.new_password.is_empty()))
            .field("request_id", &self.request_id)
            .field("client", &self.client)
            .finish()
    }
}
impl Debug for CompletePasswordResetRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("CompletePasswordResetRequest")
            .field("reset_token", &Secret(!self.reset_token.is_empty()))
            .field("new_password", &Secret(!self.new_password.is_empty()))
            .field("client", &self.client)
            .finish()
    }
}
impl Debug for ChangeEmailRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("ChangeEmailRequest")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .field("reauthentication", &self.reauthentication)
            .field("new_email", &self.new_email)
            .field("client", &self.client)
            .finish()
    }
}
impl Debug for ConfirmEmailChangeRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("ConfirmEmailChangeRequest")
            .field("token", &Secret(!self.token.is_empty()))
            .field("client", &self.client)
            .finish()
    }
}
impl Debug for LinkIdentityRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("LinkIdentityRequest")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .field("reauthentication", &self.reauthentication)
            .field("identity", &self.identity)
            .field("request_id", &self.request_id)
            .field("client", &self.client)
            .finish()
    }
}
impl Debug for link_identity_request::Identity {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Oidc(value) => f.debug_tuple("Oidc").field(value).finish(),
            Self::Github(value) => f.debug_tuple("Github").field(value).finish(),
        }
    }
}
impl Debug for UnlinkIdentityRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("UnlinkIdentityRequest")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .field("reauthentication", &self.reauthentication)
            .field("identity_id", &self.identity_id)
            .field("client", &self.client)
            .finish()
    }
}
impl Debug for ListIdentitiesRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("ListIdentitiesRequest")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .finish()
    }
}
impl Debug for ReportNotMeRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("ReportNotMeRequest")
            .field("token", &Secret(!self.token.is_empty()))
            .field("new_password", &Secret(!self.new_password.is_empty()))
            .field("client", &self.client)
            .finish()
    }
}
impl Debug for ConfirmFirstFactorRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("ConfirmFirstFactorRequest")
            .field("token", &Secret(!self.token.is_empty()))
            .field("new_password", &Secret(!self.new_password.is_empty()))
            .field("client", &self.client)
            .finish()
    }
}
impl Debug for CloseAccountRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("CloseAccountRequest")
            .field("account", &self.account)
            .field("reauthentication", &self.reauthentication)
            .field("client", &self.client)
            .finish()
    }
}
impl Debug for close_account_request::Account {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::SessionToken(secret) => {
                f.debug_tuple("SessionToken").field(&Secret(!secret.is_empty())).finish()
            }
            Self::AccountId(value) => f.debug_tuple("AccountId").field(value).finish(),
        }
    }
}
impl Debug for StartSignInResponse {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("StartSignInResponse")
            .field("challenge_token", &Secret(!self.challenge_token.is_empty()))
            .field("challenge", &self.challenge)
            .finish()
    }
}
impl Debug for GetChallengeRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("GetChallengeRequest")
            .field("challenge_token", &Secret(!self.challenge_token.is_empty()))
            .finish()
    }
}
impl Debug for GetSessionRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("GetSessionRequest")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .finish()
    }
}
impl Debug for SignOutRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("SignOutRequest")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .finish()
    }
}
impl Debug for ListSessionsRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("ListSessionsRequest")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .finish()
    }
}
impl Debug for RevokeSessionRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("RevokeSessionRequest")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .field("session_id", &self.session_id)
            .field("client", &self.client)
            .finish()
    }
}
impl Debug for RevokeOtherSessionsRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("RevokeOtherSessionsRequest")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .field("including_this", &self.including_this)
            .field("client", &self.client)
            .finish()
    }
}
impl Debug for SendEmailCodeRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("SendEmailCodeRequest")
            .field("challenge_token", &Secret(!self.challenge_token.is_empty()))
            .field("request_id", &self.request_id)
            .field("client", &self.client)
            .finish()
    }
}
impl Debug for VerifyEmailCodeRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("VerifyEmailCodeRequest")
            .field("challenge_token", &Secret(!self.challenge_token.is_empty()))
            .field("code", &Secret(!self.code.is_empty()))
            .field("request_id", &self.request_id)
            .field("client", &self.client)
            .finish()
    }
}
impl Debug for VerifyEmailCodeResponse {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("VerifyEmailCodeResponse")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .field("session", &self.session)
            .field("replayed", &self.replayed)
            .finish()
    }
}
impl Debug for VerifyAuthenticatorCodeRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("VerifyAuthenticatorCodeRequest")
            .field("challenge_token", &Secret(!self.challenge_token.is_empty()))
            .field("code", &Secret(!self.code.is_empty()))
            .field("request_id", &self.request_id)
            .field("client", &self.client)
            .finish()
    }
}
impl Debug for VerifyAuthenticatorCodeResponse {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("VerifyAuthenticatorCodeResponse")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .field("session", &self.session)
            .field("replayed", &self.replayed)
            .finish()
    }
}
impl Debug for UseBackupCodeRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("UseBackupCodeRequest")
            .field("challenge_token", &Secret(!self.challenge_token.is_empty()))
            .field("backup_code", &Secret(!self.backup_code.is_empty()))
            .field("request_id", &self.request_id)
            .field("client", &self.client)
            .finish()
    }
}
impl Debug for UseBackupCodeResponse {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("UseBackupCodeResponse")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .field("session", &self.session)
            .field("new_backup_code", &self.new_backup_code)
            .field("replayed", &self.replayed)
            .finish()
    }
}
impl Debug for ConfirmBackupCodeSavedRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("ConfirmBackupCodeSavedRequest")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .field("generation", &self.generation)
            .finish()
    }
}
impl Debug for GetTwoFactorRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("GetTwoFactorRequest")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .finish()
    }
}
impl Debug for StartAuthenticatorSetupRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("StartAuthenticatorSetupRequest")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .field("reauthentication", &self.reauthentication)
            .field("client", &self.client)
            .finish()
    }
}
impl Debug for StartAuthenticatorSetupResponse {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("StartAuthenticatorSetupResponse")
            .field("setup_id", &self.setup_id)
            .field("secret", &Secret(!self.secret.is_empty()))
            .field("otpauth_uri", &Secret(!self.otpauth_uri.is_empty()))
            .field("qr_code_svg", &Secret(!self.qr_code_svg.is_empty()))
            .field("expire_time", &self.expire_time)
            .finish()
    }
}
impl Debug for ConfirmAuthenticatorSetupRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("ConfirmAuthenticatorSetupRequest")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .field("setup_id", &self.setup_id)
            .field("code", &Secret(!self.code.is_empty()))
            .field("request_id", &self.request_id)
            .field("client", &self.client)
            .finish()
    }
}
impl Debug for CancelAuthenticatorSetupRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("CancelAuthenticatorSetupRequest")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .field("setup_id", &self.setup_id)
            .finish()
    }
}
impl Debug for RegenerateBackupCodeRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("RegenerateBackupCodeRequest")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .field("reauthentication", &self.reauthentication)
            .field("request_id", &self.request_id)
            .field("client", &self.client)
            .finish()
    }
}
impl Debug for RemoveAuthenticatorRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("RemoveAuthenticatorRequest")
            .field("session_token", &Secret(!self.session_token.is_empty()))
            .field("reauthentication", &self.reauthentication)
            .field("client", &self.client)
            .finish()
    }
}
