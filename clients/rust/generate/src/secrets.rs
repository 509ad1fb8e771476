//! Generates `Debug` implementations that hide the fields with `debug_redact`.

use std::fmt::Write;

use prost_reflect::{DescriptorPool, FieldDescriptor, MessageDescriptor, OneofDescriptor};

use crate::{PACKAGE, camel, snake};

/// The messages, including their oneofs, for which prost must not derive `Debug`.
pub fn messages_with_secrets(pool: &DescriptorPool) -> Vec<String> {
    messages(pool).map(|message| format!(".{}", message.full_name())).collect()
}

/// The source of their `Debug` implementations.
pub fn debug_impls(pool: &DescriptorPool) -> String {
    let mut source = String::from(
        "use std::fmt::{Debug, Formatter, Result};\n\
         use super::*;\n\
         /// Shows only whether a secret is set.\n\
         struct Secret(bool);\n\
         impl Debug for Secret { fn fmt(&self, f: &mut Formatter<'_>) -> Result {\
             f.write_str(if self.0 { \"[hidden]\" } else { \"\\\"\\\"\" }) } }\n",
    );
    for message in messages(pool) {
        write_message(&mut source, &message);
        for oneof in message.oneofs() {
            write_oneof(&mut source, &oneof);
        }
    }
    source
}

fn messages(pool: &DescriptorPool) -> impl Iterator<Item = MessageDescriptor> {
    pool.all_messages()
        .filter(|message| message.package_name() == PACKAGE)
        .filter(|message| message.fields().any(|field| is_secret(&field)))
}

fn is_secret(field: &FieldDescriptor) -> bool {
    field.options().get_field_by_name("debug_redact").is_some_and(|mark| mark.as_bool() == Some(true))
}

fn write_message(source: &mut String, message: &MessageDescriptor) {
    let name = message.name();
    let mut fields = String::new();
    let mut oneofs = Vec::new();
    for field in message.fields() {
        match field.containing_oneof() {
            Some(oneof) if oneofs.contains(&oneof.name().to_owned()) => {}
            Some(oneof) => {
                oneofs.push(oneof.name().to_owned());
                let _ = write!(fields, ".field({0:?}, &self.{0})", oneof.name());
            }
            None if is_secret(&field) => {
                let _ = write!(fields, ".field({0:?}, &Secret(!self.{0}.is_empty()))", field.name());
            }
            None => {
                let _ = write!(fields, ".field({0:?}, &self.{0})", field.name());
            }
        }
    }
    let _ = writeln!(
        source,
        "impl Debug for {name} {{ fn fmt(&self, f: &mut Formatter<'_>) -> Result {{\
         f.debug_struct({name:?}){fields}.finish() }} }}"
    );
}

fn write_oneof(source: &mut String, oneof: &OneofDescriptor) {
    let name = camel(oneof.name());
    let module = snake(oneof.parent_message().name());
    let mut arms = String::new();
    for field in oneof.fields() {
        let variant = camel(field.name());
        let (bound, shown) =
            if is_secret(&field) { ("secret", "&Secret(!secret.is_empty())") } else { ("value", "value") };
        let _ = write!(arms, "Self::{variant}({bound}) => f.debug_tuple({variant:?}).field({shown}).finish(),");
    }
    let _ = writeln!(
        source,
        "impl Debug for {module}::{name} {{ fn fmt(&self, f: &mut Formatter<'_>) -> Result {{ match self {{ {arms} }} }} }}"
    );
}
