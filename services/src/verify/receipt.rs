//! The receipt of a data folder against its streams: what was acknowledged last must stand where it stood.

use std::path::Path;

use rollbook_events::{Hash, Position};

use super::finding::{RESTORE, Report};
use crate::error_chain::chain;
use crate::guards::{RECEIPT_FILE, Receipt, read_receipts};
use crate::log::{Log, NatsLog, ReadError, StreamSpec};

/// What to do about a receipt that is damaged itself.
const REMOVE: &str = "where all else is well, remove it: the next start takes what the streams hold for acknowledged";

/// Compares the receipt with the streams; a folder without one has nothing to compare.
///
/// # Errors
/// Where the server cannot be reached.
pub async fn check(data: &Path, streams: &[(StreamSpec, NatsLog)], report: &mut Report) -> Result<(), ReadError> {
    let receipts = match read_receipts(data) {
        Ok(receipts) => receipts,
        Err(error) => {
            report.found(RECEIPT_FILE, format!("cannot be read: {}", chain(error.as_ref())), REMOVE);
            return Ok(());
        }
    };
    for (name, receipt) in &receipts {
        let Some((_, log)) = streams.iter().find(|(spec, _)| spec.name == name) else {
            report.found(RECEIPT_FILE, "speaks of a stream that there is not", REMOVE);
            continue;
        };
        match one(log, receipt).await? {
            None => report.checked(RECEIPT_FILE, "last acknowledged messages that stand where they stood", 1),
            Some(what) => report.found(name.as_str(), what, RESTORE),
        }
    }
    Ok(())
}

/// What is wrong with what was acknowledged last; nothing where it is as it was.
async fn one(log: &NatsLog, receipt: &Receipt) -> Result<Option<String>, ReadError> {
    let Receipt { position, sha256 } = *receipt;
    if position == Position(0) {
        return Ok(None);
    }
    Ok(match log.get(position).await {
        Ok(Some(stored)) if Hash::of(&stored.body) == sha256 => None,
        Ok(Some(_)) => Some(format!("the message at position {position} is not the one that {RECEIPT_FILE} tells of")),
        Ok(None) => Some(format!("position {position} was acknowledged, as {RECEIPT_FILE} tells, and is not there")),
        Err(error @ ReadError::Unavailable { .. }) => return Err(error),
        Err(error) => Some(chain(&error)),
    })
}
