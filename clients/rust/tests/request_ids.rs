//! The derived names of logical calls are the ones that every language's client gives.

use serde_json::Value;
use twofactor_client::Prepare;
use twofactor_client::pb::{
    ConfirmAuthenticatorSetupRequest, RegenerateBackupCodeRequest, UseBackupCodeRequest,
    VerifyAuthenticatorCodeRequest, VerifyEmailCodeRequest,
};

fn derived(method: &str, request: &Value) -> String {
    let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
    macro_rules! named {
        ($message:ident { $($field:ident),* }) => {{
            let mut message = $message { $($field: text(stringify!($field)),)* ..Default::default() };
            message.prepare();
            message.request_id
        }};
    }
    match method {
        "UseBackupCode" => named!(UseBackupCodeRequest { challenge_token, backup_code }),
        "VerifyEmailCode" => named!(VerifyEmailCodeRequest { challenge_token, code }),
        "VerifyAuthenticatorCode" => named!(VerifyAuthenticatorCodeRequest { challenge_token, code }),
        "ConfirmAuthenticatorSetup" => named!(ConfirmAuthenticatorSetupRequest { session_token, setup_id, code }),
        _ => panic!("no vector speaks of {method}"),
    }
}

#[test]
fn every_vector() {
    let vectors = include_str!("../../conformance/vectors.json");
    let vectors: Vec<Value> = serde_json::from_str(vectors).unwrap();
    assert!(vectors.len() > 20);
    for vector in vectors {
        let method = vector["method"].as_str().unwrap();
        assert_eq!(derived(method, &vector["request"]), vector["request_id"].as_str().unwrap(), "{vector}");
    }
}

#[test]
fn a_given_one_stays() {
    let mut request = UseBackupCodeRequest { request_id: "given".into(), ..Default::default() };
    request.prepare();
    assert_eq!(request.request_id, "given");
}

#[test]
fn regenerating_twice_is_meant_twice() {
    let ids = [(); 2].map(|()| {
        let mut request = RegenerateBackupCodeRequest { session_token: "tfs_".into(), ..Default::default() };
        request.prepare();
        request.request_id
    });
    assert_ne!(ids[0], ids[1]);
    assert_eq!(ids[0].len(), 36);
}
