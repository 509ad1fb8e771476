// Generated from the contract by `cargo run -p generate`. DO NOT EDIT.
use prost::Message;
use twofactor_client::{Client, pb};
use crate::{Failure, Outcome, Prepared, outcome, prepared};
/// Calls the method with the encoded request.
pub async fn call(
    client: &Client,
    name: &str,
    request: &[u8],
) -> Result<Outcome, Failure> {
    Ok(
        match name {
            "CreateAccount" => {
                outcome(
                    client
                        .create_account(pb::CreateAccountRequest::decode(request)?)
                        .await,
                )
            }
            "GetAccount" => {
                outcome(
                    client.get_account(pb::GetAccountRequest::decode(request)?).await,
                )
            }
            "SetPassword" => {
                outcome(
                    client.set_password(pb::SetPasswordRequest::decode(request)?).await,
                )
            }
            "ChangePassword" => {
                outcome(
                    client
                        .change_password(pb::ChangePasswordRequest::decode(request)?)
                        .await,
                )
            }
            "StartPasswordReset" => {
                outcome(
                    client
                        .start_password_reset(
                            pb::StartPasswordResetRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "CompletePasswordReset" => {
                outcome(
                    client
                        .complete_password_reset(
                            pb::CompletePasswordResetRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "ChangeEmail" => {
                outcome(
                    client.change_email(pb::ChangeEmailRequest::decode(request)?).await,
                )
            }
            "ConfirmEmailChange" => {
                outcome(
                    client
                        .confirm_email_change(
                            pb::ConfirmEmailChangeRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "LinkIdentity" => {
                outcome(
                    client.link_identity(pb::LinkIdentityRequest::decode(request)?).await,
                )
            }
            "UnlinkIdentity" => {
                outcome(
                    client
                        .unlink_identity(pb::UnlinkIdentityRequest::decode(request)?)
                        .await,
                )
            }
            "ListIdentities" => {
                outcome(
                    client
                        .list_identities(pb::ListIdentitiesRequest::decode(request)?)
                        .await,
                )
            }
            "ReportNotMe" => {
                outcome(
                    client.report_not_me(pb::ReportNotMeRequest::decode(request)?).await,
                )
            }
            "ConfirmFirstFactor" => {
                outcome(
                    client
                        .confirm_first_factor(
                            pb::ConfirmFirstFactorRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "CloseAccount" => {
                outcome(
                    client.close_account(pb::CloseAccountRequest::decode(request)?).await,
                )
            }
            "StartSignIn" => {
                outcome(
                    client.start_sign_in(pb::StartSignInRequest::decode(request)?).await,
                )
            }
            "GetChallenge" => {
                outcome(
                    client.get_challenge(pb::GetChallengeRequest::decode(request)?).await,
                )
            }
            "GetSession" => {
                outcome(
                    client.get_session(pb::GetSessionRequest::decode(request)?).await,
                )
            }
            "SignOut" => {
                outcome(client.sign_out(pb::SignOutRequest::decode(request)?).await)
            }
            "ListSessions" => {
                outcome(
                    client.list_sessions(pb::ListSessionsRequest::decode(request)?).await,
                )
            }
            "RevokeSession" => {
                outcome(
                    client
                        .revoke_session(pb::RevokeSessionRequest::decode(request)?)
                        .await,
                )
            }
            "RevokeOtherSessions" => {
                outcome(
                    client
                        .revoke_other_sessions(
                            pb::RevokeOtherSessionsRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "SendEmailCode" => {
                outcome(
                    client
                        .send_email_code(pb::SendEmailCodeRequest::decode(request)?)
                        .await,
                )
            }
            "VerifyEmailCode" => {
                outcome(
                    client
                        .verify_email_code(pb::VerifyEmailCodeRequest::decode(request)?)
                        .await,
                )
            }
            "VerifyAuthenticatorCode" => {
                outcome(
                    client
                        .verify_authenticator_code(
                            pb::VerifyAuthenticatorCodeRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "UseBackupCode" => {
                outcome(
                    client
                        .use_backup_code(pb::UseBackupCodeRequest::decode(request)?)
                        .await,
                )
            }
            "ConfirmBackupCodeSaved" => {
                outcome(
                    client
                        .confirm_backup_code_saved(
                            pb::ConfirmBackupCodeSavedRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "GetTwoFactor" => {
                outcome(
                    client
                        .get_two_factor(pb::GetTwoFactorRequest::decode(request)?)
                        .await,
                )
            }
            "StartAuthenticatorSetup" => {
                outcome(
                    client
                        .start_authenticator_setup(
                            pb::StartAuthenticatorSetupRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "ConfirmAuthenticatorSetup" => {
                outcome(
                    client
                        .confirm_authenticator_setup(
                            pb::ConfirmAuthenticatorSetupRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "CancelAuthenticatorSetup" => {
                outcome(
                    client
                        .cancel_authenticator_setup(
                            pb::CancelAuthenticatorSetupRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "RegenerateBackupCode" => {
                outcome(
                    client
                        .regenerate_backup_code(
                            pb::RegenerateBackupCodeRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "RemoveAuthenticator" => {
                outcome(
                    client
                        .remove_authenticator(
                            pb::RemoveAuthenticatorRequest::decode(request)?,
                        )
                        .await,
                )
            }
            _ => return Err(Failure::from("unknown method")),
        },
    )
}
/// Prepares the encoded request as the client would send it.
pub fn prepare(name: &str, request: &[u8]) -> Result<Prepared, Failure> {
    Ok(
        match name {
            "CreateAccount" => prepared(pb::CreateAccountRequest::decode(request)?),
            "GetAccount" => prepared(pb::GetAccountRequest::decode(request)?),
            "SetPassword" => prepared(pb::SetPasswordRequest::decode(request)?),
            "ChangePassword" => prepared(pb::ChangePasswordRequest::decode(request)?),
            "StartPasswordReset" => {
                prepared(pb::StartPasswordResetRequest::decode(request)?)
            }
            "CompletePasswordReset" => {
                prepared(pb::CompletePasswordResetRequest::decode(request)?)
            }
            "ChangeEmail" => prepared(pb::ChangeEmailRequest::decode(request)?),
            "ConfirmEmailChange" => {
                prepared(pb::ConfirmEmailChangeRequest::decode(request)?)
            }
            "LinkIdentity" => prepared(pb::LinkIdentityRequest::decode(request)?),
            "UnlinkIdentity" => prepared(pb::UnlinkIdentityRequest::decode(request)?),
            "ListIdentities" => prepared(pb::ListIdentitiesRequest::decode(request)?),
            "ReportNotMe" => prepared(pb::ReportNotMeRequest::decode(request)?),
            "ConfirmFirstFactor" => {
                prepared(pb::ConfirmFirstFactorRequest::decode(request)?)
            }
            "CloseAccount" => prepared(pb::CloseAccountRequest::decode(request)?),
            "StartSignIn" => prepared(pb::StartSignInRequest::decode(request)?),
            "GetChallenge" => prepared(pb::GetChallengeRequest::decode(request)?),
            "GetSession" => prepared(pb::GetSessionRequest::decode(request)?),
            "SignOut" => prepared(pb::SignOutRequest::decode(request)?),
            "ListSessions" => prepared(pb::ListSessionsRequest::decode(request)?),
            "RevokeSession" => prepared(pb::RevokeSessionRequest::decode(request)?),
            "RevokeOtherSessions" => {
                prepared(pb::RevokeOtherSessionsRequest::decode(request)?)
            }
            "SendEmailCode" => prepared(pb::SendEmailCodeRequest::decode(request)?),
            "VerifyEmailCode" => prepared(pb::VerifyEmailCodeRequest::decode(request)?),
            "VerifyAuthenticatorCode" => {
                prepared(pb::VerifyAuthenticatorCodeRequest::decode(request)?)
            }
            "UseBackupCode" => prepared(pb::UseBackupCodeRequest::decode(request)?),
            "ConfirmBackupCodeSaved" => {
                prepared(pb::ConfirmBackupCodeSavedRequest::decode(request)?)
            }
            "GetTwoFactor" => prepared(pb::GetTwoFactorRequest::decode(request)?),
            "StartAuthenticatorSetup" => {
                prepared(pb::StartAuthenticatorSetupRequest::decode(request)?)
            }
            "ConfirmAuthenticatorSetup" => {
                prepared(pb::ConfirmAuthenticatorSetupRequest::decode(request)?)
            }
            "CancelAuthenticatorSetup" => {
                prepared(pb::CancelAuthenticatorSetupRequest::decode(request)?)
            }
            "RegenerateBackupCode" => {
                prepared(pb::RegenerateBackupCodeRequest::decode(request)?)
            }
            "RemoveAuthenticator" => {
                prepared(pb::RemoveAuthenticatorRequest::decode(request)?)
            }
            _ => return Err(Failure::from("unknown method")),
        },
    )
}
