//! The `request_id` of a call.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use uuid::{Uuid, uuid};

/// The namespace shared by the clients of all languages.
const NAMESPACE: Uuid = uuid!("f2033512-6d64-53e7-adf0-f759b2b50235");

/// Sets the `request_id` of a request before the first attempt, unless the caller has set it.
///
/// For methods that take a code it is derived from the code, so that a double click or a reload is the same call.
pub trait Prepare {
    /// Does nothing if the request has no such field.
    fn prepare(&mut self);
}

/// UUID version 5 of the lines, joined by LF.
pub(crate) fn derived(lines: &[&str]) -> String {
    Uuid::new_v5(&NAMESPACE, lines.join("\n").as_bytes()).to_string()
}

/// UUID version 4: two calls are two requests.
pub(crate) fn random() -> String {
    Uuid::new_v4().to_string()
}

/// Removes the differences between spellings of a code. Does not validate it: the server does that.
pub(crate) fn normalise_code(typed: &str) -> String {
    let is_significant = |symbol: &char| {
        symbol.general_category_group() != GeneralCategoryGroup::Separator
            && !matches!(
                symbol.general_category(),
                GeneralCategory::Control | GeneralCategory::Format | GeneralCategory::DashPunctuation
            )
    };
    typed.nfkc().filter(is_significant).map(|symbol| symbol.to_ascii_lowercase()).collect()
}

/// Also replaces letters that are not in the alphabet of backup codes by the digits they resemble.
pub(crate) fn normalise_backup_code(typed: &str) -> String {
    normalise_code(typed).replace('o', "0").replace(['i', 'l'], "1")
}
