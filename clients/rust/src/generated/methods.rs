// Made from the contract by `cargo run -p generate`; do not edit.
use super::pb;
use crate::request_id::{Prepare, backup_code_form, code_form, derived, random};
use crate::{Client, Error};
impl Client {
    /// Makes an account. It is on e-mail codes from the first moment, its address not verified until the first mailed code
    /// is typed. Nothing is mailed. Without password and identity it can be signed in to through `asserted` only.
    ///
    /// Repeated with the same request_id and content it answers the same account and makes no second one. Without a
    /// request_id a repeat finds its own address: EMAIL_TAKEN.
    ///
    /// An account by `oidc` or `github` has the address from the provider, verified; INVALID_FIELD naming that member if the
    /// provider has not verified one. A repeat with the same request_id and code does not ask the provider again.
    ///
    /// Reasons: EMAIL_TAKEN; PASSWORD_REJECTED; REQUEST_ID_REUSED; for `oidc` and `github` IDENTITY_TAKEN,
    /// PROVIDER_NOT_CONFIGURED, and CREDENTIALS_MISMATCH when the provider refuses the code.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn create_account(
        &self,
        request: pb::CreateAccountRequest,
    ) -> Result<pb::CreateAccountResponse, Error> {
        self.unary("/twofactor.v1.AccountService/CreateAccount", request).await
    }
    /// Looks an account up. Changes nothing, so repeat it freely. Speaks of the account only, never of its second factor
    /// (GetTwoFactor does, to whoever holds a session).
    ///
    /// Reasons: ACCOUNT_NOT_FOUND.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn get_account(
        &self,
        request: pb::GetAccountRequest,
    ) -> Result<pb::GetAccountResponse, Error> {
        self.unary("/twofactor.v1.AccountService/GetAccount", request).await
    }
    /// Gives a password to an account that has none. The other sessions end, open challenges are void.
    ///
    /// Repeated with the same request_id and password it is OK. An account that has a password: CONFLICT; ChangePassword is
    /// the method then.
    ///
    /// Reasons: SESSION_ENDED; REAUTHENTICATION_REQUIRED; REAUTHENTICATION_FAILED; PASSWORD_REJECTED; REQUEST_ID_REUSED;
    /// REQUEST_ID_EXPIRED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn set_password(
        &self,
        request: pb::SetPasswordRequest,
    ) -> Result<pb::SetPasswordResponse, Error> {
        self.unary("/twofactor.v1.AccountService/SetPassword", request).await
    }
    /// Changes the password. The other sessions end and open challenges are void; this session stays. The current password
    /// is charged as a re-authentication is: five wrong ones end the session.
    ///
    /// Repeated with the same request_id and new password it is OK.
    ///
    /// Reasons: SESSION_ENDED; REAUTHENTICATION_FAILED, also for an account that has no password (SetPassword is the method
    /// then); REAUTHENTICATION_REQUIRED for a session that did not pass the second factor that is active now;
    /// PASSWORD_REJECTED; REQUEST_ID_REUSED; REQUEST_ID_EXPIRED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn change_password(
        &self,
        request: pb::ChangePasswordRequest,
    ) -> Result<pb::ChangePasswordResponse, Error> {
        self.unary("/twofactor.v1.AccountService/ChangePassword", request).await
    }
    /// Mails a link (purpose `reset-password`, 1 hour) by which to choose a new password. Whether the address has an
    /// account cannot be told from the answer nor from its time, and nothing about the account changes. The links mailed
    /// before are void: only the newest works. Where the budget of 3 such mails per account and hour is spent, nothing is
    /// mailed and the answer is still the same.
    ///
    /// Reasons: none of its own.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn start_password_reset(
        &self,
        request: pb::StartPasswordResetRequest,
    ) -> Result<pb::StartPasswordResetResponse, Error> {
        self.unary("/twofactor.v1.AccountService/StartPasswordReset", request).await
    }
    /// Sets the password by a mailed link. All sessions end, open challenges are void, waits and a suspended first factor
    /// are cleared, and the address is verified by the link. It signs nobody in and spares nobody the second factor; a
    /// disabled authenticator stays disabled, and its wrong codes in a row stay counted. Where the address was never
    /// verified before, whoever made the account may have been a stranger: identities linked to it are unlinked.
    ///
    /// Repeated with the same password it is OK, until the link's hour is over.
    ///
    /// Reasons: LINK_INVALID; PASSWORD_REJECTED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn complete_password_reset(
        &self,
        request: pb::CompletePasswordResetRequest,
    ) -> Result<pb::CompletePasswordResetResponse, Error> {
        self.unary("/twofactor.v1.AccountService/CompletePasswordReset", request).await
    }
    /// Begins to change the address: a link (purpose `confirm-email`, 24 hours) is mailed to the new one, and until it is
    /// confirmed nothing changes. Whether the new address has an account cannot be told from the answer; if it has, its
    /// owner is told that somebody tried. Beginning again voids the older link. A repeat mails once more; 3 per hour. The
    /// account's own address is INVALID_FIELD.
    ///
    /// Reasons: SESSION_ENDED; REAUTHENTICATION_REQUIRED; REAUTHENTICATION_FAILED; DELIVERY_THROTTLED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn change_email(
        &self,
        request: pb::ChangeEmailRequest,
    ) -> Result<pb::ChangeEmailResponse, Error> {
        self.unary("/twofactor.v1.AccountService/ChangeEmail", request).await
    }
    /// Changes the address by the mailed link: the new one is verified by it. Open challenges are void, sessions stay. The
    /// old address is told, and can undo for 7 days (ReportNotMe), also if the address was changed once more since; so long
    /// no other account can have it. The same link once more is OK.
    ///
    /// Reasons: LINK_INVALID, also when the address was given to another account meanwhile, or the password was changed.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn confirm_email_change(
        &self,
        request: pb::ConfirmEmailChangeRequest,
    ) -> Result<pb::ConfirmEmailChangeResponse, Error> {
        self.unary("/twofactor.v1.AccountService/ConfirmEmailChange", request).await
    }
    /// Links a provider's identity to the account, as one more first factor. Addresses play no part: the provider's may
    /// differ from the account's.
    ///
    /// Repeated with the same request_id it answers the same link, without asking the provider again. An identity that is
    /// linked to this account already is OK.
    ///
    /// Reasons: SESSION_ENDED; REAUTHENTICATION_REQUIRED; REAUTHENTICATION_FAILED; CREDENTIALS_MISMATCH when the provider
    /// refuses the code; IDENTITY_TAKEN; PROVIDER_NOT_CONFIGURED; REQUEST_ID_REUSED; REQUEST_ID_EXPIRED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn link_identity(
        &self,
        request: pb::LinkIdentityRequest,
    ) -> Result<pb::LinkIdentityResponse, Error> {
        self.unary("/twofactor.v1.AccountService/LinkIdentity", request).await
    }
    /// Removes a link. Open challenges that an identity of its kind began are void. One that is unknown is OK, so repeat it
    /// freely.
    ///
    /// Reasons: SESSION_ENDED; REAUTHENTICATION_REQUIRED; REAUTHENTICATION_FAILED; LAST_WAY_IN for the only identity of an
    /// account without a password.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn unlink_identity(
        &self,
        request: pb::UnlinkIdentityRequest,
    ) -> Result<pb::UnlinkIdentityResponse, Error> {
        self.unary("/twofactor.v1.AccountService/UnlinkIdentity", request).await
    }
    /// Lists the linked identities, the oldest first. Changes nothing, so repeat it freely.
    ///
    /// Reasons: SESSION_ENDED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn list_identities(
        &self,
        request: pb::ListIdentitiesRequest,
    ) -> Result<pb::ListIdentitiesResponse, Error> {
        self.unary("/twofactor.v1.AccountService/ListIdentities", request).await
    }
    /// "This wasn't me", by the link of a notice (purpose `not-me`, 7 days). It shuts the stranger out: all sessions end,
    /// open challenges and setups are void, links that were mailed for other purposes too, and what the notice told of is
    /// undone as far as it still stands (see UndoneChange): a later change has a notice of its own, and is undone by that.
    /// Of several notices the order does not matter. Where the account has a password and no new one is given, its first
    /// factor is suspended until the owner confirms by the link that is mailed.
    ///
    /// Repeated with the same new password it answers the same. Call it upon a click of the person, never for a mere GET.
    ///
    /// Reasons: LINK_INVALID; PASSWORD_REJECTED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn report_not_me(
        &self,
        request: pb::ReportNotMeRequest,
    ) -> Result<pb::ReportNotMeResponse, Error> {
        self.unary("/twofactor.v1.AccountService/ReportNotMe", request).await
    }
    /// Lifts the suspension of the first factor by the link that was mailed with it (purpose `confirm-sign-in`, 7 days), and
    /// changes the password on the way: sessions and open challenges end. Whoever lost the mail asks StartPasswordReset for
    /// another.
    ///
    /// Repeated with the same new password it is OK.
    ///
    /// Reasons: LINK_INVALID; PASSWORD_REJECTED; INVALID_FIELD for a new_password that is missing, or given for an account
    /// that has none.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn confirm_first_factor(
        &self,
        request: pb::ConfirmFirstFactorRequest,
    ) -> Result<pb::ConfirmFirstFactorResponse, Error> {
        self.unary("/twofactor.v1.AccountService/ConfirmFirstFactor", request).await
    }
    /// Closes an account for good: nobody signs in to it any more, its secrets are erased, its address and identities are
    /// free for another. Its audit trail stays. The owner is told by mail. A closed one is OK, so repeat it freely, also by
    /// the session that it ended; to every other method it is an account that never was.
    ///
    /// By `session_token` for its owner, with re-authentication; by `account_id` for a caller with the role PROVISIONING.
    ///
    /// Reasons: SESSION_ENDED; REAUTHENTICATION_REQUIRED; REAUTHENTICATION_FAILED; ACCOUNT_NOT_FOUND; CALLER_NOT_ALLOWED
    /// for `account_id` from a caller without the role PROVISIONING.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn close_account(
        &self,
        request: pb::CloseAccountRequest,
    ) -> Result<pb::CloseAccountResponse, Error> {
        self.unary("/twofactor.v1.AccountService/CloseAccount", request).await
    }
    /// Checks the first factor and opens a challenge. For an account on e-mail codes it also mails the first code.
    ///
    /// Whoever gives a wrong first factor learns nothing: not whether the account exists, nor which second factor it has.
    /// It also cannot hurt the owner: only a right first factor reaches the counters of the second. Wrong passwords slow
    /// their own network prefix: from the fifth in a row on for one address, growing waits of 30 seconds to an hour, looked
    /// at before the password is judged. 100 of one address within an hour, from all networks together, bar the networks
    /// from which nobody has signed in to the account within 30 days, until the hour frees. A right one clears the failures
    /// of its own network. `asserted` and providers are not counted.
    ///
    /// A repeat opens another challenge and, on e-mail codes, mails another code; the older challenges stay open. That is
    /// harmless, but costs mail budget, so gRPC never retries this method by itself. When the mail budget is spent the call
    /// is refused and no challenge opened.
    ///
    /// Reasons: CREDENTIALS_MISMATCH; FIRST_FACTOR_SUSPENDED; ATTEMPTS_THROTTLED; DELIVERY_THROTTLED; for `asserted`
    /// ACCOUNT_NOT_FOUND, and CALLER_NOT_ALLOWED without the role ASSERTING; for `oidc` and `github`
    /// PROVIDER_NOT_CONFIGURED and IDENTITY_NOT_LINKED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn start_sign_in(
        &self,
        request: pb::StartSignInRequest,
    ) -> Result<pb::StartSignInResponse, Error> {
        self.unary("/twofactor.v1.SignInService/StartSignIn", request).await
    }
    /// Reads a challenge, whatever its state: an expired or exhausted one is an answer (Challenge.state), not a refusal,
    /// until the server forgets it. Changes nothing, so repeat it freely.
    ///
    /// Reasons: CHALLENGE_NOT_FOUND, also for a challenge that another calling service started.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn get_challenge(
        &self,
        request: pb::GetChallengeRequest,
    ) -> Result<pb::GetChallengeResponse, Error> {
        self.unary("/twofactor.v1.SignInService/GetChallenge", request).await
    }
    /// Reads a session, and notes that it is in use: this call is what keeps it from ending after an hour of idleness. It
    /// never extends the session beyond Session.expire_time. Repeat it freely; call it for each page the person opens.
    ///
    /// Reasons: SESSION_ENDED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn get_session(
        &self,
        request: pb::GetSessionRequest,
    ) -> Result<pb::GetSessionResponse, Error> {
        self.unary("/twofactor.v1.SignInService/GetSession", request).await
    }
    /// Ends a session at once. Repeating it is OK, and so is a session that is unknown or has ended already. A reply kept
    /// for that session (an unsaved backup code) is erased with it: ask the owner to save the code first.
    ///
    /// Reasons: none of its own.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn sign_out(
        &self,
        request: pb::SignOutRequest,
    ) -> Result<pb::SignOutResponse, Error> {
        self.unary("/twofactor.v1.SignInService/SignOut", request).await
    }
    /// Lists the account's live sessions, the newest first, this one included. Changes nothing, not even the idle clock, so
    /// repeat it freely.
    ///
    /// Reasons: SESSION_ENDED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn list_sessions(
        &self,
        request: pb::ListSessionsRequest,
    ) -> Result<pb::ListSessionsResponse, Error> {
        self.unary("/twofactor.v1.SignInService/ListSessions", request).await
    }
    /// Ends one session of the account at once, this one or another. A session that is unknown or has ended already is OK,
    /// so repeat it freely. No re-authentication is asked: ending is the safe side.
    ///
    /// Reasons: SESSION_ENDED, when the session that asks is over.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn revoke_session(
        &self,
        request: pb::RevokeSessionRequest,
    ) -> Result<pb::RevokeSessionResponse, Error> {
        self.unary("/twofactor.v1.SignInService/RevokeSession", request).await
    }
    /// Ends every session of the account but this one, or all of them. Repeat it freely.
    ///
    /// Reasons: SESSION_ENDED, when the session that asks is over.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn revoke_other_sessions(
        &self,
        request: pb::RevokeOtherSessionsRequest,
    ) -> Result<pb::RevokeOtherSessionsResponse, Error> {
        self.unary("/twofactor.v1.SignInService/RevokeOtherSessions", request).await
    }
    /// Mails a new 6-digit code for the challenge; the older ones cease to work. StartSignIn has sent the first. It does not
    /// give back attempts, and moves neither the challenge's end nor any wait.
    ///
    /// 3 codes per challenge, the first included, and 10 per account and hour. Repeated with the same request_id it sends
    /// nothing and answers the challenge as it is; without a request_id each call is another code.
    ///
    /// Reasons: CHALLENGE_NOT_FOUND; CHALLENGE_EXPIRED; CHALLENGE_CONSUMED; CHALLENGE_EXHAUSTED; METHOD_NOT_ACTIVE;
    /// DELIVERY_THROTTLED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn send_email_code(
        &self,
        request: pb::SendEmailCodeRequest,
    ) -> Result<pb::SendEmailCodeResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/SendEmailCode", request).await
    }
    /// Completes the sign-in with the mailed code. Only the newest code of this very challenge works, for 5 minutes, once.
    /// The first one an account types also verifies its address. A wrong code costs an attempt, even if the caller hangs up.
    ///
    /// Repeated with the same request_id it answers the same session.
    ///
    /// Reasons: CODE_MISMATCH; CODE_SUPERSEDED; CODE_EXPIRED; CHALLENGE_NOT_FOUND; CHALLENGE_EXPIRED; CHALLENGE_CONSUMED;
    /// CHALLENGE_EXHAUSTED; METHOD_NOT_ACTIVE; ATTEMPTS_THROTTLED; REQUEST_ID_REUSED; REQUEST_ID_EXPIRED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn verify_email_code(
        &self,
        request: pb::VerifyEmailCodeRequest,
    ) -> Result<pb::VerifyEmailCodeResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/VerifyEmailCode", request).await
    }
    /// Completes the sign-in with the authenticator's code. The code of the current 30-second step is accepted, and those of
    /// the steps beside it; a step at or before the last accepted one never again (RFC 6238 section 5.2), on any challenge.
    /// That refusal costs nothing; a wrong code costs an attempt, even if the caller hangs up.
    ///
    /// Repeated with the same request_id it answers the same session.
    ///
    /// Reasons: CODE_MISMATCH; CODE_ALREADY_USED; CHALLENGE_NOT_FOUND; CHALLENGE_EXPIRED; CHALLENGE_CONSUMED;
    /// CHALLENGE_EXHAUSTED; METHOD_NOT_ACTIVE; AUTHENTICATOR_DISABLED; ATTEMPTS_THROTTLED; REQUEST_ID_REUSED;
    /// REQUEST_ID_EXPIRED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn verify_authenticator_code(
        &self,
        request: pb::VerifyAuthenticatorCodeRequest,
    ) -> Result<pb::VerifyAuthenticatorCodeResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/VerifyAuthenticatorCode", request)
            .await
    }
    /// Completes the sign-in with the backup code, spends it, and answers its replacement: all of it or nothing. However many
    /// calls carry one code, at whatever moment, on whatever number of servers, exactly one succeeds.
    ///
    /// Repeated with the same request_id it answers the same session and the same new code; this is the only way to see that
    /// code again after a lost answer. An older code is recognised: CODE_ALREADY_USED says when it was spent. A wrong code
    /// costs an attempt, even if the caller hangs up; the same wrong code again on the same challenge costs none. The owner
    /// is told by mail of every use.
    ///
    /// There is no growing wait, but an hourly budget of distinct wrong codes: 80 per account, 30 of them from one network
    /// prefix.
    ///
    /// Reasons: CODE_MISMATCH; CODE_ALREADY_USED; CHALLENGE_NOT_FOUND; CHALLENGE_EXPIRED; CHALLENGE_CONSUMED;
    /// CHALLENGE_EXHAUSTED; METHOD_NOT_ACTIVE; ATTEMPTS_THROTTLED; OVERLOADED; REQUEST_ID_REUSED; REQUEST_ID_EXPIRED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn use_backup_code(
        &self,
        request: pb::UseBackupCodeRequest,
    ) -> Result<pb::UseBackupCodeResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/UseBackupCode", request).await
    }
    /// The button "I've saved it": marks the current backup code as saved. Saying it twice is OK. Said from the session that
    /// was shown the code, it also erases the kept reply; said from another session it leaves the reply alone, because the
    /// device that lost the answer may still need it.
    ///
    /// Reasons: SESSION_ENDED; METHOD_NOT_ACTIVE; GENERATION_SUPERSEDED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn confirm_backup_code_saved(
        &self,
        request: pb::ConfirmBackupCodeSavedRequest,
    ) -> Result<pb::ConfirmBackupCodeSavedResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/ConfirmBackupCodeSaved", request)
            .await
    }
    /// Reads the state of the account's second factor, for a settings page. Never a code or a secret. Changes nothing, so
    /// repeat it freely.
    ///
    /// Reasons: SESSION_ENDED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn get_two_factor(
        &self,
        request: pb::GetTwoFactorRequest,
    ) -> Result<pb::GetTwoFactorResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/GetTwoFactor", request).await
    }
    /// Makes an authenticator secret for the owner to load into an app. Nothing changes until ConfirmAuthenticatorSetup: an
    /// account on e-mail codes stays there, and with an authenticator already on (a new phone) the old one goes on working.
    ///
    /// Repeating it is harmless: each call makes another secret and voids the setup before it.
    ///
    /// Reasons: SESSION_ENDED; REAUTHENTICATION_REQUIRED; REAUTHENTICATION_FAILED; ATTEMPTS_THROTTLED;
    /// PROVIDER_NOT_CONFIGURED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn start_authenticator_setup(
        &self,
        request: pb::StartAuthenticatorSetupRequest,
    ) -> Result<pb::StartAuthenticatorSetupResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/StartAuthenticatorSetup", request)
            .await
    }
    /// Turns the new authenticator on by its first code, and answers the account's backup code. E-mail codes, or the old
    /// authenticator and the old backup code, end at the same moment. The confirming code is spent: it will not also sign
    /// anybody in. A wrong code changes nothing; the fifth voids the setup.
    ///
    /// Repeated with the same request_id from the same session it answers the same backup code.
    ///
    /// Reasons: SESSION_ENDED; SETUP_EXPIRED; CODE_MISMATCH; REQUEST_ID_REUSED; REQUEST_ID_EXPIRED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn confirm_authenticator_setup(
        &self,
        request: pb::ConfirmAuthenticatorSetupRequest,
    ) -> Result<pb::ConfirmAuthenticatorSetupResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/ConfirmAuthenticatorSetup", request)
            .await
    }
    /// Voids a setup that was not confirmed. The account's second factor is not touched. Repeating it is OK, and so is a
    /// setup that is unknown, void, or confirmed already.
    ///
    /// Reasons: SESSION_ENDED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn cancel_authenticator_setup(
        &self,
        request: pb::CancelAuthenticatorSetupRequest,
    ) -> Result<pb::CancelAuthenticatorSetupResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/CancelAuthenticatorSetup", request)
            .await
    }
    /// Replaces the backup code by a new one, which is shown this once. The old one dies at the same moment; never used, it
    /// is answered CODE_MISMATCH from then on.
    /// The owner is told by mail.
    ///
    /// Repeated with the same request_id from the same session it answers the same code, without looking at
    /// `reauthentication`; without a request_id each call makes another code.
    ///
    /// Reasons: SESSION_ENDED; METHOD_NOT_ACTIVE; REAUTHENTICATION_REQUIRED; REAUTHENTICATION_FAILED; ATTEMPTS_THROTTLED;
    /// PROVIDER_NOT_CONFIGURED; REQUEST_ID_REUSED; REQUEST_ID_EXPIRED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
    pub async fn regenerate_backup_code(
        &self,
        request: pb::RegenerateBackupCodeRequest,
    ) -> Result<pb::RegenerateBackupCodeResponse, Error> {
        self.unary("/twofactor.v1.TwoFactorService/RegenerateBackupCode", request).await
    }
    /// Returns the account to e-mail codes at once. Its backup code dies with the authenticator. The owner is told by mail.
    ///
    /// Repeating it is OK: an account that is on e-mail codes already stays there, and no second mail is sent.
    ///
    /// Reasons: SESSION_ENDED; REAUTHENTICATION_REQUIRED; REAUTHENTICATION_FAILED; ATTEMPTS_THROTTLED;
    /// PROVIDER_NOT_CONFIGURED.
    ///
    /// # Errors
    ///
    /// The reason of the refusal, or what kept the call from being answered.
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
                &[&self.challenge_token, "VerifyEmailCode", &code_form(&self.code)],
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
                    &code_form(&self.code),
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
                    &backup_code_form(&self.backup_code),
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
                    &code_form(&self.code),
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
