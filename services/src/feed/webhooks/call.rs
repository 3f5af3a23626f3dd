//! One call: ids and links alone, signed, to an address that was looked at, with no way on from there and an end to everything.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use super::address::{Allowed, NotAllowed};
use super::settings::Subscription;
use super::signature;
use crate::feed::Heard;

/// How long a call may take from its first byte to the last of its answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of an answer that are read; what more there is makes the call a failed one.
const MOST_BYTES: usize = 64 * 1_024;

/// Why a call did not succeed. Nothing of what the receiver said is in it.
#[derive(Debug, thiserror::Error)]
pub enum NotDelivered {
    /// It may not be called.
    #[error("the address is not called")]
    NotAllowed(#[from] NotAllowed),
    /// It could not be reached, or took too long.
    #[error("the receiver could not be reached, or took too long")]
    Unreachable {
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// It answered with something else than 2xx.
    #[error("the receiver answered {status}")]
    Refused {
        /// The status.
        status: u16,
    },
    /// It answered more than anybody reads.
    #[error("the receiver answered more than {MOST_BYTES} bytes")]
    TooLong,
}

impl NotDelivered {
    /// The status, where there was an answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status } => Some(*status),
            Self::NotAllowed(_) | Self::Unreachable { .. } | Self::TooLong => None,
        }
    }
}

/// The body of a call: what happened where, not what it says or about whom.
pub fn body(heard: &Heard) -> Value {
    let (plan, number) = (&heard.plan, heard.standing.number);
    json!({
        "type": format!("rollbook.{}", heard.kind),
        "data": {
            "event": heard.id(), "kind": heard.kind, "plan": plan.as_str(), "number": number, "position": heard.position.0,
            "links": { "message": format!("/v1/feed/range?plan={plan}&from={number}&to={number}") },
        },
    })
}

/// Calls once.
///
/// # Errors
/// Where that was no success.
pub async fn call(
    of: &Subscription,
    allowed: &Allowed,
    heard: &Heard,
    now: DateTime<Utc>,
) -> Result<u16, NotDelivered> {
    let unreachable = |source: reqwest::Error| NotDelivered::Unreachable { source: source.without_url() };
    let addresses = allowed.lead(&of.url).await?;
    let host = of.url.host_str().unwrap_or_default();
    // A client for each call, because each is led where its name leads now, and nowhere else.
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .timeout(TIMEOUT)
        .resolve_to_addrs(host, &addresses)
        .tls_built_in_native_certs(of.url.scheme() == "https")
        .build()
        .map_err(unreachable)?;
    let (id, timestamp, body) = (heard.id(), now.timestamp(), body(heard).to_string());
    let signature = signature::header(&of.secrets, &id, timestamp, body.as_bytes());
    let request = client
        .post(of.url.clone())
        .header("content-type", "application/json")
        .header("user-agent", concat!("rollbook/", env!("CARGO_PKG_VERSION")))
        .header("webhook-id", id)
        .header("webhook-timestamp", timestamp.to_string())
        .header("webhook-signature", signature)
        .body(body);
    let mut answer = request.send().await.map_err(unreachable)?;
    let status = answer.status();
    let mut bytes = 0;
    while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
        bytes += chunk.len();
        if bytes > MOST_BYTES {
            return Err(NotDelivered::TooLong);
        }
    }
    if status.is_success() { Ok(status.as_u16()) } else { Err(NotDelivered::Refused { status: status.as_u16() }) }
}
