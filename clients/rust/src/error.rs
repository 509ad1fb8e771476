//! Refusals, and what kept a call from being answered.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Reasons of other domains, such as those of a proxy, are ignored.
const DOMAIN: &str = "twofactor";

/// The reasons that a front end handles differently. Match on this, or on [`Error::reason`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A field is missing or malformed: see [`Error::fields`]. It did not count as an attempt.
    InvalidField,
    /// The first factor was wrong.
    CredentialsMismatch,
    /// The re-authentication is missing or not recent enough.
    ReauthenticationRequired,
    /// The re-authentication was wrong. Five failures end the session.
    ReauthenticationFailed,
    /// The code was wrong, or a newer one was mailed.
    CodeMismatch {
        /// The remaining attempts of the challenge or setup; 0 if the server did not say.
        attempts_left: u32,
    },
    /// The e-mail code has expired: send another.
    CodeExpired,
    /// The backup code was used before: ask for the newest one.
    BackupCodeAlreadyUsed {
        /// When it was used, as RFC 3339 in UTC.
        used_at: String,
    },
    /// The authenticator code was used before: wait for the next one.
    CodeAlreadyUsed,
    /// The challenge is expired, completed, exhausted or unknown: start the sign-in again.
    ChallengeOver,
    /// The session has ended: sign in again.
    SessionEnded,
    /// Sign-in is suspended until the owner follows the mailed link.
    FirstFactorSuspended,
    /// Too many wrong codes disabled the authenticator: ask for the backup code.
    AuthenticatorDisabled,
    /// Too many attempts or mails: wait for [`Error::retry_after`]. This call did not count as an attempt.
    Throttled,
    /// The outcome is unknown: repeat the call with the same `request_id`.
    TryAgain,
    /// Any other reason, including unknown ones.
    Other,
}

/// A failed call. It contains no secrets and may be logged.
#[derive(Clone, Debug)]
pub struct Error {
    /// The kind of error to match on.
    pub kind: Kind,
    /// The gRPC status code.
    pub code: Code,
    /// A name of `ErrorReason` without its prefix, or a reason of a newer server. Empty if the error was not reported by
    /// twofactor, but by gRPC or a proxy.
    pub reason: String,
    /// The details of the reason; `ErrorReason` describes them.
    pub metadata: HashMap<String, String>,
    /// The paths of the rejected fields from the root of the request, such as `password.email`.
    pub fields: Vec<String>,
    /// How long to wait before the next call, if the server said so.
    pub retry_after: Option<Duration>,
    /// The server's message for developers.
    pub message: String,
}

impl Error {
    /// The name of the kind, which is the same in the clients of all languages.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::InvalidField => "InvalidField",
            Kind::CredentialsMismatch => "CredentialsMismatch",
            Kind::ReauthenticationRequired => "ReauthenticationRequired",
            Kind::ReauthenticationFailed => "ReauthenticationFailed",
            Kind::CodeMismatch { .. } => "CodeMismatch",
            Kind::CodeExpired => "CodeExpired",
            Kind::BackupCodeAlreadyUsed { .. } => "BackupCodeAlreadyUsed",
            Kind::CodeAlreadyUsed => "CodeAlreadyUsed",
            Kind::ChallengeOver => "ChallengeOver",
            Kind::SessionEnded => "SessionEnded",
            Kind::FirstFactorSuspended => "FirstFactorSuspended",
            Kind::AuthenticatorDisabled => "AuthenticatorDisabled",
            Kind::Throttled => "Throttled",
            Kind::TryAgain => "TryAgain",
            Kind::Other => "TwoFactorError",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = if self.reason.is_empty() { format!("{:?}", self.code) } else { self.reason.clone() };
        write!(f, "{reason}: {}", self.message)
    }
}

impl std::error::Error for Error {}

impl From<Status> for Error {
    fn from(status: Status) -> Self {
        let info = status.get_details_error_info().filter(|info| info.domain == DOMAIN);
        let (reason, metadata) = info.map(|info| (info.reason, info.metadata)).unwrap_or_default();
        let violations = status.get_details_bad_request().map(|bad| bad.field_violations).unwrap_or_default();
        Self {
            kind: kind(status.code(), &reason, &metadata),
            code: status.code(),
            fields: violations.into_iter().map(|violation| violation.field).collect(),
            retry_after: status.get_details_retry_info().and_then(|info| info.retry_delay),
            message: status.message().to_owned(),
            reason,
            metadata,
        }
    }
}

fn kind(code: Code, reason: &str, metadata: &HashMap<String, String>) -> Kind {
    match reason {
        "INVALID_FIELD" => Kind::InvalidField,
        "CREDENTIALS_MISMATCH" => Kind::CredentialsMismatch,
        "REAUTHENTICATION_REQUIRED" => Kind::ReauthenticationRequired,
        "REAUTHENTICATION_FAILED" => Kind::ReauthenticationFailed,
        "CODE_MISMATCH" | "CODE_SUPERSEDED" => {
            let left = metadata.get("attempts_left").and_then(|left| left.parse().ok());
            Kind::CodeMismatch { attempts_left: left.unwrap_or_default() }
        }
        "CODE_EXPIRED" => Kind::CodeExpired,
        "CODE_ALREADY_USED" => match metadata.get("used_at") {
            Some(used_at) => Kind::BackupCodeAlreadyUsed { used_at: used_at.clone() },
            None => Kind::CodeAlreadyUsed,
        },
        "CHALLENGE_EXPIRED" | "CHALLENGE_CONSUMED" | "CHALLENGE_EXHAUSTED" | "CHALLENGE_NOT_FOUND" => {
            Kind::ChallengeOver
        }
        "SESSION_ENDED" => Kind::SessionEnded,
        "FIRST_FACTOR_SUSPENDED" => Kind::FirstFactorSuspended,
        "AUTHENTICATOR_DISABLED" => Kind::AuthenticatorDisabled,
        "ATTEMPTS_THROTTLED" | "DELIVERY_THROTTLED" => Kind::Throttled,
        "OVERLOADED" | "CONFLICT" | "DEPENDENCY_UNAVAILABLE" => Kind::TryAgain,
        "" if matches!(code, Code::Unavailable | Code::DeadlineExceeded) => Kind::TryAgain,
        _ => Kind::Other,
    }
}
