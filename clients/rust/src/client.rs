//! The connection, and the call of a method.

use std::error::Error as _;
use std::path::PathBuf;
use std::time::Duration;
use std::{fmt, fs, io};

use http::uri::PathAndQuery;
use prost::Message;
use tokio::time::{Instant, sleep, timeout_at};
use tonic::client::Grpc;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

use crate::Error;
use crate::request_id::Prepare;
use crate::retries::Policy;

/// A client of all services on one connection. Clones share the connection; calls may run concurrently.
#[derive(Clone)]
pub struct Client {
    channel: Channel,
    timeout: Option<Duration>,
}

/// PEM files for mutual TLS.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The authority that issued the server's certificate.
    pub ca: PathBuf,
    /// The caller's certificate.
    pub certificate: PathBuf,
    /// The caller's private key.
    pub key: PathBuf,
    /// The name in the server's certificate, if it is not the host of the address.
    pub server_name: Option<String>,
}

/// An invalid address, or files that cannot be used.
#[derive(Debug)]
pub enum ConnectError {
    /// A file cannot be read.
    File(PathBuf, io::Error),
    /// The address or the content of a file is invalid.
    Transport(tonic::transport::Error),
}

impl Client {
    /// Creates a plaintext client for `host:port`. Use it only for a server on the same machine.
    ///
    /// The client connects on the first call, and reconnects when the connection is lost.
    ///
    /// # Errors
    ///
    /// The address is invalid.
    pub fn plaintext(address: &str) -> Result<Self, ConnectError> {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(ConnectError::Transport)?;
        Ok(Self { channel: endpoint.connect_lazy(), timeout: None })
    }

    /// Creates a client for `host:port` with mutual TLS. It connects like [`Client::plaintext`].
    ///
    /// # Errors
    ///
    /// The address is invalid, or a file cannot be read or has invalid content.
    pub fn mutual_tls(address: &str, files: &TlsFiles) -> Result<Self, ConnectError> {
        let read = |path: &PathBuf| fs::read(path).map_err(|error| ConnectError::File(path.clone(), error));
        let identity = Identity::from_pem(read(&files.certificate)?, read(&files.key)?);
        let mut tls = ClientTlsConfig::new().ca_certificate(Certificate::from_pem(read(&files.ca)?)).identity(identity);
        if let Some(name) = &files.server_name {
            tls = tls.domain_name(name);
        }
        let endpoint = Endpoint::from_shared(format!("https://{address}")).map_err(ConnectError::Transport)?;
        let endpoint = endpoint.tls_config(tls).map_err(ConnectError::Transport)?;
        Ok(Self { channel: endpoint.connect_lazy(), timeout: None })
    }

    /// The same client with another timeout for every call, instead of the published ones.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { channel: self.channel.clone(), timeout: Some(timeout) }
    }

    /// Calls a method. All attempts have the same `request_id` and share one deadline.
    pub(crate) async fn unary<Req, Res>(&self, path: &'static str, mut request: Req) -> Result<Res, Error>
    where
        Req: Message + Prepare + Clone + 'static,
        Res: Message + Default + 'static,
    {
        request.prepare();
        let policy = Policy::of(path);
        let deadline = Instant::now() + self.timeout.unwrap_or(policy.timeout);
        let mut attempts = 0;
        loop {
            let status = match self.attempt(path, request.clone(), deadline).await {
                Ok(response) => return Ok(response),
                Err(status) => status,
            };
            attempts += 1;
            match policy.next_attempt(attempts, &status) {
                Some(wait) if Instant::now() + wait < deadline => sleep(wait).await,
                _ => return Err(status.into()),
            }
        }
    }

    async fn attempt<Req, Res>(&self, path: &'static str, message: Req, deadline: Instant) -> Result<Res, Status>
    where
        Req: Message + 'static,
        Res: Message + Default + 'static,
    {
        let mut request = Request::new(message);
        request.set_timeout(deadline.saturating_duration_since(Instant::now()));
        let mut grpc = Grpc::new(self.channel.clone());
        let call = async {
            grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
            grpc.unary(request, PathAndQuery::from_static(path), ProstCodec::default()).await
        };
        match timeout_at(deadline, call).await {
            Ok(Err(status)) if timed_out(&status, deadline) => Err(deadline_exceeded()),
            Ok(Err(status)) if connection_lost(&status) => Err(Status::unavailable(status.message())),
            Ok(result) => result.map(tonic::Response::into_inner),
            Err(_) => Err(deadline_exceeded()),
        }
    }
}

/// tonic applies the timeout too, possibly slightly earlier, and reports it as CANCELLED.
fn timed_out(status: &Status, deadline: Instant) -> bool {
    status.code() == Code::Cancelled && Instant::now() + Duration::from_millis(20) >= deadline
}

/// tonic reports a broken connection as UNKNOWN and a rejected one as CANCELLED. A status sent by the server has no source.
fn connection_lost(status: &Status) -> bool {
    matches!(status.code(), Code::Unknown | Code::Cancelled) && status.source().is_some()
}

fn deadline_exceeded() -> Status {
    Status::deadline_exceeded("deadline exceeded")
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Transport(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for ConnectError {}
