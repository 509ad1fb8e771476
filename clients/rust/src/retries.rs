//! Timeouts and retries of the published service config, which tonic does not support.

use std::collections::HashMap;
use std::sync::LazyLock;
use std::time::Duration;

use serde::Deserialize;
use tonic::{Code, Status};

const PUBLISHED: &str = include_str!("generated/service_config.json");

static POLICIES: LazyLock<HashMap<String, Policy>> = LazyLock::new(read);

/// The service config of one method.
#[derive(Clone, Debug)]
pub struct Policy {
    /// For the call including its retries.
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

    /// The delay before the next attempt after `attempts` attempts, or `None` if `status` must not be retried.
    pub fn next_attempt(&self, attempts: u32, status: &Status) -> Option<Duration> {
        let retry = self.retry.as_ref()?;
        if status.code() != Code::Unavailable || attempts >= retry.max_attempts {
            return None;
        }
        match status.metadata().get("grpc-retry-pushback-ms") {
            // A delay in milliseconds. Anything else forbids retries.
            Some(pushback) => Some(Duration::from_millis(pushback.to_str().ok()?.parse().ok()?)),
            None => Some(retry.backoff(attempts)),
        }
    }
}

impl RetryPolicy {
    /// Exponential backoff with a jitter of ±20 %, so that clients do not retry at the same time.
    fn backoff(&self, attempts: u32) -> Duration {
        let exponent = i32::try_from(attempts).unwrap_or(i32::MAX) - 1;
        let backoff = seconds(&self.initial_backoff).mul_f64(self.backoff_multiplier.powi(exponent));
        let (_, noise) = uuid::Uuid::new_v4().as_u64_pair();
        #[allow(clippy::cast_precision_loss)]
        let jitter = 0.8 + 0.4 * ((noise >> 11) as f64 / (1_u64 << 53) as f64);
        backoff.min(seconds(&self.max_backoff)).mul_f64(jitter)
    }
}

fn read() -> HashMap<String, Policy> {
    let config: Config = serde_json::from_str(PUBLISHED).expect("the published service config is valid");
    let mut policies = HashMap::new();
    for method in config.method_config {
        let policy = Policy { timeout: seconds(&method.timeout), retry: method.retry_policy };
        for Name { service, method } in method.name {
            policies.insert(format!("/{service}/{method}"), policy.clone());
        }
    }
    policies
}

/// Parses a duration in protobuf's JSON format, such as `0.1s`.
fn seconds(text: &str) -> Duration {
    let number = text.strip_suffix('s').and_then(|number| number.parse().ok());
    Duration::from_secs_f64(number.expect("durations of the published service config are valid"))
}
