//! Signed webhooks: who cannot follow the feed is called for each event, with ids and links alone, and asks for the rest.
//!
//! Reading order: [`settings`] (the operator's file), [`address`] (where may be called), [`signature`] (how a call proves whose it
//! is) and [`attempt`] (what is recorded of each try), which are pure but for the lookup of names; [`sender`] (calls, one for each
//! subscription), [`call`] (one call), [`status`] (how that stands).
//!
//! Every attempt stands on the stream `FEED_ATTEMPTS`, `attempt.<subscription>`, before it is made and after; the last record
//! there is all that a sender needs to go on, and the server's expected position keeps two senders from one try. A receiver may
//! be called twice for an event where a sender died in between: the header `webhook-id` is the event's id each time. Of each
//! subscription the last 200,000 records are kept, the last one for ever.

pub mod address;
pub mod attempt;
pub mod call;
pub mod sender;
pub mod settings;
pub mod signature;
pub mod status;

pub use settings::{Settings, Subscription};

/// The webhooks of a running program, for others to look at and to ask of.
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// How each stands.
    pub report: status::Report,
    /// What is recorded of them.
    pub attempts: sender::Attempts,
}
