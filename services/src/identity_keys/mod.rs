//! The keys that people's identities are sealed with: one a member, wrapped with a key of the ledger, on a stream of their own
//! from which they can be erased. Whoever erases a member's key makes everything unreadable that was ever recorded of who that
//! member is, in the stream, its archive and every copy of both, and leaves every event where it was.
//!
//! Reading order: [`data_key`] (sealing), [`wrapping`] (the ledger's own keys), [`message`] and [`keystore`] (where members'
//! keys stand), [`rewrap`], [`backup`] and [`lost`] (rotation, copies, and what no copy holds).

pub mod backup;
pub(crate) mod bounded;
pub mod data_key;
mod gcm;
pub mod keystore;
pub mod lost;
pub mod message;
pub mod rewrap;
pub mod wrapping;

pub use data_key::DataKey;
pub use gcm::{NotOpened, NotSealed};
pub use keystore::{Found, KeyError, KeyStore};
pub use wrapping::{BadWrappingKeys, WrappingKeys};
