//! `expect.rejected`: the refusal of the last given, as a row of its code and field.

use super::{By, Key, Kind, Source, Spec, USUAL};

/// The table.
pub const SPEC: Spec = Spec {
    name: "rejected",
    source: Source::Rejected,
    keys: &[Key::same("code", Kind::Text), Key::same("field", Kind::Text), Key::new("plan", Kind::Text, By::Apart)],
    about: &[],
    ..USUAL
};
