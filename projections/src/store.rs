//! How rows become tables, on SQLite and on PostgreSQL, with one SQL text for both.
//!
//! **Invariant:** SQL stands here and in `migrations/`, nowhere else.

pub mod control;
pub mod db;
pub mod generations;
pub mod lease;
pub mod migrations;
mod place;
pub mod plain_table;
pub mod read;
pub mod reporting;
mod row_security;
pub mod write;

pub use control::Control;
pub use db::{Db, StoreError};
pub use generations::{Live, Views};
