//! One member from events to rows, and the rulebook from text: `cargo bench -p rollbook-projections`.

#![expect(clippy::unwrap_used, reason = "a measurement without its facts has failed")]

#[allow(dead_code, reason = "each test crate uses some of it")]
#[path = "../tests/views/facts.rs"]
mod facts;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use facts::{Facts, attempt};
use rollbook_projections::rules::notices::due;
use rollbook_projections::{Dossier, Recorded, Rulebook, rules, views};
use serde_json::json;

/// A year of a member's life: reached after some attempts, enrolled, and some more events.
fn life() -> Vec<Recorded> {
    let mut facts = Facts::default();
    for day in 1..=3 {
        let data = attempt("phone", &["individualized", "live_staff"], "member");
        facts = facts.tell(&format!("2024-02-{day:02}"), "outreach_attempted", data);
    }
    facts = facts.enrolled("e", "ecm", "2024-02-10");
    facts = facts.enrolled("f", "housing_navigation", "2024-03-01");
    facts.tell("2024-06-01", "housing_observed", json!({ "housed": true, "on": "2024-06-01" })).0
}

fn dossier(events: &[Recorded]) -> Dossier {
    let mut dossier = Dossier::default();
    events.iter().for_each(|event| dossier.apply(event.clone()));
    dossier
}

fn member(criterion: &mut Criterion) {
    let events = life();
    let rulebook = Rulebook::parse(Rulebook::built_in_text()).unwrap();
    let whole = dossier(&events);
    let until = "2025-01-01T00:00:00Z".parse().unwrap();
    let mut group = criterion.benchmark_group("member");
    group.throughput(Throughput::Elements(events.len() as u64));
    group.bench_function("dossier", |bencher| bencher.iter(|| dossier(black_box(&events))));
    group.bench_function("rows", |bencher| {
        bencher.iter(|| {
            let facts = rules::facts::Facts::of(black_box(&whole), &rulebook);
            views::ALL.iter().map(|view| view.rows(&facts).len()).sum::<usize>()
        });
    });
    group.bench_function("notices due", |bencher| {
        bencher.iter(|| due(&rules::facts::Facts::of(black_box(&whole), &rulebook), until).len());
    });
    group.finish();
}

fn rulebook(criterion: &mut Criterion) {
    criterion.bench_function("rulebook parse", |bencher| {
        bencher.iter(|| Rulebook::parse(black_box(Rulebook::built_in_text())).unwrap());
    });
}

criterion_group!(benches, member, rulebook);
criterion_main!(benches);
