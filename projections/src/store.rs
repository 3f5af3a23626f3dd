//! How rows become tables, on SQLite and on PostgreSQL, with one SQL text for both.
//!
//! **Invariant:** SQL stands here and in `migrations/`, nowhere else.

pub mod db;
pub mod migrations;
pub mod plain_table;
pub mod read;
pub mod reporting;
pub mod write;

pub use db::{Db, StoreError};
