//! A derived `request_id` is the same in all languages.

use serde_json::Value;
use twofactor_client::Prepare;
use twofactor_client::pb::{
    ConfirmAuthenticatorSetupRequest, RegenerateBackupCodeRequest, UseBackupCodeRequest,
    VerifyAuthenticatorCodeRequest, VerifyEmailCodeRequest,
};

fn derived(method: &str, request: &Value) -> String {
    let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
    macro_rules! request_id {
        ($message:ident { $($field:ident),* }) => {{
            let mut message = $message { $($field: text(stringify!($field)),)* ..Default::default() };
            message.prepare();
            message.request_id
        }};
    }
    match method {
        "UseBackupCode" => request_id!(UseBackupCodeRequest { challenge_token, backup_code }),
        "VerifyEmailCode" => request_id!(VerifyEmailCodeRequest { challenge_token, code }),
        "VerifyAuthenticatorCode" => request_id!(VerifyAuthenticatorCodeRequest { challenge_token, code }),
        "ConfirmAuthenticatorSetup" => request_id!(ConfirmAuthenticatorSetupRequest { session_token, setup_id, code }),
        _ => panic!("unexpected method {method}"),
    }
}

#[test]
fn derived_request_ids_match_the_vectors() {
    let vectors = include_str!("../../conformance/vectors.json");
    let vectors: Vec<Value> = serde_json::from_str(vectors).unwrap();
    assert!(vectors.len() > 20);
    for vector in vectors {
        let method = vector["method"].as_str().unwrap();
        assert_eq!(derived(method, &vector["request"]), vector["request_id"].as_str().unwrap(), "{vector}");
    }
}

#[test]
fn the_request_id_of_the_caller_is_kept() {
    let mut request = UseBackupCodeRequest { request_id: "own".into(), ..Default::default() };
    request.prepare();
    assert_eq!(request.request_id, "own");
}

#[test]
fn other_methods_get_a_random_request_id() {
    let ids = [(); 2].map(|()| {
        let mut request = RegenerateBackupCodeRequest { session_token: "tfs_".into(), ..Default::default() };
        request.prepare();
        request.request_id
    });
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[0].len(), 36);
}
