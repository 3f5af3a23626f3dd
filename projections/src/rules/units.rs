//! Units of a month: whether there are enough for a plan to pay it, and to whom (PAY-1).

use std::collections::{BTreeMap, BTreeSet};

use chrono::Months;
use rollbook_events::codes::Month;
use rollbook_events::families::enrollment::{Enrollment, UnitsRecorded};
use rollbook_events::time::Day;
use rollbook_events::{Envelope, Event, PlanCode, Program};

use super::facts::Facts;
use super::finding::{Finding, evidence};
use crate::rulebook::UnitMinimum;
use crate::spans::Span;

/// The days of a month.
pub(super) fn month_of(month: Month) -> Option<Span> {
    let first: Day = format!("{month}-01").parse().ok()?;
    Span::new(first.0, first.0.checked_add_months(Months::new(1)))
}

type Records<'a> = Vec<(&'a Envelope, &'a UnitsRecorded)>;

/// What a plan has on record of a program in each month. Several records of a month add up, as those of several
/// providers and weekly logs do; one that was wrong is voided.
fn by_month<'a>(standing: &[&'a Envelope]) -> BTreeMap<(&'a PlanCode, Program, Month), Records<'a>> {
    let mut months: BTreeMap<_, Records<'a>> = BTreeMap::new();
    for envelope in standing {
        if let Event::Enrollment(Enrollment::UnitsRecorded(e)) = &envelope.event {
            months.entry((&envelope.plan, e.program, e.month)).or_default().push((*envelope, e));
        }
    }
    months
}

/// PAY-1, B6-20 to B6-23: months that are not paid, or of which it must be looked at whether and to whom they are.
pub fn months_to_look_at<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let mut found = Vec::new();
    for ((plan, program, month), records) in by_month(&facts.standing) {
        let (Some((of, _)), Some(days)) = (records.first().copied(), month_of(month)) else { continue };
        let mut find = |code, rule| {
            found.push(Finding {
                code,
                rule,
                of,
                program: Some(program),
                about: month.to_string(),
                from: days.from,
                until: days.until,
                because: evidence(records.iter().map(|(by, _)| *by)),
            });
        };
        let units = sum(&records, |e| e.units);
        if units == 0 {
            find("billed_without_units", "PAY-2");
        }
        let minima = &facts.parameters(of, days.from).units.minimum;
        let Some(minimum) = minima.iter().find(|minimum| speaks_of(minimum, plan, program, days)) else { continue };
        if units < u64::from(minimum.units) {
            find("units_below_minimum", &minimum.rule);
            continue;
        }
        // B6-23: the month is paid once, and nothing says to which of them.
        let providers: BTreeSet<_> = records.iter().filter(|(_, e)| e.units > 0).map(|(_, e)| &e.provider).collect();
        if providers.len() > 1 {
            find("attribution_review", &minimum.rule);
        }
        // B6-22: paid "if an ECM member received" them, and outreach alone went to somebody who was none.
        let is_enrolled = facts
            .spans
            .iter()
            .any(|of| of.enrolled.program == program && of.report.plan == *plan && of.span.overlap(days).is_some());
        if !is_enrolled && sum(&records, |e| e.outreach_units) >= units {
            find("units_without_enrollment", &minimum.rule);
        }
    }
    found
}

fn sum(records: &Records<'_>, of: fn(&UnitsRecorded) -> u32) -> u64 {
    records.iter().map(|(_, e)| u64::from(of(e))).sum()
}

fn speaks_of(minimum: &UnitMinimum, plan: &PlanCode, program: Program, days: Span) -> bool {
    minimum.program == program
        && minimum.plan.as_ref().is_none_or(|own| own == plan)
        && minimum.from.is_none_or(|from| from.0 <= days.from)
        && minimum.until.is_none_or(|until| days.from < until.0)
}
