//! The client follows the published service config, against a gRPC server on loopback with scripted failures.

mod failing_server;

use std::time::{Duration, Instant};

use failing_server::{FailingServer, Reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tonic::Code;
use twofactor_client::pb::{GetSessionRequest, RegenerateBackupCodeRequest, UseBackupCodeRequest};
use twofactor_client::{Client, Kind};

#[tokio::test]
async fn a_read_has_four_attempts() {
    let server = FailingServer::start(vec![Reply::unavailable(); 9]).await;
    let client = Client::plaintext(&server.address).unwrap();
    let error = client.get_session(GetSessionRequest::default()).await.unwrap_err();
    assert_eq!((error.code, error.kind), (Code::Unavailable, Kind::TryAgain));
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn all_attempts_have_the_same_request_id() {
    let server = FailingServer::start(vec![Reply::unavailable(), Reply::unavailable(), Reply::Ok]).await;
    let client = Client::plaintext(&server.address).unwrap();
    client.use_backup_code(UseBackupCodeRequest::default()).await.unwrap();
    let requests = server.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|bytes| bytes == &requests[0]));
    assert!(requests[0].len() > 36, "the request has a request_id");
}

#[tokio::test]
async fn methods_that_accept_an_authorization_code_are_not_retried() {
    let server = FailingServer::start(vec![Reply::unavailable(), Reply::Ok]).await;
    let client = Client::plaintext(&server.address).unwrap();
    client.regenerate_backup_code(RegenerateBackupCodeRequest::default()).await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn only_unavailable_is_retried() {
    let server = FailingServer::start(vec![Reply::Status(Code::Aborted, None), Reply::Ok]).await;
    let client = Client::plaintext(&server.address).unwrap();
    client.get_session(GetSessionRequest::default()).await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_negative_pushback_prevents_retries() {
    let server = FailingServer::start(vec![Reply::Status(Code::Unavailable, Some("-1")), Reply::Ok]).await;
    let client = Client::plaintext(&server.address).unwrap();
    client.get_session(GetSessionRequest::default()).await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_pushback_delays_the_retry() {
    let server = FailingServer::start(vec![Reply::Status(Code::Unavailable, Some("700")), Reply::Ok]).await;
    let client = Client::plaintext(&server.address).unwrap();
    let start = Instant::now();
    client.get_session(GetSessionRequest::default()).await.unwrap();
    assert!(start.elapsed() >= Duration::from_millis(700));
}

#[tokio::test]
async fn a_call_to_an_unresponsive_server_times_out() {
    let server = FailingServer::start(vec![Reply::Never]).await;
    let client = Client::plaintext(&server.address).unwrap().with_timeout(Duration::from_millis(200));
    let error = client.get_session(GetSessionRequest::default()).await.unwrap_err();
    assert_eq!((error.code, error.kind), (Code::DeadlineExceeded, Kind::TryAgain));
}

#[tokio::test]
async fn a_refused_connection_is_unavailable() {
    let client = Client::plaintext("127.0.0.1:1").unwrap();
    let error = client.get_session(GetSessionRequest::default()).await.unwrap_err();
    assert_eq!((error.code, error.kind), (Code::Unavailable, Kind::TryAgain));
}

#[tokio::test]
async fn a_broken_connection_is_unavailable_and_retried() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = Client::plaintext(&listener.local_addr().unwrap().to_string()).unwrap();
    let server = tokio::spawn(async move {
        for _ in 0..4 {
            // An empty SETTINGS frame establishes the connection. It is closed without a reply to the call.
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
            stream.read_exact(&mut [0; 256]).await.unwrap();
        }
    });
    let error = client.get_session(GetSessionRequest { session_token: "x".repeat(256) }).await.unwrap_err();
    assert_eq!((error.code, error.kind), (Code::Unavailable, Kind::TryAgain));
    server.await.unwrap();
}

#[tokio::test]
async fn unknown_from_the_server_is_not_retried() {
    let server = FailingServer::start(vec![Reply::Status(Code::Unknown, None), Reply::Ok]).await;
    let client = Client::plaintext(&server.address).unwrap();
    let error = client.get_session(GetSessionRequest::default()).await.unwrap_err();
    assert_eq!((error.code, error.kind), (Code::Unknown, Kind::Other));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn the_embedded_config_is_the_published_one() {
    let published = include_str!("../../../proto/twofactor/v1/service_config.json");
    assert_eq!(include_str!("../src/generated/service_config.json"), published);
}
