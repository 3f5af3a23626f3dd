//! The fold alone, in memory: events a second from stored bytes to rows, without a log or a database.
//!
//! `rollbook dump event_history --out history.ndjson`, then `cargo run --release --example fold -- history.ndjson`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measuring program prints its figure or fails")]

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use rollbook::log::Stored;
use rollbook::projector::recorded;
use rollbook_events::Position;
use rollbook_projections::Recorded;
use rollbook_projections::fold::Fold;
use rollbook_projections::links::Links;

fn main() {
    let path = std::env::args().nth(1).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let mut stored: Vec<Stored> = text
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|row| row["known_from"] == row["position"])
        .map(|row| Stored {
            position: Position(row["position"].as_u64().unwrap()),
            subject: String::new(),
            body: Bytes::from(row["event"].to_string()),
        })
        .collect();
    drop(text);
    stored.sort_by_key(|stored| stored.position);
    let begun = Instant::now();
    let decoded: Vec<Recorded> = stored.iter().map(|stored| recorded(stored).unwrap()).collect();
    let decoding = begun.elapsed();
    let begun = Instant::now();
    let mut fold = Fold::new(None, rollbook_projections::Dossier::default(), Links::default());
    let mut rows = 0;
    for batch in decoded.chunks(2_000) {
        assert!(fold.wanting(batch).is_empty(), "all dossiers are held");
        batch.iter().cloned().for_each(|event| fold.apply(event).unwrap());
        rows += fold.take_changes().rows();
    }
    let folding = begun.elapsed();
    let per_s = |elapsed: std::time::Duration| (stored.len() as f64 / elapsed.as_secs_f64()) as u64;
    let memory = Arc::new(std::fs::read_to_string("/proc/self/status").unwrap_or_default());
    let rss = memory.lines().find(|line| line.starts_with("VmRSS")).unwrap_or_default();
    println!(
        "{{\"events\": {}, \"rows\": {rows}, \"decode_per_s\": {}, \"fold_per_s\": {}, \"rss\": \"{}\"}}",
        stored.len(),
        per_s(decoding),
        per_s(folding),
        rss.replace('\t', " ")
    );
}
