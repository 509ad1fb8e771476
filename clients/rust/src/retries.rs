//! The published service config, done here: tonic reads none.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use serde::Deserialize;
use tonic::{Code, Status};

const PUBLISHED: &str = include_str!("generated/service_config.json");

static POLICIES: LazyLock<HashMap<String, Policy>> = LazyLock::new(read);

/// What the service config says of one method.
#[derive(Clone, Debug)]
pub struct Policy {
    /// For the whole logical call, its retries included.
    pub timeout: Duration,
    retry: Option<RetryPolicy>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RetryPolicy {
    max_attempts: u32,
    initial_backoff: String,
    max_backoff: String,
    backoff_multiplier: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    method_config: Vec<MethodConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MethodConfig {
    name: Vec<Name>,
    timeout: String,
    retry_policy: Option<RetryPolicy>,
}

#[derive(Deserialize)]
struct Name {
    service: String,
    method: String,
}

impl Policy {
    /// The policy of the method at this path.
    pub fn of(path: &str) -> Self {
        POLICIES[path].clone()
    }

    /// How long to wait before the next attempt; `None`: there is none. `attempts` were made, the last one came to this.
    pub fn next_attempt(&self, attempts: u32, status: &Status) -> Option<Duration> {
        let retry = self.retry.as_ref()?;
        if status.code() != Code::Unavailable || attempts >= retry.max_attempts {
            return None;
        }
        match status.metadata().get("grpc-retry-pushback-ms") {
            // The server says when, or (by anything that is no number of milliseconds) never.
            Some(pushback) => Some(Duration::from_millis(pushback.to_str().ok()?.parse().ok()?)),
            None => Some(retry.backoff(attempts)),
        }
    }
}

impl RetryPolicy {
    /// Grows with each attempt, and strays by a fifth so that clients do not come back all at once.
    fn backoff(&self, attempts: u32) -> Duration {
        let exponent = i32::try_from(attempts).unwrap_or(i32::MAX) - 1;
        let grown = seconds(&self.initial_backoff).mul_f64(self.backoff_multiplier.powi(exponent));
        let (_, noise) = uuid::Uuid::new_v4().as_u64_pair();
        #[allow(clippy::cast_precision_loss)]
        let stray = 0.8 + 0.4 * ((noise >> 11) as f64 / (1_u64 << 53) as f64);
        grown.min(seconds(&self.max_backoff)).mul_f64(stray)
    }
}

fn read() -> HashMap<String, Policy> {
    let config: Config = serde_json::from_str(PUBLISHED).expect("the published service config is JSON");
    let mut policies = HashMap::new();
    for method in config.method_config {
        let policy = Policy { timeout: seconds(&method.timeout), retry: method.retry_policy };
        for Name { service, method } in method.name {
            policies.insert(format!("/{service}/{method}"), policy.clone());
        }
    }
    policies
}

/// A duration as protobuf's JSON writes it: `0.1s`.
fn seconds(text: &str) -> Duration {
    let number = text.strip_suffix('s').and_then(|number| number.parse().ok());
    Duration::from_secs_f64(number.expect("a duration of the published service config"))
}
