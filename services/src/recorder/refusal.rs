//! Requests of which nothing is recorded, because what they are decided on cannot be had.

use std::sync::Arc;

use super::commit::Committer;
use super::history_error::{HistoryError, Unreadable};
use super::{RecordError, Request};
use crate::clock;
use crate::health::Forbids;

/// A log that was seen to be damaged while a history was read; it stands until the program is started again.
const HOLE: &str = "hole";

impl Committer {
    /// Refuses the requests about whom nothing can be decided, and gives back the others.
    pub(super) fn readable(&self, requests: Vec<Request>, unreadable: &Unreadable) -> Vec<Request> {
        if unreadable.is_empty() {
            return requests;
        }
        let mut readable = Vec::with_capacity(requests.len());
        for request in requests {
            let concerned = self.histories.may_be_linked.with_all(&request.work.subjects());
            match concerned.iter().find_map(|subject| unreadable.get(subject)) {
                Some(why) => refuse_all(vec![request], why.clone()),
                None => readable.push(request),
            }
        }
        readable
    }

    /// Refuses requests for want of what they are decided on; damage of the log itself stops all recording.
    pub(super) fn refuse(&self, requests: Vec<Request>, error: HistoryError) {
        if error.is_damage() {
            let cause = crate::error_chain::chain(&error);
            let cause = format!("{cause}: restore the log from the archive (rollbook restore)");
            self.health.red(HOLE, cause.clone(), Forbids::Recording, clock::now());
            return stay_all(requests, &cause);
        }
        refuse_all(requests, Arc::new(error));
    }
}

/// Answers requests that something forbids to record.
pub(super) fn stay_all(requests: Vec<Request>, cause: &str) {
    for request in requests {
        _ = request.reply.send(Err(RecordError::Stayed { cause: cause.to_owned() }));
    }
}

/// Answers requests whom something failed.
pub(super) fn refuse_all(requests: Vec<Request>, source: Arc<dyn std::error::Error + Send + Sync>) {
    tracing::error!(error = %source, requests = requests.len(), "could not record");
    for request in requests {
        _ = request.reply.send(Err(RecordError::Unavailable { source: source.clone() }));
    }
}
