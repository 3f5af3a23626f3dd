//! `reassessment`, one row a span of an enrollment that has a date set for its reassessment, or was reassessed.

use rollbook_events::Event;
use rollbook_events::families::enrollment::Enrollment;

use crate::dossier::{Dossier, Recorded};
use crate::enrollment_spans::EnrollmentSpan;
use crate::rulebook::Rulebook;
use crate::rules::clocks::days_late;
use crate::rules::facts::Facts;
use crate::rules::reassessment::{Reassessments, reassessments};
use crate::view::{Column, ColumnType as T, Row, Table, Touched, View};

/// The reassessments.
#[derive(Debug)]
pub struct Reassessment;

/// Its table.
pub const TABLE: Table = Table {
    name: "reassessment",
    comment: "one row per span of an enrollment that has a date for its reassessment, or was reassessed",
    columns: &[
        Column { name: "enrollment", kind: T::Uuid, comment: "the enrollment" },
        Column { name: "program", kind: T::Text, comment: "program" },
        Column { name: "plan", kind: T::Text, comment: "plan that enrolled the member" },
        Column { name: "county", kind: T::Text, comment: "county" },
        Column { name: "basis", kind: T::Text, comment: "on what the enrollment rests" },
        Column { name: "span_no", kind: T::Integer, comment: "which span of the enrollment, from 1" },
        Column { name: "from_on", kind: T::Day, comment: "first day of the span" },
        Column { name: "until_on", kind: T::Day, comment: "first day no longer covered; none while open" },
        Column { name: "due_on", kind: T::Day, comment: "last day for the reassessment, where one is set" },
        Column { name: "rule", kind: T::Text, comment: "rule that sets it" },
        Column { name: "done_on", kind: T::Day, comment: "day it was done; without a date set, last day it was done" },
        Column { name: "outcome", kind: T::Text, comment: "what it came to, or that nobody was reached" },
        Column { name: "late_by_days", kind: T::Integer, comment: "days by which it came after the last day" },
        Column { name: "earliest_on", kind: T::Day, comment: "first day the next would not be too frequent" },
        Column { name: "reassessed_event", kind: T::Uuid, comment: "event that reports it" },
    ],
};

impl View for Reassessment {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn rows(&self, facts: &Facts<'_>) -> Vec<Row> {
        let all = reassessments(facts);
        let rows = all.iter().flat_map(|known| known.spans.iter().filter_map(|span| row(facts, known, span)));
        rows.collect()
    }

    fn touched(&self, _: &Dossier, _: &Rulebook, event: &Recorded) -> Touched {
        match &event.envelope.event {
            Event::Enrollment(event) => match event {
                Enrollment::Enrolled(_)
                | Enrollment::Disenrolled(_)
                | Enrollment::Reinstated(_)
                | Enrollment::Reassessed(_) => Touched::Everything,
                Enrollment::ServiceStarted(_)
                | Enrollment::ProviderAssigned(_)
                | Enrollment::LeadCareManagerAssigned(_)
                | Enrollment::StayRecorded(_)
                | Enrollment::UnitsRecorded(_)
                | Enrollment::OptedOut(_)
                | Enrollment::DiscontinuationRecommended(_) => Touched::Nothing,
            },
            Event::Correction(_) => Touched::Everything,
            Event::Who(_)
            | Event::Coverage(_)
            | Event::OtherPrograms(_)
            | Event::Referral(_)
            | Event::Authorization(_)
            | Event::Outreach(_)
            | Event::Notice(_)
            | Event::Rules(_) => Touched::Nothing,
        }
    }
}

fn row<'a>(facts: &Facts<'a>, known: &Reassessments<'_, 'a>, of: &EnrollmentSpan<'_>) -> Option<Row> {
    let (report, enrolled) = (of.report, of.enrolled);
    let due = known.span_due().filter(|(span, _, _)| span.number == of.number);
    let due_on = due.map(|(_, _, day)| day);
    let here = |on| known.span_of(on).is_some_and(|span| span.number == of.number);
    let done = match due {
        Some(_) => known.done().next(),
        None => known.done().filter(|(_, told)| here(told.on.0)).last(),
    };
    // Where none was done, the last attempt says why.
    let shown = done.or_else(|| known.reports.iter().copied().rfind(|(_, told)| here(told.on.0)));
    if due.is_none() && shown.is_none() {
        return None;
    }
    let done_on = done.map(|(_, told)| told.on.0);
    let cells = vec![
        enrolled.enrollment.0.into(),
        enrolled.program.as_str().into(),
        report.plan.as_str().into(),
        report.county.as_str().into(),
        enrolled.basis.as_str().into(),
        of.number.into(),
        of.span.from.into(),
        of.span.until.into(),
        due_on.into(),
        due.map(|(_, rule, _)| rule.rule.as_str()).into(),
        done_on.into(),
        shown.map(|(_, told)| told.outcome.as_str()).into(),
        due_on.zip(done_on).map(|(due, done)| days_late(due, done)).into(),
        known.earliest(facts).into(),
        shown.map(|(by, _)| by.id.0).into(),
    ];
    let key = format!("{}|{}|{}|{}", report.subject, enrolled.enrollment, report.plan, of.number);
    Some(Row { key, member: report.subject.member(), cells })
}
