//! The feed: every event of the log once more, in the order of the log, on a handful of subjects that downstream services may
//! be let to read, numbered and receipted so that each can show that it missed none.
//!
//! Reading order: [`receipt`] and [`told`] (an event as the feed tells it) and [`numbers`] (the fold of the log to the feed),
//! which are pure; [`reader`] (the feed as it is read); [`publisher`] (writes it, begun beside the other parts) with what it
//! says of itself ([`status`]) and why it stopped ([`error`]); [`permissions`] (what a subscriber is let to do on the servers);
//! [`asyncapi`] (the contract); [`webhooks`] (who is called instead).
//!
//! **Invariant:** the feed is a function of the log. Its message at position n is the event at position n of the log, so a feed
//! that was lost is published again to the byte.

pub mod asyncapi;
pub mod error;
pub mod numbers;
pub mod permissions;
pub mod publisher;
pub mod reader;
pub mod receipt;
pub mod status;
pub mod told;
pub mod webhooks;

pub use publisher::Publisher;
pub use reader::{Feed, Heard};
pub use receipt::Receipt;
pub use status::Watched;
