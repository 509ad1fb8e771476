//! Refusals, and what kept a call from being answered.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Whose reasons are meant; another domain's are of whatever stands between.
const DOMAIN: &str = "twofactor";

/// Why a call was refused, for whoever acts on it. Decide on this, or on [`Error::reason`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A field is malformed; [`Error::fields`] names it.
    InvalidField,
    /// The first factor was wrong.
    CredentialsMismatch,
    /// A re-authentication is needed, or is too old.
    ReauthenticationRequired,
    /// The re-authentication was wrong.
    ReauthenticationFailed,
    /// The code was wrong, or a newer one was mailed.
    CodeMismatch {
        /// Wrong codes that the challenge still bears.
        attempts_left: u32,
    },
    /// The code was right, and is too old.
    CodeExpired,
    /// The backup code was used before.
    BackupCodeAlreadyUsed {
        /// When, as RFC 3339 in UTC.
        used_at: String,
    },
    /// The authenticator's code was used before.
    CodeAlreadyUsed,
    /// The sign-in is over: begin again.
    ChallengeOver,
    /// The session is over: sign in again.
    SessionEnded,
    /// Signing in is suspended until the owner confirms by the mailed link.
    FirstFactorSuspended,
    /// The authenticator is disabled; the backup code is the way in.
    AuthenticatorDisabled,
    /// A wait is in force; [`Error::retry_after`] says how long.
    Throttled,
    /// Nothing was decided: the same call may succeed later.
    TryAgain,
    /// Any other reason, also one that this version does not know.
    Other,
}

/// Why a call did not succeed. It holds no secret and may be logged.
#[derive(Clone, Debug)]
pub struct Error {
    /// What to act on.
    pub kind: Kind,
    /// The gRPC status code.
    pub code: Code,
    /// `google.rpc.ErrorInfo.reason`, a name of `ErrorReason` without its prefix; empty without one.
    pub reason: String,
    /// `google.rpc.ErrorInfo.metadata`.
    pub metadata: HashMap<String, String>,
    /// The paths of the malformed fields, from the request's root.
    pub fields: Vec<String>,
    /// How long to wait before another try.
    pub retry_after: Option<Duration>,
    /// The server's sentence for developers.
    pub message: String,
}

impl Error {
    /// The name of the error's kind, the same in every language's client.
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
