//! `expect.report`: how many facts of a kind fall into a period, by their civil day in California.

use std::collections::BTreeSet;

use chrono::{Datelike, NaiveDate};
use rollbook_events::Occurred;
use serde_json::Value;

use super::{By, Expectation, Key, Kind, Row, Source, Spec, USUAL};

/// The table; its rows are the facts that the report counts.
pub const SPEC: Spec = Spec {
    name: "report",
    source: Source::Report,
    keys: &[Key::new("report", Kind::Text, By::Apart), Key::new("period", Kind::Text, By::Apart)],
    needs: &["report", "period", "count"],
    about: &[],
    ..USUAL
};

/// A report: the kind of event it counts, the field that says when, and the field that tells one from another.
struct Counted {
    name: &'static str,
    kind: &'static str,
    /// Where none, `occurred_at`.
    when: Option<&'static str>,
    /// Where none, each event is one.
    of: Option<&'static str>,
}

const REPORTS: &[Counted] = &[
    counted("authorization_requests", "authorization_requested", Some("received_at"), Some("authorization")),
    counted("authorization_decisions", "authorization_decided", Some("decided_at"), None),
    counted("referrals", "referral_received", None, Some("referral")),
    counted("enrollments", "enrolled", Some("from"), Some("enrollment")),
    counted("disenrollments", "disenrolled", Some("until"), None),
    counted("outreach_attempts", "outreach_attempted", None, None),
    counted("reassessments", "reassessed", Some("on"), None),
    counted("notices", "notice_issued", Some("mailed_on"), Some("notice")),
    counted("appeals", "appeal_filed", Some("on"), Some("appeal")),
];

const fn counted(
    name: &'static str,
    kind: &'static str,
    when: Option<&'static str>,
    of: Option<&'static str>,
) -> Counted {
    Counted { name, kind, when, of }
}

/// The facts that a report counts, from rows of `event_history`.
///
/// # Errors
/// Where there is no such report or period.
pub fn counted_rows(expectation: &Expectation, history: Vec<Row>) -> Result<Vec<Row>, String> {
    let (name, period) =
        (expectation.word("report").unwrap_or_default(), expectation.word("period").unwrap_or_default());
    let report = REPORTS.iter().find(|report| report.name == name);
    let report = report.ok_or_else(|| format!("this build has no report `{name}`"))?;
    let (from, until) = days(period).ok_or_else(|| format!("`{period}` is no year, quarter or month"))?;
    let mut seen = BTreeSet::new();
    let is_counted = |row: &Row| {
        let is_of_kind = row.get("kind").and_then(Value::as_str) == Some(report.kind);
        let stands = row.get("voided_by").is_none_or(Value::is_null);
        is_of_kind && stands && on(report, row).is_some_and(|day| from <= day && day < until)
    };
    let mut rows: Vec<Row> = history.into_iter().filter(is_counted).collect();
    rows.retain(|row| match report.of {
        None => true,
        Some(field) => {
            seen.insert((row.get("member").cloned().map(|v| v.to_string()), data(row, field).map(|v| v.to_string())))
        }
    });
    Ok(rows)
}

fn data<'r>(row: &'r Row, field: &str) -> Option<&'r Value> {
    row.get("event")?.get("data")?.get(field)
}

/// The civil day in California a fact is counted on.
fn on(report: &Counted, row: &Row) -> Option<NaiveDate> {
    let told = report.when.and_then(|field| data(row, field)).or_else(|| row.get("occurred_on"));
    told?.as_str()?.parse().ok().map(Occurred::day)
}

/// First day of a period and first day after it.
fn days(period: &str) -> Option<(NaiveDate, NaiveDate)> {
    let (year, part) = period.split_once('-').map_or((period, None), |(year, part)| (year, Some(part)));
    let year: i32 = year.parse().ok().filter(|_| year.len() == 4)?;
    let (month, months) = match part {
        None => (1, 12),
        Some(quarter) if quarter.starts_with('Q') => {
            let quarter: u32 = quarter.get(1..)?.parse().ok().filter(|quarter| (1..=4).contains(quarter))?;
            (quarter * 3 - 2, 3)
        }
        Some(month) => (month.parse().ok().filter(|_| month.len() == 2)?, 1),
    };
    let from = NaiveDate::from_ymd_opt(year, month, 1)?;
    let until = from.checked_add_months(chrono::Months::new(months))?;
    (until.year() <= 2200).then_some((from, until))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_year_a_quarter_or_a_month() {
        let span = |period| days(period).map(|(from, until)| format!("{from} {until}"));
        assert_eq!(span("2026-Q2").as_deref(), Some("2026-04-01 2026-07-01"));
        assert_eq!(span("2026-Q4").as_deref(), Some("2026-10-01 2027-01-01"));
        assert_eq!(span("2026-12").as_deref(), Some("2026-12-01 2027-01-01"));
        assert_eq!(span("2026").as_deref(), Some("2026-01-01 2027-01-01"));
        for wrong in ["2026-Q5", "2026-Q0", "2026-13", "26", "2026-1", "soon"] {
            assert_eq!(span(wrong), None, "{wrong}");
        }
    }
}
