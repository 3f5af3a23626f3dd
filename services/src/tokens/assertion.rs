//! An assertion that a client signs about itself (RFC 7523, as SMART Backend Services has it): good once, for minutes.

use chrono::{DateTime, Utc};

use super::claims::{Allowed, name};
use super::clients::{Client, Clients};
use super::compact::Compact;
use super::refused::Refused;
use super::replay::Shown;
use super::verify::{ASSERTION, Expected, verify};

/// The longest that an assertion may hold.
const LONGEST: i64 = 300;

/// Whose assertion this is. It must be the client's own word about itself, for this endpoint alone, issued since this program began
/// (a stream that was made anew meanwhile remembers nothing of before), and never shown before to any program of the ledger.
///
/// # Errors
/// Why it is refused.
pub(super) async fn client<'a>(
    assertion: &str,
    clients: &'a Clients,
    endpoint: &str,
    shown: &Shown,
    began: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<&'a Client, Refused> {
    let token = Compact::read(assertion)?;
    let id = name(&token.claims, "sub")?;
    let client = clients.find(&id).ok_or(Refused::Client)?;
    let expected = Expected {
        issuer: id.clone(),
        audience: endpoint.to_owned(),
        alone: true,
        times: Allowed::longest(LONGEST),
        kinds: ASSERTION,
        not_before: false,
    };
    let times = verify(&token, &client.keys, &expected, now)?;
    let shown_as = name(&token.claims, "jti")?;
    if times.issued_before(began) {
        return Err(Refused::Replayed);
    }
    shown.once(&id, &shown_as, times.expires, now).await?;
    Ok(client)
}
