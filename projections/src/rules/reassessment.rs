//! When an enrollment is to be reassessed, whether it was, and how soon it may be again (REAS-1 to REAS-4).

use chrono::NaiveDate;
use rollbook_events::codes::ReassessmentOutcome;
use rollbook_events::families::enrollment::{Enrollment, Reassessed};
use rollbook_events::ids::EnrollmentId;
use rollbook_events::{Envelope, Event, PlanCode};

use super::business_days::{add_days, add_months};
use super::clocks::{Clock, Due, days_late, late_until};
use super::facts::Facts;
use super::finding::{Finding, evidence};
use crate::enrollment_spans::EnrollmentSpan;
use crate::rulebook::{ReassessmentRules, Transition};
use crate::spans::Span;

/// REAS-4, where a plan sets an interval.
const INTERVAL_RULE: &str = "REAS-4";

/// A reassessment that was reported.
pub type Report<'a> = (&'a Envelope, &'a Reassessed);

/// What is known of the reassessments of one enrollment.
#[derive(Debug, Clone)]
pub struct Reassessments<'f, 'a> {
    /// Its spans, in order.
    pub spans: Vec<&'f EnrollmentSpan<'a>>,
    /// REAS-1: the rule that sets a date, and the date.
    pub due: Option<(&'a Transition, NaiveDate)>,
    /// All reports, those that did not reach the member included, in order of their days, one a day.
    pub reports: Vec<Report<'a>>,
}

/// The reassessments of every enrollment.
pub fn reassessments<'f, 'a>(facts: &'f Facts<'a>) -> Vec<Reassessments<'f, 'a>> {
    let mut all: Vec<((&'a PlanCode, EnrollmentId), Reassessments<'f, 'a>)> = Vec::new();
    for span in &facts.spans {
        let id = (&span.report.plan, span.enrolled.enrollment);
        match all.iter_mut().find(|(other, _)| *other == id) {
            Some((_, known)) => known.spans.push(span),
            None => all
                .push((id, Reassessments { spans: vec![span], due: due(facts, span), reports: reports(facts, span) })),
        }
    }
    all.into_iter().map(|(_, known)| known).collect()
}

/// REAS-1: so many months from the first day, whatever day of the week that is.
fn due<'a>(facts: &Facts<'a>, span: &EnrollmentSpan<'a>) -> Option<(&'a Transition, NaiveDate)> {
    let (enrolled, from) = (span.enrolled, span.enrolled.from.0);
    let rule = facts.parameters(span.report, from).reassessment.transition.as_ref()?;
    rule.bases.contains(&enrolled.basis).then(|| (rule, add_months(from, rule.months.into())))
}

fn reports<'a>(facts: &Facts<'a>, of: &EnrollmentSpan<'a>) -> Vec<Report<'a>> {
    let told = facts.standing.iter().copied().filter_map(|envelope| {
        let Event::Enrollment(Enrollment::Reassessed(told)) = &envelope.event else { return None };
        of.is_meant(envelope, told.enrollment).then_some((envelope, told))
    });
    let mut reports: Vec<Report<'a>> = told.collect();
    // Of two reports of one day the later has the word.
    reports.reverse();
    reports.sort_by_key(|(_, told)| told.on);
    reports.dedup_by_key(|(_, told)| told.on);
    reports
}

impl<'f, 'a> Reassessments<'f, 'a> {
    /// The reassessments that were done; one at which nobody was reached was not.
    pub fn done(&self) -> impl Iterator<Item = Report<'a>> {
        self.reports.iter().copied().filter(|(_, told)| told.outcome != ReassessmentOutcome::NotReached)
    }

    /// The span that a date set falls to, as a reassessment of that day would.
    pub fn span_due(&self) -> Option<(&'f EnrollmentSpan<'a>, &'a Transition, NaiveDate)> {
        let (rule, day) = self.due?;
        Some((self.span_of(day)?, rule, day))
    }

    /// The span that a reassessment of a day falls to: the last that had begun by then, else the first.
    pub fn span_of(&self, on: NaiveDate) -> Option<&'f EnrollmentSpan<'a>> {
        let begun = self.spans.iter().rev().find(|span| span.span.from <= on);
        begun.or(self.spans.first()).copied()
    }

    /// REAS-4: the first day on which another would not be too frequent, where the plan sets an interval.
    pub fn earliest(&self, facts: &Facts<'a>) -> Option<NaiveDate> {
        let (_, told) = self.done().last()?;
        earliest_after(told.on.0, self.rules(facts, told.on.0))
    }

    /// What the plan that enrolled the member says on a day.
    fn rules(&self, facts: &Facts<'a>, day: NaiveDate) -> Option<&'a ReassessmentRules> {
        Some(&facts.parameters(self.spans.first()?.report, day).reassessment)
    }
}

/// REAS-4: so many months after a reassessment; none where the plan sets no interval.
fn earliest_after(done: NaiveDate, rules: Option<&ReassessmentRules>) -> Option<NaiveDate> {
    Some(add_months(done, rules?.min_interval_months?.into()))
}

/// The clock of every enrollment for which a date or an interval is set.
pub fn clocks<'a>(facts: &Facts<'a>) -> Vec<Clock<'a>> {
    reassessments(facts).iter().filter_map(|known| clock(facts, known)).collect()
}

