//! Generates the client's methods, and for the conformance driver a dispatch by method name.

use std::fmt::Write;

use prost_reflect::{DescriptorPool, MethodDescriptor};

use crate::{PACKAGE, snake};

/// The methods of `Client`, with the comments of the contract.
pub fn client_methods(pool: &DescriptorPool) -> String {
    let mut source = String::from(
        "use super::pb;\nuse crate::request_id::{Prepare, derived, normalise_backup_code, normalise_code, random};\n\
         use crate::{Client, Error};\nimpl Client {",
    );
    for method in methods(pool) {
        for line in comment(&method).lines() {
            let _ = write!(source, "#[doc = {line:?}]");
        }
        let _ = writeln!(
            source,
            "#[doc = \"\"]#[doc = \" # Errors\"]#[doc = \"\"]\
             #[doc = \" The reason for which the server rejected the call, or a failure of the connection.\"]\
             pub async fn {name}(&self, request: pb::{input}) -> Result<pb::{output}, Error> {{\
             self.unary({path:?}, request).await }}",
            name = snake(method.name()),
            input = method.input().name(),
            output = method.output().name(),
            path = format!("/{}/{}", method.parent_service().full_name(), method.name()),
        );
    }
    source.push('}');
    for method in methods(pool) {
        write_preparation(&mut source, &method);
    }
    source
}

/// The implementation of `Prepare` for the request of the method.
fn write_preparation(source: &mut String, method: &MethodDescriptor) {
    let input = method.input();
    let has = |name: &str| input.get_field_by_name(name).is_some();
    let content = match (has("challenge_token"), has("setup_id")) {
        _ if !has("request_id") => None,
        (true, _) if has("backup_code") => {
            Some("&self.challenge_token, NAME, &normalise_backup_code(&self.backup_code)")
        }
        (true, _) if has("code") => Some("&self.challenge_token, NAME, &normalise_code(&self.code)"),
        (_, true) => {
            Some("&self.session_token, NAME, &self.setup_id.to_ascii_lowercase(), &normalise_code(&self.code)")
        }
        _ => Some(""),
    };
    let body = match content {
        None => String::new(),
        Some("") => "if self.request_id.is_empty() { self.request_id = random(); }".to_owned(),
        Some(parts) => format!(
            "if self.request_id.is_empty() {{ self.request_id = derived(&[{}]); }}",
            parts.replace("NAME", &format!("{:?}", method.name()))
        ),
    };
    let _ = write!(source, "impl Prepare for pb::{} {{ fn prepare(&mut self) {{ {body} }} }}", input.name());
}

/// The functions that dispatch by method name.
pub fn dispatch(pool: &DescriptorPool) -> String {
    let (mut calls, mut prepared) = (String::new(), String::new());
    for method in methods(pool) {
        let name = method.name();
        let call = snake(name);
        let input = method.input().name().to_owned();
        let _ = write!(calls, "{name:?} => outcome(client.{call}(pb::{input}::decode(request)?).await),");
        let _ = write!(prepared, "{name:?} => prepared(pb::{input}::decode(request)?),");
    }
    format!(
        "use prost::Message;\nuse twofactor_client::{{Client, pb}};\n\
         use crate::{{Failure, Outcome, Prepared, outcome, prepared}};\n\
         /// Calls the method with the encoded request.\n\
         pub async fn call(client: &Client, name: &str, request: &[u8]) -> Result<Outcome, Failure> {{\
         Ok(match name {{ {calls} _ => return Err(Failure::from(\"unknown method\")) }}) }}\n\
         /// Prepares the encoded request as the client would send it.\n\
         pub fn prepare(name: &str, request: &[u8]) -> Result<Prepared, Failure> {{\
         Ok(match name {{ {prepared} _ => return Err(Failure::from(\"unknown method\")) }}) }}\n"
    )
}

fn methods(pool: &DescriptorPool) -> impl Iterator<Item = MethodDescriptor> {
    pool.services()
        .filter(|service| service.package_name() == PACKAGE)
        .flat_map(|service| service.methods().collect::<Vec<_>>())
}

fn comment(method: &MethodDescriptor) -> String {
    let file = method.parent_file();
    let locations = &file.file_descriptor_proto().source_code_info.as_ref().map(|info| &info.location);
    let found = locations.and_then(|all| all.iter().find(|location| location.path == method.path()));
    found.map(|location| location.leading_comments().to_owned()).unwrap_or_default()
}
