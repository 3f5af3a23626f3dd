//! The accounting of disclosures: everybody who was shown something of a member.

use std::collections::BTreeSet;

use rollbook_events::access::AccessRecorded;
use rollbook_events::{MemberId, Position};

use crate::log::{Log, ReadError};

/// Disclosures of one person that are read at once; more are somebody's program gone wild, which an operator must look at.
pub const MOST_DISCLOSURES: usize = 100_000;

/// Why the accounting cannot be given.
#[derive(Debug, thiserror::Error)]
pub enum DisclosuresError {
    /// More than anybody reads.
    #[error("there are more than {MOST_DISCLOSURES} disclosures of this member")]
    TooMany,
    /// The log.
    #[error("the disclosures could not be read")]
    Log(#[source] ReadError),
    /// A message that this program did not write.
    #[error("the access event at position {0} cannot be read")]
    Unreadable(Position),
}

/// Who was shown something of these members, in the order it was written down, each with its position on `ACCESS`.
///
/// # Errors
/// Where the stream cannot be read.
pub async fn disclosures(
    log: &dyn Log,
    members: &BTreeSet<MemberId>,
) -> Result<Vec<(Position, AccessRecorded)>, DisclosuresError> {
    let mut all = Vec::new();
    for member in members {
        for stored in log.read(&format!("access.{member}")).await.map_err(DisclosuresError::Log)? {
            let recorded =
                serde_json::from_slice(&stored.body).map_err(|_| DisclosuresError::Unreadable(stored.position))?;
            if all.len() == MOST_DISCLOSURES {
                return Err(DisclosuresError::TooMany);
            }
            all.push((stored.position, recorded));
        }
    }
    all.sort_by_key(|(position, _)| *position);
    Ok(all)
}
