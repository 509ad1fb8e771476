//! The name of a logical call: derived from its content, so that a double click and a reload are the same call.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use uuid::{Uuid, uuid};

/// The namespace that all clients share, whatever their language.
const NAMESPACE: Uuid = uuid!("f2033512-6d64-53e7-adf0-f759b2b50235");

/// Gives a request the `request_id` that its caller left out, before the first of its attempts.
pub trait Prepare {
    /// Does nothing to a request without that field, or with one given.
    fn prepare(&mut self);
}

/// UUID version 5 over the lines.
pub(crate) fn derived(lines: &[&str]) -> String {
    Uuid::new_v5(&NAMESPACE, lines.join("\n").as_bytes()).to_string()
}

/// UUID version 4: asked twice means it twice.
pub(crate) fn random() -> String {
    Uuid::new_v4().to_string()
}

/// The normal form of a mailed code or of the app's.
pub(crate) fn code_form(typed: &str) -> String {
    let spoken = |symbol: &char| {
        symbol.general_category_group() != GeneralCategoryGroup::Separator
            && !matches!(
                symbol.general_category(),
                GeneralCategory::Control | GeneralCategory::Format | GeneralCategory::DashPunctuation
            )
    };
    typed.nfkc().filter(spoken).map(|symbol| symbol.to_ascii_lowercase()).collect()
}

/// The normal form of a backup code: Crockford's look-alikes are the digits that they look like.
pub(crate) fn backup_code_form(typed: &str) -> String {
    code_form(typed).replace('o', "0").replace(['i', 'l'], "1")
}
