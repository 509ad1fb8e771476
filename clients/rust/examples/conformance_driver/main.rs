//! Does what one line of JSON says with this crate's client, and says what came of it: see `clients/conformance`.

#[allow(clippy::too_many_lines)]
#[rustfmt::skip]
mod dispatch;

use std::error::Error as StdError;
use std::fmt::Debug;
use std::io::{BufRead, Write, stdin, stdout};
use std::time::Duration;

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor, MethodDescriptor, SerializeOptions};
use serde_json::{Value, json};
use tonic::Code;
use twofactor_client::{Client, Error, Prepare, TlsFiles};

type Failure = Box<dyn StdError>;

/// What a call came to: the encoded response, or the refusal.
type Answer = Result<Vec<u8>, Error>;

/// A request as the client would send it, encoded, and as it prints.
struct Prepared {
    encoded: Vec<u8>,
    shown: String,
}

struct Driver {
    contract: DescriptorPool,
    client: Option<Client>,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let contract = DescriptorPool::decode(include_bytes!("contract.binpb").as_slice())?;
    let mut driver = Driver { contract, client: None };
    for line in stdin().lock().lines() {
        let answer = driver.obey(&serde_json::from_str(&line?)?).await?;
        println!("{answer}");
        stdout().flush()?;
    }
    Ok(())
}

impl Driver {
    async fn obey(&mut self, order: &Value) -> Result<Value, Failure> {
        let text = |name: &str| order[name].as_str().unwrap_or_default();
        if text("op") == "connect" {
            self.client = Some(connect(text("address"), &order["tls"])?);
            return Ok(json!({"ok": true}));
        }
        let method = self.method(text("method"))?;
        let request = encoded(method.input(), &order["request"])?;
        if text("op") == "call" {
            return self.call(&method, &request, order["timeout_ms"].as_u64()).await;
        }
        let prepared = dispatch::prepare(method.name(), &request)?;
        if text("op") == "show" {
            return Ok(json!({"text": prepared.shown}));
        }
        let sent = decoded(method.input(), &prepared.encoded)?;
        Ok(json!({"request_id": sent["request_id"]}))
    }

    async fn call(&self, method: &MethodDescriptor, request: &[u8], timeout: Option<u64>) -> Result<Value, Failure> {
        let client = self.client.as_ref().ok_or("not connected")?;
        let client = timeout.map_or_else(|| client.clone(), |limit| client.with_timeout(Duration::from_millis(limit)));
        Ok(match dispatch::call(&client, method.name(), request).await? {
            Ok(response) => json!({"response": decoded(method.output(), &response)?}),
            Err(error) => json!({"error": told(&error)}),
        })
    }

    fn method(&self, name: &str) -> Result<MethodDescriptor, Failure> {
        let services: Vec<_> = self.contract.services().collect();
        let found =
            services.iter().flat_map(prost_reflect::ServiceDescriptor::methods).find(|method| method.name() == name);
        found.ok_or_else(|| format!("no method {name}").into())
    }
}

fn connect(address: &str, tls: &Value) -> Result<Client, Failure> {
    if tls.is_null() {
        return Ok(Client::plaintext(address)?);
    }
    let file = |name: &str| tls[name].as_str().unwrap_or_default().into();
    let server_name = tls["server_name"].as_str().map(str::to_owned);
    let files = TlsFiles { ca: file("ca"), certificate: file("certificate"), key: file("key"), server_name };
    Ok(Client::mutual_tls(address, &files)?)
}

#[allow(clippy::result_large_err)]
fn answer<A: Message>(outcome: Result<A, Error>) -> Answer {
    outcome.map(|response| response.encode_to_vec())
}

fn prepared<Q: Message + Prepare + Debug>(mut request: Q) -> Prepared {
    let shown = format!("{request:?}");
    request.prepare();
    Prepared { encoded: request.encode_to_vec(), shown }
}

fn encoded(message: MessageDescriptor, content: &Value) -> Result<Vec<u8>, Failure> {
    Ok(DynamicMessage::deserialize(message, content)?.encode_to_vec())
}

fn decoded(message: MessageDescriptor, bytes: &[u8]) -> Result<Value, Failure> {
    let options = SerializeOptions::new().use_proto_field_name(true);
    let message = DynamicMessage::decode(message, bytes)?;
    Ok(message.serialize_with_options(serde_json::value::Serializer, &options)?)
}

fn told(error: &Error) -> Value {
    json!({
        "type": error.type_name(),
        "status": status_name(error.code),
        "reason": error.reason,
        "metadata": error.metadata,
        "fields": error.fields,
        "retry_after_ms": error.retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
    })
}

/// `FailedPrecondition` as `FAILED_PRECONDITION`.
fn status_name(code: Code) -> String {
    let mut name = String::new();
    for (index, letter) in format!("{code:?}").char_indices() {
        if letter.is_uppercase() && index > 0 && code != Code::Ok {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}