fn clock<'a>(facts: &Facts<'a>, known: &Reassessments<'_, 'a>) -> Option<Clock<'a>> {
    let span = known.spans.first()?;
    let earliest_on = known.earliest(facts);
    let due = known.due.map(|(_, day)| day);
    let done = if due.is_some() { known.done().next() } else { known.done().last() };
    let (rule, cite, is_verified) = match (known.due, done) {
        (Some((rule, _)), _) => (rule.rule.as_str(), rule.cite.as_str(), rule.verified),
        (None, Some((_, told))) if earliest_on.is_some() => {
            (INTERVAL_RULE, known.rules(facts, told.on.0)?.min_interval_cite.as_str(), true)
        }
        (None, _) => return None,
    };
    let met_on = done.map(|(_, told)| told.on.0);
    Some(Clock {
        clock: "reassessment",
        of: span.enrolled.enrollment.to_string(),
        by: span.report,
        program: Some(span.enrolled.program),
        rule,
        is_extended: false,
        starts_on: span.enrolled.from.0,
        due: due.map(Due::Day),
        is_governing: true,
        is_binding: true,
        met_on,
        late_by_days: due.zip(met_on).map(|(due, met)| days_late(due, met)),
        earliest_on,
        cite,
        is_verified,
        is_calendar_checked: None,
    })
}

/// Every finding about a member's reassessments.
pub fn find<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let mut found = Vec::new();
    for known in reassessments(facts) {
        found.extend(late(&known));
        found.extend(too_frequent(facts, &known));
        found.extend(without_criteria(&known));
    }
    found
}

/// REAS-1: not done by the day set, while the enrollment ran on.
fn late<'a>(known: &Reassessments<'_, 'a>) -> Option<Finding<'a>> {
    let (rule, day) = known.due?;
    let done = known.done().next();
    if done.is_some_and(|(_, told)| told.on.0 <= day) {
        return None;
    }
    let from = add_days(day, 1);
    let window = Span { from, until: late_until(from, done.map(|(_, told)| told.on.0)) };
    let (span, days) = known.spans.iter().find_map(|span| Some((span, span.span.overlap(window)?)))?;
    Some(Finding {
        code: "reassessment_late",
        rule: &rule.rule,
        of: span.report,
        program: Some(span.enrolled.program),
        about: span.enrolled.enrollment.to_string(),
        from: days.from,
        until: days.until,
        because: evidence(std::iter::once(span.report).chain(done.map(|(by, _)| by))),
    })
}

/// REAS-4: done again sooner than the plan's interval. The first is limited by nothing.
fn too_frequent<'a>(facts: &Facts<'a>, known: &Reassessments<'_, 'a>) -> Vec<Finding<'a>> {
    let pairs = known.done().zip(known.done().skip(1));
    let early = pairs.filter(|((_, former), (_, told))| {
        let earliest = earliest_after(former.on.0, known.rules(facts, told.on.0));
        earliest.is_some_and(|earliest| told.on.0 < earliest)
    });
    early.filter_map(|((first, _), report)| about(known, "too_frequent", INTERVAL_RULE, report, Some(first))).collect()
}

/// REAS-3: it tests the criteria of discontinuation, so one that ends the service names them.
fn without_criteria<'a>(known: &Reassessments<'_, 'a>) -> Vec<Finding<'a>> {
    let ends = known.done().filter(|(_, told)| told.outcome == ReassessmentOutcome::Discontinue);
    ends.filter(|(_, told)| told.criteria.is_empty())
        .filter_map(|report| about(known, "incomplete", "REAS-3", report, None))
        .collect()
}

/// A finding of one reassessment's day.
fn about<'a>(
    known: &Reassessments<'_, 'a>,
    code: &'static str,
    rule: &'a str,
    (by, told): Report<'a>,
    former: Option<&'a Envelope>,
) -> Option<Finding<'a>> {
    let enrolled = known.spans.first()?.enrolled;
    Some(Finding {
        code,
        rule,
        of: by,
        program: Some(enrolled.program),
        about: format!("{} {}", enrolled.enrollment, told.on),
        from: told.on.0,
        until: None,
        because: evidence(former.into_iter().chain([by])),
    })
}
