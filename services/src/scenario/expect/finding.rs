//! `expect.finding`: what a reader must look at.

use super::{By, Key, Kind, Source, Spec, USUAL};

/// The table.
pub const SPEC: Spec = Spec {
    name: "finding",
    source: Source::View { view: "finding", path: &["findings"], query: &[] },
    keys: &[
        Key::same("code", Kind::Text),
        Key::same("program", Kind::Program),
        Key::new("from", Kind::Day, By::Column("from_on")),
        Key::new("until", Kind::End, By::Column("until_on")),
    ],
    about: &["code"],
    ..USUAL
};
