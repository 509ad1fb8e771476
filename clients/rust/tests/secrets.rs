//! `Debug` hides the secrets of messages.

use twofactor_client::pb::reauthentication::FirstFactor;
use twofactor_client::pb::{
    BackupCode, PasswordCredential, Reauthentication, RegenerateBackupCodeRequest, UseBackupCodeRequest,
    UseBackupCodeResponse, start_sign_in_request,
};

const SECRET: &str = "must-be-hidden";

#[test]
fn hidden_in_requests() {
    let request = UseBackupCodeRequest {
        challenge_token: SECRET.into(),
        backup_code: SECRET.into(),
        request_id: "shown".into(),
        client: None,
    };
    let text = format!("{request:?} {request:#?}");
    assert!(!text.contains(SECRET), "{text}");
    assert!(text.contains("shown") && text.contains("[hidden]"), "{text}");
}

#[test]
fn hidden_in_responses_and_nested_messages() {
    let new_backup_code = Some(BackupCode { code: SECRET.into(), generation: 7 });
    let response = UseBackupCodeResponse { session_token: SECRET.into(), new_backup_code, ..Default::default() };
    let text = format!("{response:?}");
    assert!(!text.contains(SECRET), "{text}");
    assert!(text.contains("generation: 7"), "{text}");
}

#[test]
fn hidden_in_oneofs() {
    let reauthentication = Some(Reauthentication {
        first_factor: Some(FirstFactor::Password(SECRET.into())),
        authenticator_code: SECRET.into(),
    });
    let request = RegenerateBackupCodeRequest { reauthentication, ..Default::default() };
    let credential = PasswordCredential { email: "owner@example.com".into(), password: SECRET.into() };
    let first_factor = start_sign_in_request::FirstFactor::Password(credential);
    let text = format!("{request:?} {first_factor:?}");
    assert!(!text.contains(SECRET), "{text}");
    assert!(text.contains("owner@example.com"), "{text}");
}
