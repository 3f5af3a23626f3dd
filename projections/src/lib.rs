//! What it means: everything known of one member, the rules, and the views that answer from them.
//!
//! Reading order: [`dossier`] (the fold), [`rulebook`] (the numbers), [`view`] (what a view is), [`views`] (the views),
//! [`store`] (how rows become tables, on SQLite and PostgreSQL).
//!
//! **Invariant:** folds, rules and views take values and give values: no clock, no randomness, no I/O. SQL stands in
//! [`store`] alone. NATS and HTTP are unknown here.

pub mod dossier;
pub mod fold;
pub mod links;
pub mod rulebook;
pub mod spans;
pub mod store;
pub mod view;
pub mod views;

pub use dossier::{Dossier, Recorded};
pub use rulebook::Rulebook;
pub use view::{Cell, Column, ColumnType, Row, Table, View};
