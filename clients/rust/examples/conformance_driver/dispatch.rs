// Made from the contract by `cargo run -p generate`; do not edit.
use prost::Message;
use twofactor_client::{Client, pb};
use crate::{Answer, Failure, Prepared, answer, prepared};
/// Calls the method of this name with the encoded request.
pub async fn call(
    client: &Client,
    name: &str,
    request: &[u8],
) -> Result<Answer, Failure> {
    Ok(
        match name {
            "CreateAccount" => {
                answer(
                    client
                        .create_account(pb::CreateAccountRequest::decode(request)?)
                        .await,
                )
            }
            "GetAccount" => {
                answer(client.get_account(pb::GetAccountRequest::decode(request)?).await)
            }
            "SetPassword" => {
                answer(
                    client.set_password(pb::SetPasswordRequest::decode(request)?).await,
                )
            }
            "ChangePassword" => {
                answer(
                    client
                        .change_password(pb::ChangePasswordRequest::decode(request)?)
                        .await,
                )
            }
            "StartPasswordReset" => {
                answer(
                    client
                        .start_password_reset(
                            pb::StartPasswordResetRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "CompletePasswordReset" => {
                answer(
                    client
                        .complete_password_reset(
                            pb::CompletePasswordResetRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "ChangeEmail" => {
                answer(
                    client.change_email(pb::ChangeEmailRequest::decode(request)?).await,
                )
            }
            "ConfirmEmailChange" => {
                answer(
                    client
                        .confirm_email_change(
                            pb::ConfirmEmailChangeRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "LinkIdentity" => {
                answer(
                    client.link_identity(pb::LinkIdentityRequest::decode(request)?).await,
                )
            }
            "UnlinkIdentity" => {
                answer(
                    client
                        .unlink_identity(pb::UnlinkIdentityRequest::decode(request)?)
                        .await,
                )
            }
            "ListIdentities" => {
                answer(
                    client
                        .list_identities(pb::ListIdentitiesRequest::decode(request)?)
                        .await,
                )
            }
            "ReportNotMe" => {
                answer(
                    client.report_not_me(pb::ReportNotMeRequest::decode(request)?).await,
                )
            }
            "ConfirmFirstFactor" => {
                answer(
                    client
                        .confirm_first_factor(
                            pb::ConfirmFirstFactorRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "CloseAccount" => {
                answer(
                    client.close_account(pb::CloseAccountRequest::decode(request)?).await,
                )
            }
            "StartSignIn" => {
                answer(
                    client.start_sign_in(pb::StartSignInRequest::decode(request)?).await,
                )
            }
            "GetChallenge" => {
                answer(
                    client.get_challenge(pb::GetChallengeRequest::decode(request)?).await,
                )
            }
            "GetSession" => {
                answer(client.get_session(pb::GetSessionRequest::decode(request)?).await)
            }
            "SignOut" => {
                answer(client.sign_out(pb::SignOutRequest::decode(request)?).await)
            }
            "ListSessions" => {
                answer(
                    client.list_sessions(pb::ListSessionsRequest::decode(request)?).await,
                )
            }
            "RevokeSession" => {
                answer(
                    client
                        .revoke_session(pb::RevokeSessionRequest::decode(request)?)
                        .await,
                )
            }
            "RevokeOtherSessions" => {
                answer(
                    client
                        .revoke_other_sessions(
                            pb::RevokeOtherSessionsRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "SendEmailCode" => {
                answer(
                    client
                        .send_email_code(pb::SendEmailCodeRequest::decode(request)?)
                        .await,
                )
            }
            "VerifyEmailCode" => {
                answer(
                    client
                        .verify_email_code(pb::VerifyEmailCodeRequest::decode(request)?)
                        .await,
                )
            }
            "VerifyAuthenticatorCode" => {
                answer(
                    client
                        .verify_authenticator_code(
                            pb::VerifyAuthenticatorCodeRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "UseBackupCode" => {
                answer(
                    client
                        .use_backup_code(pb::UseBackupCodeRequest::decode(request)?)
                        .await,
                )
            }
            "ConfirmBackupCodeSaved" => {
                answer(
                    client
                        .confirm_backup_code_saved(
                            pb::ConfirmBackupCodeSavedRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "GetTwoFactor" => {
                answer(
                    client
                        .get_two_factor(pb::GetTwoFactorRequest::decode(request)?)
                        .await,
                )
            }
            "StartAuthenticatorSetup" => {
                answer(
                    client
                        .start_authenticator_setup(
                            pb::StartAuthenticatorSetupRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "ConfirmAuthenticatorSetup" => {
                answer(
                    client
                        .confirm_authenticator_setup(
                            pb::ConfirmAuthenticatorSetupRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "CancelAuthenticatorSetup" => {
                answer(
                    client
                        .cancel_authenticator_setup(
                            pb::CancelAuthenticatorSetupRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "RegenerateBackupCode" => {
                answer(
                    client
                        .regenerate_backup_code(
                            pb::RegenerateBackupCodeRequest::decode(request)?,
                        )
                        .await,
                )
            }
            "RemoveAuthenticator" => {
                answer(
                    client
                        .remove_authenticator(
                            pb::RemoveAuthenticatorRequest::decode(request)?,
                        )
                        .await,
                )
            }
            _ => return Err(Failure::from("no such method")),
        },
    )
}
/// The request as the client would send it, and as it prints.
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
            _ => return Err(Failure::from("no such method")),
        },
    )
}
