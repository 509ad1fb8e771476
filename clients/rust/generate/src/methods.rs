//! The client's methods, one a method of the contract, and the conformance driver's way from a name to each.

use std::fmt::Write;

use prost_reflect::{DescriptorPool, MethodDescriptor};

use crate::{PACKAGE, snake};

/// Methods of `Client`, with the contract's comments.
pub fn client_methods(pool: &DescriptorPool) -> String {
    let mut source = String::from(
        "use super::pb;\nuse crate::request_id::{Prepare, backup_code_form, code_form, derived, random};\n\
         use crate::{Client, Error};\nimpl Client {",
    );
    for method in methods(pool) {
        for line in comment(&method).lines() {
            let _ = write!(source, "#[doc = {line:?}]");
        }
        let _ = writeln!(
            source,
            "#[doc = \"\"]#[doc = \" # Errors\"]#[doc = \"\"]\
             #[doc = \" The reason of the refusal, or what kept the call from being answered.\"]\
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

/// How the method's request gets its `request_id`, where it has one.
fn write_preparation(source: &mut String, method: &MethodDescriptor) {
    let input = method.input();
    let has = |name: &str| input.get_field_by_name(name).is_some();
    let made = match (has("challenge_token"), has("setup_id")) {
        _ if !has("request_id") => None,
        (true, _) if has("backup_code") => Some("&self.challenge_token, NAME, &backup_code_form(&self.backup_code)"),
        (true, _) if has("code") => Some("&self.challenge_token, NAME, &code_form(&self.code)"),
        (_, true) => Some("&self.session_token, NAME, &self.setup_id.to_ascii_lowercase(), &code_form(&self.code)"),
        _ => Some(""),
    };
    let body = match made {
        None => String::new(),
        Some("") => "if self.request_id.is_empty() { self.request_id = random(); }".to_owned(),
        Some(parts) => format!(
            "if self.request_id.is_empty() {{ self.request_id = derived(&[{}]); }}",
            parts.replace("NAME", &format!("{:?}", method.name()))
        ),
    };
    let _ = write!(source, "impl Prepare for pb::{} {{ fn prepare(&mut self) {{ {body} }} }}", input.name());
}

/// A `match` over the methods' names.
pub fn dispatch(pool: &DescriptorPool) -> String {
    let (mut calls, mut prepared) = (String::new(), String::new());
    for method in methods(pool) {
        let name = method.name();
        let call = snake(name);
        let input = method.input().name().to_owned();
        let _ = write!(calls, "{name:?} => answer(client.{call}(pb::{input}::decode(request)?).await),");
        let _ = write!(prepared, "{name:?} => prepared(pb::{input}::decode(request)?),");
    }
    format!(
        "use prost::Message;\nuse twofactor_client::{{Client, pb}};\n\
         use crate::{{Answer, Failure, Prepared, answer, prepared}};\n\
         /// Calls the method of this name with the encoded request.\n\
         pub async fn call(client: &Client, name: &str, request: &[u8]) -> Result<Answer, Failure> {{\
         Ok(match name {{ {calls} _ => return Err(Failure::from(\"no such method\")) }}) }}\n\
         /// The request as the client would send it, and as it prints.\n\
         pub fn prepare(name: &str, request: &[u8]) -> Result<Prepared, Failure> {{\
         Ok(match name {{ {prepared} _ => return Err(Failure::from(\"no such method\")) }}) }}\n"
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
