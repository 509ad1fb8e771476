//! A gRPC server that sends the replies of a list in order.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use http::{Request, Response};
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::Server;
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

/// The reply to a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// An empty response.
    Ok,
    /// A status, with an optional `grpc-retry-pushback-ms`.
    Status(Code, Option<&'static str>),
    /// No reply.
    Never,
}

impl Reply {
    /// UNAVAILABLE without a pushback.
    pub fn unavailable() -> Self {
        Self::Status(Code::Unavailable, None)
    }
}

/// A server on a free port, which runs until the test ends.
pub struct FailingServer {
    pub address: String,
    received: Arc<Mutex<Vec<String>>>,
}

impl FailingServer {
    pub async fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let received = Arc::default();
        let replies = Arc::new(Mutex::new(VecDeque::from(replies)));
        let sign_in = Failing::<0> { replies: Arc::clone(&replies), received: Arc::clone(&received) };
        let two_factor = Failing::<1> { replies, received: Arc::clone(&received) };
        let server = Server::builder().add_service(sign_in).add_service(two_factor);
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        Self { address, received }
    }

    /// The content of the received requests in order.
    pub fn requests(&self) -> Vec<String> {
        self.received.lock().unwrap().clone()
    }
}

#[derive(Clone)]
struct Failing<const SERVICE: usize> {
    replies: Arc<Mutex<VecDeque<Reply>>>,
    received: Arc<Mutex<Vec<String>>>,
}

impl NamedService for Failing<0> {
    const NAME: &'static str = "twofactor.v1.SignInService";
}

impl NamedService for Failing<1> {
    const NAME: &'static str = "twofactor.v1.TwoFactorService";
}

/// The fields 3 and 4 of a request, one of which is the `request_id` in the messages used here.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AnyRequest {
    #[prost(string, tag = "3")]
    pub third: String,
    #[prost(string, tag = "4")]
    pub fourth: String,
}

impl<const SERVICE: usize> UnaryService<AnyRequest> for Failing<SERVICE> {
    type Response = ();
    type Future = Pin<Box<dyn Future<Output = Result<tonic::Response<()>, Status>> + Send>>;

    fn call(&mut self, request: tonic::Request<AnyRequest>) -> Self::Future {
        self.received.lock().unwrap().push(format!("{:?}", request.into_inner()));
        let reply = self.replies.lock().unwrap().pop_front().unwrap_or(Reply::Ok);
        Box::pin(async move {
            match reply {
                Reply::Ok => Ok(tonic::Response::new(())),
                Reply::Never => std::future::pending().await,
                Reply::Status(code, pushback) => {
                    let mut status = Status::new(code, "scripted");
                    if let Some(pushback) = pushback {
                        status.metadata_mut().insert("grpc-retry-pushback-ms", pushback.parse().unwrap());
                    }
                    Err(status)
                }
            }
        })
    }
}

impl<const SERVICE: usize> Service<Request<Body>> for Failing<SERVICE> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(Grpc::new(ProstCodec::default()).unary(service, request).await) })
    }
}
