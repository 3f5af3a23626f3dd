//! What became of a file, for a person.

use indicatif::HumanCount;

use super::upload::Sent;
use crate::cli::pace::{duration, whole};
use crate::cli::table::clean;
use crate::import::{Progress, State};

/// Reasons that are listed; the quarantine file holds them all.
const MOST_REASONS: usize = 10;

/// One line a file, and under it what waits for a person.
pub fn told(sent: &Sent) -> String {
    let report = &sent.report;
    let name = clean(&report.name);
    let mut text = match report.state {
        State::Completed if report.already => format!("{name}: already imported: nothing changed ({})\n", rows(report)),
        State::Completed => format!("{name}: {}, in {}{}\n", rows(report), duration(sent.took), rate(sent)),
        State::Running | State::Failed => {
            let why = report.error.as_deref().map_or_else(String::new, |error| format!(": {}", clean(error)));
            format!("{name}: STOPPED after {}{why}\n    run the same command again: it goes on there\n", rows(report))
        }
    };
    if report.quarantined > 0 {
        text += &quarantined(report);
    }
    text
}

fn rows(report: &Progress) -> String {
    let Progress { rows, recorded, duplicate, quarantined, events, .. } = *report;
    let of = |number: u64, one: &str| format!("{} {one}{}", HumanCount(number), if number == 1 { "" } else { "s" });
    let recorded = format!("{} recorded as {}", HumanCount(recorded), of(events, "event"));
    format!("{}: {recorded}, {}, {} quarantined", of(rows, "row"), of(duplicate, "duplicate"), HumanCount(quarantined))
}

fn rate(sent: &Sent) -> String {
    let seconds = sent.took.as_secs_f64();
    // A rate of a blink says nothing.
    if seconds < 1.0 {
        return String::new();
    }
    let rows = f64::from(u32::try_from(sent.report.rows).unwrap_or(u32::MAX));
    format!(" ({} rows/s)", whole(rows / seconds))
}

fn quarantined(report: &Progress) -> String {
    let rows = HumanCount(report.quarantined);
    let place = report.quarantine.as_deref().map_or_else(|| "the ledger's quarantine folder".to_owned(), clean);
    let mut text = format!("    not in the ledger, waiting for a person: {rows}, in {place}\n");
    let mut reasons: Vec<_> = report.reasons.iter().collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.rows));
    let mut listed = 0;
    for reason in reasons.into_iter().take(MOST_REASONS) {
        let column = reason.column.as_deref().map_or_else(String::new, |column| format!("{}: ", clean(column)));
        text += &format!("    {:>8}  {column}{}\n", HumanCount(reason.rows).to_string(), clean(&reason.reason));
        listed += reason.rows;
    }
    // A file that was imported before is told without reasons.
    if listed > 0 && listed < report.quarantined {
        text += &format!("    {:>8}  other reasons\n", HumanCount(report.quarantined - listed).to_string());
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::import::Reason;

    fn sent(state: State, already: bool) -> Sent {
        let reason = |column: Option<&str>, reason: &str, rows| Reason {
            column: column.map(str::to_owned),
            reason: reason.to_owned(),
            rows,
        };
        let report = Progress {
            by: String::new(),
            sha256: "00".into(),
            name: "a.csv".into(),
            kind: "events".into(),
            state,
            already,
            rows: 5_000,
            recorded: 4_900,
            duplicate: 90,
            quarantined: 10,
            events: 9_800,
            identities: 0,
            bytes_read: 1,
            bytes: 1,
            position: 1,
            reasons: vec![reason(None, "a total row", 2), reason(Some("CIN"), "bad_cin: expected a CIN", 7)],
            quarantine: Some("/data/quarantine/00.ndjson".into()),
            error: (state == State::Failed).then(|| "the log is unavailable".into()),
        };
        Sent { report, took: Duration::from_secs(2) }
    }

    #[test]
    fn a_report_says_clearly_what_is_not_in_the_ledger() {
        let expected = "\
a.csv: 5,000 rows: 4,900 recorded as 9,800 events, 90 duplicates, 10 quarantined, in 2 s (2,500 rows/s)
    not in the ledger, waiting for a person: 10, in /data/quarantine/00.ndjson
           7  CIN: bad_cin: expected a CIN
           2  a total row
           1  other reasons
";
        assert_eq!(told(&sent(State::Completed, false)), expected);
    }

    #[test]
    fn a_file_that_is_known_and_one_that_stopped_say_so() {
        assert!(
            told(&sent(State::Completed, true)).starts_with("a.csv: already imported: nothing changed (5,000 rows")
        );
        let stopped = told(&sent(State::Failed, false));
        assert!(stopped.contains("STOPPED") && stopped.contains("the log is unavailable") && stopped.contains("again"));
    }
}
