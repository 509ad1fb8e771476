// Generated from the contract by `cargo run -p generate`. DO NOT EDIT.
use super::pb;
use crate::request_id::{Prepare, derived, normalise_backup_code, normalise_code, random};
use crate::{Client, Error};
impl Client {
    /// Creates an account. It uses e-mail codes from the start, and its address is unverified until the first mailed code
    /// is entered. No mail is sent. Without a password and an identity, sign-in is possible with `asserted` only.
    ///
    /// A repeat with the same request_id and content returns the same account. Without a request_id, a repeat returns
    /// EMAIL_TAKEN for its own address.
    ///
    /// An account created with `oidc` or `github` takes its address, verified, from the provider. If the provider has not
    /// verified an address, the call returns INVALID_FIELD for that member. A repeat with the same request_id and code
    /// does not contact the provider again.
    ///
    /// Reasons: EMAIL_TAKEN; PASSWORD_REJECTED; REQUEST_ID_REUSED; for `oidc` and `github` IDENTITY_TAKEN,
    /// PROVIDER_NOT_CONFIGURED, and CREDENTIALS_MISMATCH if the provider rejects the code.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn create_account(
        &self,
        request: pb::CreateAccountRequest,
    ) -> Result<pb::CreateAccountResponse, Error> {
        self.unary("/twofactor.v1.AccountService/CreateAccount", request).await
    }
    /// Returns an account. Changes nothing and can be repeated freely. The response contains nothing about the second
    /// factor; GetTwoFactor returns that to the holder of a session.
    ///
    /// Reasons: ACCOUNT_NOT_FOUND.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn get_account(
        &self,
        request: pb::GetAccountRequest,
    ) -> Result<pb::GetAccountResponse, Error> {
        self.unary("/twofactor.v1.AccountService/GetAccount", request).await
    }
    /// Sets the password of an account that has none. The other sessions end and open challenges become void.
    ///
    /// A repeat with the same request_id and password is OK. An account that already has a password returns CONFLICT; use
    /// ChangePassword instead.
    ///
    /// Reasons: SESSION_ENDED; REAUTHENTICATION_REQUIRED; REAUTHENTICATION_FAILED; PASSWORD_REJECTED; REQUEST_ID_REUSED;
    /// REQUEST_ID_EXPIRED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn set_password(
        &self,
        request: pb::SetPasswordRequest,
    ) -> Result<pb::SetPasswordResponse, Error> {
        self.unary("/twofactor.v1.AccountService/SetPassword", request).await
    }
    /// Changes the password. The other sessions end and open challenges become void; this session continues. A wrong
    /// current password counts as a failed re-authentication: five failures end the session.
    ///
    /// A repeat with the same request_id and new password is OK.
    ///
    /// Reasons: SESSION_ENDED; REAUTHENTICATION_FAILED, also for an account without a password (use SetPassword instead);
    /// REAUTHENTICATION_REQUIRED for a session that did not pass the currently active second factor; PASSWORD_REJECTED;
    /// REQUEST_ID_REUSED; REQUEST_ID_EXPIRED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn change_password(
        &self,
        request: pb::ChangePasswordRequest,
    ) -> Result<pb::ChangePasswordResponse, Error> {
        self.unary("/twofactor.v1.AccountService/ChangePassword", request).await
    }
    /// Mails a link (purpose `reset-password`, valid for 1 hour) for choosing a new password. Neither the response nor its
    /// timing reveals whether the address has an account. The account itself does not change. Links mailed earlier become
    /// void: only the newest works. If the budget of 3 such mails per account and hour is spent, no mail is sent and the
    /// response is the same.
    ///
    /// Reasons: none of its own.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn start_password_reset(
        &self,
        request: pb::StartPasswordResetRequest,
    ) -> Result<pb::StartPasswordResetResponse, Error> {
        self.unary("/twofactor.v1.AccountService/StartPasswordReset", request).await
    }
    /// Sets the password by a mailed link. All sessions end, open challenges become void, waits and a suspension of the
    /// first factor are cleared, and the link verifies the address. The call does not sign anyone in and does not replace
    /// the second factor: a disabled authenticator stays disabled, and its count of consecutive wrong codes is kept. If
    /// the address was never verified before, a stranger may have created the account, so identities linked to it are
    /// unlinked.
    ///
    /// A repeat with the same password is OK until the link expires.
    ///
    /// Reasons: LINK_INVALID; PASSWORD_REJECTED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn complete_password_reset(
        &self,
        request: pb::CompletePasswordResetRequest,
    ) -> Result<pb::CompletePasswordResetResponse, Error> {
        self.unary("/twofactor.v1.AccountService/CompletePasswordReset", request).await
    }
    /// Starts a change of the e-mail address: mails a link (purpose `confirm-email`, valid for 24 hours) to the new
    /// address. Nothing changes until the link is confirmed. The response does not reveal whether the new address has an
    /// account; if it has, its owner is notified of the attempt. Starting again voids the older link. Each call sends a
    /// mail, at most 3 per hour. The account's current address is INVALID_FIELD.
    ///
    /// Reasons: SESSION_ENDED; REAUTHENTICATION_REQUIRED; REAUTHENTICATION_FAILED; DELIVERY_THROTTLED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn change_email(
        &self,
        request: pb::ChangeEmailRequest,
    ) -> Result<pb::ChangeEmailResponse, Error> {
        self.unary("/twofactor.v1.AccountService/ChangeEmail", request).await
    }
    /// Completes a change of the e-mail address by the mailed link, which also verifies the new address. Open challenges
    /// become void; sessions continue. The old address is notified and can revert the change for 7 days (ReportNotMe),
    /// even if the address has changed again since. During that time no other account can take the old address. Repeating
    /// the call with the same link is OK.
    ///
    /// Reasons: LINK_INVALID, also if another account has taken the address in the meantime or the password has changed.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn confirm_email_change(
        &self,
        request: pb::ConfirmEmailChangeRequest,
    ) -> Result<pb::ConfirmEmailChangeResponse, Error> {
        self.unary("/twofactor.v1.AccountService/ConfirmEmailChange", request).await
    }
    /// Links a provider's identity to the account as an additional first factor. Addresses are not compared: the
    /// provider's may differ from the account's.
    ///
    /// A repeat with the same request_id returns the same link without contacting the provider again. An identity that is
    /// already linked to this account is OK.
    ///
    /// Reasons: SESSION_ENDED; REAUTHENTICATION_REQUIRED; REAUTHENTICATION_FAILED; CREDENTIALS_MISMATCH if the provider
    /// rejects the code; IDENTITY_TAKEN; PROVIDER_NOT_CONFIGURED; REQUEST_ID_REUSED; REQUEST_ID_EXPIRED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn link_identity(
        &self,
        request: pb::LinkIdentityRequest,
    ) -> Result<pb::LinkIdentityResponse, Error> {
        self.unary("/twofactor.v1.AccountService/LinkIdentity", request).await
    }
    /// Removes a link. Open challenges that were started with an identity of its kind become void. An unknown link is OK,
    /// so the call can be repeated freely.
    ///
    /// Reasons: SESSION_ENDED; REAUTHENTICATION_REQUIRED; REAUTHENTICATION_FAILED; LAST_WAY_IN for the only identity of an
    /// account without a password.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn unlink_identity(
        &self,
        request: pb::UnlinkIdentityRequest,
    ) -> Result<pb::UnlinkIdentityResponse, Error> {
        self.unary("/twofactor.v1.AccountService/UnlinkIdentity", request).await
    }
    /// Lists the linked identities, oldest first. Changes nothing and can be repeated freely.
    ///
    /// Reasons: SESSION_ENDED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn list_identities(
        &self,
        request: pb::ListIdentitiesRequest,
    ) -> Result<pb::ListIdentitiesResponse, Error> {
        self.unary("/twofactor.v1.AccountService/ListIdentities", request).await
    }
    /// Reports "this wasn't me" by the link of a notification (purpose `not-me`, valid for 7 days). All sessions end; open
    /// challenges, pending setups and links mailed for other purposes become void; and the reported change is reverted if
    /// it is still in effect (see UndoneChange). A later change has its own notification and is reverted by that one. The
    /// order in which several notifications are reported does not matter. If the account has a password and no new one is
    /// given, the first factor is suspended until the owner confirms by the mailed link.
    ///
    /// A repeat with the same new password returns the same response. Call it when the person presses a button, never on a
    /// GET.
    ///
    /// Reasons: LINK_INVALID; PASSWORD_REJECTED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn report_not_me(
        &self,
        request: pb::ReportNotMeRequest,
    ) -> Result<pb::ReportNotMeResponse, Error> {
        self.unary("/twofactor.v1.AccountService/ReportNotMe", request).await
    }
    /// Lifts the suspension of the first factor by the link that was mailed with it (purpose `confirm-sign-in`, valid for
    /// 7 days), and changes the password. Sessions end and open challenges become void. An owner who has lost the mail
    /// uses StartPasswordReset instead.
    ///
    /// A repeat with the same new password is OK.
    ///
    /// Reasons: LINK_INVALID; PASSWORD_REJECTED; INVALID_FIELD if new_password is missing, or is given for an account
    /// without a password.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn confirm_first_factor(
        &self,
        request: pb::ConfirmFirstFactorRequest,
    ) -> Result<pb::ConfirmFirstFactorResponse, Error> {
        self.unary("/twofactor.v1.AccountService/ConfirmFirstFactor", request).await
    }
    /// Closes an account permanently: it cannot be signed in to, its secrets are erased, and its address and identities
    /// become available to other accounts. Its audit trail is kept. The owner is notified by e-mail. Closing a closed
    /// account is OK, also with the session that the first call ended. To all other methods a closed account does not
    /// exist.
    ///
    /// The owner passes `session_token` and re-authentication; a caller with the role PROVISIONING passes `account_id`.
    ///
    /// Reasons: SESSION_ENDED; REAUTHENTICATION_REQUIRED; REAUTHENTICATION_FAILED; ACCOUNT_NOT_FOUND; CALLER_NOT_ALLOWED
    /// for `account_id` from a caller without the role PROVISIONING.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn close_account(
        &self,
        request: pb::CloseAccountRequest,
    ) -> Result<pb::CloseAccountResponse, Error> {
        self.unary("/twofactor.v1.AccountService/CloseAccount", request).await
    }
    /// Verifies the first factor and starts a challenge. For an account on e-mail codes it also mails the first code.
    ///
    /// A wrong first factor reveals nothing: neither whether the account exists nor which second factor it has. It also
    /// cannot lock out the owner, because only a correct first factor reaches the counters of the second. Wrong passwords
    /// throttle their own network prefix: from the fifth consecutive failure for one address, waits of 30 seconds growing
    /// to one hour apply and are checked before the password is verified. After 100 failures for one address within an
    /// hour, from all networks together, networks from which nobody has signed in to the account within 30 days are
    /// refused until fewer than 100 failures lie within the last hour. A correct password clears the failures of its own
    /// network. `asserted` and providers are not counted.
    ///
    /// A repeat starts another challenge and, on e-mail codes, mails another code; older challenges stay open. This is
    /// harmless but spends mail budget, so gRPC never retries this method automatically. If the mail budget is spent, the
    /// call is refused and no challenge is started.
    ///
    /// Reasons: CREDENTIALS_MISMATCH; FIRST_FACTOR_SUSPENDED; ATTEMPTS_THROTTLED; DELIVERY_THROTTLED; for `asserted`
    /// ACCOUNT_NOT_FOUND, and CALLER_NOT_ALLOWED without the role ASSERTING; for `oidc` and `github`
    /// PROVIDER_NOT_CONFIGURED and IDENTITY_NOT_LINKED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn start_sign_in(
        &self,
        request: pb::StartSignInRequest,
    ) -> Result<pb::StartSignInResponse, Error> {
        self.unary("/twofactor.v1.SignInService/StartSignIn", request).await
    }
    /// Returns a challenge in any state. An expired or exhausted challenge is a normal response (Challenge.state), not a
    /// refusal, until the server deletes it. Changes nothing and can be repeated freely.
    ///
    /// Reasons: CHALLENGE_NOT_FOUND, also for a challenge that another calling service started.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn get_challenge(
        &self,
        request: pb::GetChallengeRequest,
    ) -> Result<pb::GetChallengeResponse, Error> {
        self.unary("/twofactor.v1.SignInService/GetChallenge", request).await
    }
    /// Returns a session and records the activity, which prevents the session from ending after one hour of idleness. It
    /// never extends the session beyond Session.expire_time. Call it for each page that the person opens; it can be
    /// repeated freely.
    ///
    /// Reasons: SESSION_ENDED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn get_session(
        &self,
        request: pb::GetSessionRequest,
    ) -> Result<pb::GetSessionResponse, Error> {
        self.unary("/twofactor.v1.SignInService/GetSession", request).await
    }
    /// Ends a session immediately. A repeat is OK, and so is a session that is unknown or has already ended. A reply
    /// stored for that session (an unsaved backup code) is erased too, so ask the owner to save the code first.
    ///
    /// Reasons: none of its own.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn sign_out(
        &self,
        request: pb::SignOutRequest,
    ) -> Result<pb::SignOutResponse, Error> {
        self.unary("/twofactor.v1.SignInService/SignOut", request).await
    }
    /// Lists the account's active sessions, newest first, including the calling one. Changes nothing, not even the idle
    /// timer, and can be repeated freely.
    ///
    /// Reasons: SESSION_ENDED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn list_sessions(
        &self,
        request: pb::ListSessionsRequest,
    ) -> Result<pb::ListSessionsResponse, Error> {
        self.unary("/twofactor.v1.SignInService/ListSessions", request).await
    }
    /// Ends one session of the account immediately: the calling one or another. A session that is unknown or has already
    /// ended is OK, so the call can be repeated freely. No re-authentication is required, because ending a session is
    /// always safe.
    ///
    /// Reasons: SESSION_ENDED if the calling session has ended.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn revoke_session(
        &self,
        request: pb::RevokeSessionRequest,
    ) -> Result<pb::RevokeSessionResponse, Error> {
        self.unary("/twofactor.v1.SignInService/RevokeSession", request).await
    }
    /// Ends all sessions of the account, with or without the calling one. Can be repeated freely.
    ///
    /// Reasons: SESSION_ENDED if the calling session has ended.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn revoke_other_sessions(
        &self,
        request: pb::RevokeOtherSessionsRequest,
    ) -> Result<pb::RevokeOtherSessionsResponse, Error> {
        self.unary("/twofactor.v1.SignInService/RevokeOtherSessions", request).await
    }
    /// Mails a new 6-digit code for the challenge; older codes stop working. StartSignIn has already sent the first code.
    /// The call does not restore attempts, and does not change the expiry of the challenge or any wait.
    ///
    /// The limits are 3 codes per challenge, including the first, and 10 per account and hour. A repeat with the same
    /// request_id sends nothing and returns the current challenge; without a request_id each call sends another code.
    ///
    /// Reasons: CHALLENGE_NOT_FOUND; CHALLENGE_EXPIRED; CHALLENGE_CONSUMED; CHALLENGE_EXHAUSTED; METHOD_NOT_ACTIVE;
    /// DELIVERY_THROTTLED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn send_email_code(
        &self,
        request: pb::SendEmailCodeRequest,
    ) -> Result<pb::SendEmailCodeResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/SendEmailCode", request).await
    }
    /// Completes the sign-in with the mailed code. Only the newest code of this challenge works, once, for 5 minutes. The
    /// first code that an account enters also verifies its address. A wrong code costs an attempt, even if the caller
    /// disconnects.
    ///
    /// A repeat with the same request_id returns the same session.
    ///
    /// Reasons: CODE_MISMATCH; CODE_SUPERSEDED; CODE_EXPIRED; CHALLENGE_NOT_FOUND; CHALLENGE_EXPIRED; CHALLENGE_CONSUMED;
    /// CHALLENGE_EXHAUSTED; METHOD_NOT_ACTIVE; ATTEMPTS_THROTTLED; REQUEST_ID_REUSED; REQUEST_ID_EXPIRED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn verify_email_code(
        &self,
        request: pb::VerifyEmailCodeRequest,
    ) -> Result<pb::VerifyEmailCodeResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/VerifyEmailCode", request).await
    }
    /// Completes the sign-in with a code of the authenticator. The codes of the current 30-second step, the previous one
    /// and the next one are accepted. The last accepted step and earlier ones are never accepted again (RFC 6238 section
    /// 5.2), on any challenge; that refusal costs nothing. A wrong code costs an attempt, even if the caller disconnects.
    ///
    /// A repeat with the same request_id returns the same session.
    ///
    /// Reasons: CODE_MISMATCH; CODE_ALREADY_USED; CHALLENGE_NOT_FOUND; CHALLENGE_EXPIRED; CHALLENGE_CONSUMED;
    /// CHALLENGE_EXHAUSTED; METHOD_NOT_ACTIVE; AUTHENTICATOR_DISABLED; ATTEMPTS_THROTTLED; REQUEST_ID_REUSED;
    /// REQUEST_ID_EXPIRED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn verify_authenticator_code(
        &self,
        request: pb::VerifyAuthenticatorCodeRequest,
    ) -> Result<pb::VerifyAuthenticatorCodeResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/VerifyAuthenticatorCode", request)
            .await
    }
    /// Completes the sign-in with the backup code, spends it, and returns its replacement, atomically. Of any number of
    /// calls with one code, at any time and on any number of servers, exactly one succeeds.
    ///
    /// A repeat with the same request_id returns the same session and the same new code. After a lost response this is the
    /// only way to see that code again. An earlier code is recognised: CODE_ALREADY_USED says when it was spent. A wrong
    /// code costs an attempt, even if the caller disconnects; repeating the same wrong code on the same challenge costs
    /// nothing. The owner is notified of every use by e-mail.
    ///
    /// There is no growing wait, but an hourly budget of distinct wrong codes: 80 per account, of which at most 30 from
    /// one network prefix.
    ///
    /// Reasons: CODE_MISMATCH; CODE_ALREADY_USED; CHALLENGE_NOT_FOUND; CHALLENGE_EXPIRED; CHALLENGE_CONSUMED;
    /// CHALLENGE_EXHAUSTED; METHOD_NOT_ACTIVE; ATTEMPTS_THROTTLED; OVERLOADED; REQUEST_ID_REUSED; REQUEST_ID_EXPIRED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn use_backup_code(
        &self,
        request: pb::UseBackupCodeRequest,
    ) -> Result<pb::UseBackupCodeResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/UseBackupCode", request).await
    }
    /// Marks the current backup code as saved (the button "I've saved it"). A repeat is OK. From the session that was
    /// shown the code, the call also erases the stored reply. From another session it keeps the reply, because the device
    /// that lost the response may still need it.
    ///
    /// Reasons: SESSION_ENDED; METHOD_NOT_ACTIVE; GENERATION_SUPERSEDED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn confirm_backup_code_saved(
        &self,
        request: pb::ConfirmBackupCodeSavedRequest,
    ) -> Result<pb::ConfirmBackupCodeSavedResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/ConfirmBackupCodeSaved", request)
            .await
    }
    /// Returns the state of the account's second factor for a settings page, never a code or a secret. Changes nothing and
    /// can be repeated freely.
    ///
    /// Reasons: SESSION_ENDED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn get_two_factor(
        &self,
        request: pb::GetTwoFactorRequest,
    ) -> Result<pb::GetTwoFactorResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/GetTwoFactor", request).await
    }
    /// Generates an authenticator secret for the owner's app. Nothing else changes until ConfirmAuthenticatorSetup: an
    /// account on e-mail codes keeps using them, and an active authenticator (when moving to a new phone) keeps working.
    ///
    /// Repeating it is harmless: each call generates another secret and voids the previous setup.
    ///
    /// Reasons: SESSION_ENDED; REAUTHENTICATION_REQUIRED; REAUTHENTICATION_FAILED; ATTEMPTS_THROTTLED;
    /// PROVIDER_NOT_CONFIGURED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn start_authenticator_setup(
        &self,
        request: pb::StartAuthenticatorSetupRequest,
    ) -> Result<pb::StartAuthenticatorSetupResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/StartAuthenticatorSetup", request)
            .await
    }
    /// Enables the new authenticator by its first code and returns the account's backup code. E-mail codes, or the old
    /// authenticator and the old backup code, stop working at the same moment. The confirming code is spent and cannot
    /// also complete a sign-in. A wrong code changes nothing; the fifth voids the setup.
    ///
    /// A repeat with the same request_id from the same session returns the same backup code.
    ///
    /// Reasons: SESSION_ENDED; SETUP_EXPIRED; CODE_MISMATCH; REQUEST_ID_REUSED; REQUEST_ID_EXPIRED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn confirm_authenticator_setup(
        &self,
        request: pb::ConfirmAuthenticatorSetupRequest,
    ) -> Result<pb::ConfirmAuthenticatorSetupResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/ConfirmAuthenticatorSetup", request)
            .await
    }
    /// Voids an unconfirmed setup. The account's second factor does not change. A repeat is OK, and so is a setup that is
    /// unknown, void or already confirmed.
    ///
    /// Reasons: SESSION_ENDED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn cancel_authenticator_setup(
        &self,
        request: pb::CancelAuthenticatorSetupRequest,
    ) -> Result<pb::CancelAuthenticatorSetupResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/CancelAuthenticatorSetup", request)
            .await
    }
    /// Replaces the backup code and returns the new one, once. The old code stops working at the same moment; because it
    /// was never used, it is CODE_MISMATCH from then on. The owner is notified by e-mail.
    ///
    /// A repeat with the same request_id from the same session returns the same code without checking `reauthentication`.
    /// Without a request_id each call generates another code.
    ///
    /// Reasons: SESSION_ENDED; METHOD_NOT_ACTIVE; REAUTHENTICATION_REQUIRED; REAUTHENTICATION_FAILED; ATTEMPTS_THROTTLED;
    /// PROVIDER_NOT_CONFIGURED; REQUEST_ID_REUSED; REQUEST_ID_EXPIRED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn regenerate_backup_code(
        &self,
        request: pb::RegenerateBackupCodeRequest,
    ) -> Result<pb::RegenerateBackupCodeResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/RegenerateBackupCode", request).await
    }
    /// Returns the account to e-mail codes immediately. Its backup code stops working together with the authenticator. The
    /// owner is notified by e-mail.
    ///
    /// A repeat is OK: an account that already uses e-mail codes stays unchanged, and no second mail is sent.
    ///
    /// Reasons: SESSION_ENDED; REAUTHENTICATION_REQUIRED; REAUTHENTICATION_FAILED; ATTEMPTS_THROTTLED;
    /// PROVIDER_NOT_CONFIGURED.
    ///
    /// # Errors
    ///
    /// The reason for which the server rejected the call, or a failure of the connection.
    pub async fn remove_authenticator(
        &self,
        request: pb::RemoveAuthenticatorRequest,
    ) -> Result<pb::RemoveAuthenticatorResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/RemoveAuthenticator", request).await
    }
}
impl Prepare for pb::CreateAccountRequest {
    fn prepare(&mut self) {
        if self.request_id.is_empty() {
            self.request_id = random();
        }
    }
}
impl Prepare for pb::GetAccountRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::SetPasswordRequest {
    fn prepare(&mut self) {
        if self.request_id.is_empty() {
            self.request_id = random();
        }
    }
}
impl Prepare for pb::ChangePasswordRequest {
    fn prepare(&mut self) {
        if self.request_id.is_empty() {
            self.request_id = random();
        }
    }
}
impl Prepare for pb::StartPasswordResetRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::CompletePasswordResetRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::ChangeEmailRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::ConfirmEmailChangeRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::LinkIdentityRequest {
    fn prepare(&mut self) {
        if self.request_id.is_empty() {
            self.request_id = random();
        }
    }
}
impl Prepare for pb::UnlinkIdentityRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::ListIdentitiesRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::ReportNotMeRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::ConfirmFirstFactorRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::CloseAccountRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::StartSignInRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::GetChallengeRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::GetSessionRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::SignOutRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::ListSessionsRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::RevokeSessionRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::RevokeOtherSessionsRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::SendEmailCodeRequest {
    fn prepare(&mut self) {
        if self.request_id.is_empty() {
            self.request_id = random();
        }
    }
}
impl Prepare for pb::VerifyEmailCodeRequest {
    fn prepare(&mut self) {
        if self.request_id.is_empty() {
            self.request_id = derived(
                &[&self.challenge_token, "VerifyEmailCode", &normalise_code(&self.code)],
            );
        }
    }
}
impl Prepare for pb::VerifyAuthenticatorCodeRequest {
    fn prepare(&mut self) {
        if self.request_id.is_empty() {
            self.request_id = derived(
                &[
                    &self.challenge_token,
                    "VerifyAuthenticatorCode",
                    &normalise_code(&self.code),
                ],
            );
        }
    }
}
impl Prepare for pb::UseBackupCodeRequest {
    fn prepare(&mut self) {
        if self.request_id.is_empty() {
            self.request_id = derived(
                &[
                    &self.challenge_token,
                    "UseBackupCode",
                    &normalise_backup_code(&self.backup_code),
                ],
            );
        }
    }
}
impl Prepare for pb::ConfirmBackupCodeSavedRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::GetTwoFactorRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::StartAuthenticatorSetupRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::ConfirmAuthenticatorSetupRequest {
    fn prepare(&mut self) {
        if self.request_id.is_empty() {
            self.request_id = derived(
                &[
                    &self.session_token,
                    "ConfirmAuthenticatorSetup",
                    &self.setup_id.to_ascii_lowercase(),
                    &normalise_code(&self.code),
                ],
            );
        }
    }
}
impl Prepare for pb::CancelAuthenticatorSetupRequest {
    fn prepare(&mut self) {}
}
impl Prepare for pb::RegenerateBackupCodeRequest {
    fn prepare(&mut self) {
        if self.request_id.is_empty() {
            self.request_id = random();
        }
    }
}
impl Prepare for pb::RemoveAuthenticatorRequest {
    fn prepare(&mut self) {}
}
