//! `expect.export`: a file for a plan, as it was, or would have been, written.

use super::{By, Key, Kind, Source, Spec, USUAL};

/// The table; one row is one file, with the number of its rows.
pub const SPEC: Spec = Spec {
    name: "export",
    source: Source::Export,
    keys: &[
        Key::new("profile", Kind::Text, By::Apart),
        Key::new("month", Kind::Text, By::Apart),
        Key::new("plan", Kind::Text, By::Apart),
        Key::same("rows", Kind::Number),
        Key::new("identical_to", Kind::KnownAt, By::Apart),
    ],
    needs: &["profile"],
    about: &[],
    ..USUAL
};
