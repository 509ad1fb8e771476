//! The connection, and how every method is called.

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

/// A client of all services over one connection. Clones share it, and calls may run at once.
#[derive(Clone)]
pub struct Client {
    channel: Channel,
    timeout: Option<Duration>,
}

/// PEM files of a connection on which both sides show a certificate.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The authority that signed the server's certificate.
    pub ca: PathBuf,
    /// This service's certificate.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The name in the server's certificate, where it is not the address's host.
    pub server_name: Option<String>,
}

/// Why there is no client: the address is none, or the files cannot be used.
#[derive(Debug)]
pub enum ConnectError {
    /// A file cannot be read.
    File(PathBuf, io::Error),
    /// The address, or what the files hold.
    Transport(tonic::transport::Error),
}

impl Client {
    /// A client for `host:port`, in plaintext: for a server on the same machine only.
    ///
    /// Connects at the first call, and again whenever the connection is lost.
    ///
    /// # Errors
    ///
    /// Not an address.
    pub fn plaintext(address: &str) -> Result<Self, ConnectError> {
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(ConnectError::Transport)?;
        Ok(Self { channel: endpoint.connect_lazy(), timeout: None })
    }

    /// A client for `host:port`, over TLS with a certificate on both sides.
    ///
    /// # Errors
    ///
    /// Not an address; files that cannot be read, or do not hold what they should.
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

    /// The same client with a deadline of the caller's own for every call, instead of the method's published one.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { channel: self.channel.clone(), timeout: Some(timeout) }
    }

    /// One logical call: all its attempts carry the same `request_id` and share one deadline.
    pub(crate) async fn unary<Q, A>(&self, path: &'static str, mut request: Q) -> Result<A, Error>
    where
        Q: Message + Prepare + Clone + 'static,
        A: Message + Default + 'static,
    {
        request.prepare();
        let policy = Policy::of(path);
        let deadline = Instant::now() + self.timeout.unwrap_or(policy.timeout);
        let mut attempts = 0;
        loop {
            let status = match self.attempt(path, request.clone(), deadline).await {
                Ok(answer) => return Ok(answer),
                Err(status) => status,
            };
            attempts += 1;
            match policy.next_attempt(attempts, &status) {
                Some(wait) if Instant::now() + wait < deadline => sleep(wait).await,
                _ => return Err(status.into()),
            }
        }
    }

    async fn attempt<Q, A>(&self, path: &'static str, message: Q, deadline: Instant) -> Result<A, Status>
    where
        Q: Message + 'static,
        A: Message + Default + 'static,
    {
        let mut request = Request::new(message);
        request.set_timeout(deadline.saturating_duration_since(Instant::now()));
        let mut grpc = Grpc::new(self.channel.clone());
        let call = async {
            grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
            grpc.unary(request, PathAndQuery::from_static(path), ProstCodec::default()).await
        };
        match timeout_at(deadline, call).await {
            Ok(Err(status)) if timed_out(&status, deadline) => Err(too_late()),
            Ok(Err(status)) if connection_lost(&status) => Err(Status::unavailable(status.message())),
            Ok(answered) => answered.map(tonic::Response::into_inner),
            Err(_) => Err(too_late()),
        }
    }
}

/// tonic keeps the deadline itself too, and calls it CANCELLED; its clock may be a moment ahead of ours.
fn timed_out(status: &Status, deadline: Instant) -> bool {
    status.code() == Code::Cancelled && Instant::now() + Duration::from_millis(20) >= deadline
}

/// tonic calls a connection that broke UNKNOWN, and one that the server refused CANCELLED. What the server itself calls so
/// has no source.
fn connection_lost(status: &Status) -> bool {
    matches!(status.code(), Code::Unknown | Code::Cancelled) && status.source().is_some()
}

fn too_late() -> Status {
    Status::deadline_exceeded("the call took too long")
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
