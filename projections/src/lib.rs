//! What it means: everything known of one member, the rules, and the views that answer from them.
//!
//! Reading order: [`dossier`] (the fold), [`enrollment_spans`], [`participations`] and [`outreach_episodes`] (what the
//! facts come to), [`rulebook`] (the numbers), [`rules`], [`notice_reasoning`] (determinations in words), [`view`] (what a
//! view is), [`views`] (the views), [`store`] (how rows become tables, on SQLite and PostgreSQL), [`exports`] and
//! [`reports`] (what files and counts say).
//!
//! **Invariant:** folds, rules and views take values and give values: no clock, no randomness, no I/O. SQL stands in
//! [`store`] alone. NATS and HTTP are unknown here.

pub mod at_hand;
pub mod catalogue;
pub mod changes;
pub mod compare;
pub mod dossier;
pub mod enrollment_spans;
pub mod exports;
pub mod fold;
pub mod links;
pub mod notice_reasoning;
pub mod outreach_episodes;
pub mod participations;
pub mod refold;
pub mod reports;
pub mod rulebook;
pub mod rules;
pub mod spans;
pub mod store;
pub mod view;
pub mod views;

pub use dossier::{Dossier, Recorded};
pub use rulebook::Rulebook;
pub use view::{Cell, Column, ColumnType, Row, Table, View};
