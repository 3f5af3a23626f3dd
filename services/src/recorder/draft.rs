//! What a request becomes before it is appended.

use std::sync::Arc;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use rollbook_events::{Envelope, EventId, Hash, Position, Rejection, RejectionCode, Subject, encode};
use rollbook_projections::Recorded;

use super::kept::{Kept, NOT_YET};
use super::{Finding, Receipt, Request};

/// A request with the events it becomes.
pub(super) struct Draft {
    pub(super) request: Request,
    pub(super) receipts: Vec<Receipt>,
    /// The receipts of the determinations among the events.
    pub(super) determined: Vec<Receipt>,
    pub(super) events: Vec<Drafted>,
    pub(super) findings: Vec<Finding>,
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Draft({})", self.events.len())
    }
}

impl Draft {
    /// Of a request that is not decided yet.
    pub(super) fn of(request: Request) -> Self {
        let (receipts, determined, events, findings) = Default::default();
        Self { request, receipts, determined, events, findings }
    }

    /// Adds determinations, with receipts of their own.
    pub(super) fn determined(&mut self, events: Vec<Drafted>) {
        let receipt = |drafted: &Drafted| Receipt {
            id: drafted.id,
            member: drafted.subject.member(),
            position: NOT_YET,
            known: false,
            source: None,
        };
        self.determined.extend(events.iter().map(receipt));
        self.events.extend(events);
    }
}

/// An event that is decided and not yet appended.
pub(super) struct Drafted {
    pub(super) subject: Subject,
    pub(super) id: EventId,
    pub(super) plan: String,
    pub(super) kind: &'static str,
    pub(super) recorded_at: DateTime<Utc>,
    pub(super) body: Bytes,
}

/// Files a decided event in the dossier, so that the next request of this round is decided on it.
pub(super) fn file(kept: &mut Kept, envelope: Envelope) -> Result<Drafted, Rejection> {
    let unwritable = |_| Rejection::new(RejectionCode::Malformed, "", "cannot be written");
    let body = encode(&envelope).map_err(unwritable)?;
    let body = Bytes::from(body);
    if body.len() > crate::log::MOST_BYTES {
        let detail = format!("becomes an event of more than {} bytes", crate::log::MOST_BYTES);
        return Err(Rejection::new(RejectionCode::TooLarge, "", detail));
    }
    let drafted = Drafted {
        subject: envelope.subject,
        id: envelope.id,
        plan: envelope.plan.to_string(),
        kind: envelope.event.name(),
        recorded_at: envelope.recorded_at,
        body: body.clone(),
    };
    let hash = Hash::of(&body);
    // The recorder reads a body once, so its dossier keeps none.
    kept.file(Recorded { position: NOT_YET, hash, envelope: Arc::new(envelope), body: "".into() }, body.len());
    Ok(drafted)
}

/// The receipt of an event.
pub(super) fn receipt(envelope: &Envelope, position: Position, known: bool) -> Receipt {
    Receipt { id: envelope.id, member: envelope.subject.member(), position, known, source: envelope.source.clone() }
}
