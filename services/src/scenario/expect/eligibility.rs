//! `expect.eligibility`: the answer for a program, a channel, a plan and a county, as spans.

use super::{By, Key, Kind, Source, Spec, USUAL};

/// The table.
pub const SPEC: Spec = Spec {
    name: "eligibility",
    source: Source::Eligibility,
    keys: &[
        // They are asked, and the answer is about them.
        Key::new("program", Kind::Program, By::Apart),
        Key::new("channel", Kind::Text, By::Apart),
        Key::new("county", Kind::Text, By::Apart),
        Key::new("plan", Kind::Text, By::Apart),
        Key::same("outcome", Kind::Word(OUTCOMES)),
        Key::new("reason", Kind::Texts, By::Fits(|wanted, row, _| wanted.is_among(row.get("reason")))),
        Key::new(
            "cites",
            Kind::Texts,
            By::Fits(|wanted, row, _| {
                let cites = row.get("cites").map(ToString::to_string).unwrap_or_default();
                wanted.texts().iter().all(|cite| cites.contains(cite.as_str()))
            }),
        ),
    ],
    needs: &["program"],
    none: Some("outcome"),
    ..USUAL
};

const OUTCOMES: &[&str] = &[
    "allow",
    "allow_coordinated",
    "choose",
    "exclude",
    "not_eligible",
    "not_offered",
    "deny",
    "review",
    "unverified",
    "none",
];
