//! The conformance driver. `clients/conformance/README.md` describes the protocol.

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

/// The result of a call: the encoded response, or the error.
type Outcome = Result<Vec<u8>, Error>;

/// A request as the client would send it, encoded, and its `Debug` format.
struct Prepared {
    encoded: Vec<u8>,
    formatted: String,
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
        let reply = driver.reply(&serde_json::from_str(&line?)?).await?;
        println!("{reply}");
        stdout().flush()?;
    }
    Ok(())
}

impl Driver {
    async fn reply(&mut self, command: &Value) -> Result<Value, Failure> {
        let text = |name: &str| command[name].as_str().unwrap_or_default();
        if text("op") == "connect" {
            self.client = Some(connect(text("address"), &command["tls"])?);
            return Ok(json!({"ok": true}));
        }
        let method = self.method(text("method"))?;
        let request = encoded(method.input(), &command["request"])?;
        if text("op") == "call" {
            return self.call(&method, &request, command["timeout_ms"].as_u64()).await;
        }
        let prepared = dispatch::prepare(method.name(), &request)?;
        if text("op") == "format" {
            return Ok(json!({"text": prepared.formatted}));
        }
        let sent = decoded(method.input(), &prepared.encoded)?;
        Ok(json!({"request_id": sent["request_id"]}))
    }

    async fn call(&self, method: &MethodDescriptor, request: &[u8], timeout: Option<u64>) -> Result<Value, Failure> {
        let client = self.client.as_ref().ok_or("not connected")?;
        let client = timeout.map_or_else(|| client.clone(), |limit| client.with_timeout(Duration::from_millis(limit)));
        Ok(match dispatch::call(&client, method.name(), request).await? {
            Ok(response) => json!({"response": decoded(method.output(), &response)?}),
            Err(error) => json!({"error": error_to_json(&error)}),
        })
    }

    fn method(&self, name: &str) -> Result<MethodDescriptor, Failure> {
        let services: Vec<_> = self.contract.services().collect();
        let found =
            services.iter().flat_map(prost_reflect::ServiceDescriptor::methods).find(|method| method.name() == name);
        found.ok_or_else(|| format!("unknown method: {name}").into())
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
fn outcome<Res: Message>(result: Result<Res, Error>) -> Outcome {
    result.map(|response| response.encode_to_vec())
}

fn prepared<Req: Message + Prepare + Debug>(mut request: Req) -> Prepared {
    let formatted = format!("{request:?}");
    request.prepare();
    Prepared { encoded: request.encode_to_vec(), formatted }
}

fn encoded(message: MessageDescriptor, content: &Value) -> Result<Vec<u8>, Failure> {
    Ok(DynamicMessage::deserialize(message, content)?.encode_to_vec())
}

fn decoded(message: MessageDescriptor, bytes: &[u8]) -> Result<Value, Failure> {
    let options = SerializeOptions::new().use_proto_field_name(true);
    let message = DynamicMessage::decode(message, bytes)?;
    Ok(message.serialize_with_options(serde_json::value::Serializer, &options)?)
}

fn error_to_json(error: &Error) -> Value {
    json!({
        "type": error.type_name(),
        "status": status_name(error.code),
        "reason": error.reason,
        "metadata": error.metadata,
        "fields": error.fields,
        "retry_after_ms": error.retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
    })
}

/// Converts `FailedPrecondition` to `FAILED_PRECONDITION`.
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
