//! The log outside of NATS: immutable, hashed segment files, from which a stream is rebuilt and against which it is checked.
//!
//! Reading order: [`segment`] (what a file is, pure), [`chain`] (what ties files and positions together), [`place`] (where
//! files lie: a folder or something S3-like), [`shelf`] (a stream's files in order), [`archiver`] (writes them, all begun in [`start`]),
//! [`restore`] (reads them back into an empty server). `verify` compares them with the streams.

pub mod archiver;
pub mod chain;
pub mod error;
mod folder;
mod member_chains;
pub mod place;
pub mod record;
pub mod restore;
mod s3;
pub mod segment;
pub mod shelf;
pub mod start;
pub mod status;
mod waiting;

pub use member_chains::{Links, MemberChains};
pub use place::{Address, Place};
pub use record::Record;
pub use shelf::Shelf;
pub use start::Archiving;
