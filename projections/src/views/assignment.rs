//! `assignment`, one row for each unbroken run of days of an enrollment on which one provider serves. By it a provider is
//! known to see a member: from its first day on, until its last, and not by who was named last.

use rollbook_events::Event;
use rollbook_events::families::enrollment::Enrollment;

use crate::dossier::{Dossier, Recorded};
use crate::enrollment_spans::EnrollmentSpan;
use crate::rulebook::Rulebook;
use crate::rules::facts::Facts;
use crate::view::{Column, ColumnType as T, Row, Table, Touched, View};

/// Who serves whom, and on which days.
#[derive(Debug)]
pub struct Assignment;

/// Its table.
pub const TABLE: Table = Table {
    name: "assignment",
    comment: "one row per enrollment, provider and unbroken run of days on which it serves",
    columns: &[
        Column { name: "enrollment", kind: T::Uuid, comment: "the enrollment" },
        Column { name: "program", kind: T::Text, comment: "program" },
        Column { name: "plan", kind: T::Text, comment: "plan that enrolled the member" },
        Column { name: "county", kind: T::Text, comment: "county" },
        Column { name: "provider", kind: T::Text, comment: "who serves on these days" },
        Column { name: "from_on", kind: T::Day, comment: "first day" },
        Column { name: "until_on", kind: T::Day, comment: "first day no longer; none while open" },
    ],
};

impl View for Assignment {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn rows(&self, facts: &Facts<'_>) -> Vec<Row> {
        facts.spans.iter().flat_map(rows).collect()
    }

    fn touched(&self, _: &Dossier, _: &Rulebook, event: &Recorded) -> Touched {
        match &event.envelope.event {
            Event::Enrollment(event) => match event {
                Enrollment::Enrolled(_)
                | Enrollment::ProviderAssigned(_)
                | Enrollment::Disenrolled(_)
                | Enrollment::Reinstated(_) => Touched::Everything,
                Enrollment::ServiceStarted(_)
                | Enrollment::LeadCareManagerAssigned(_)
                | Enrollment::StayRecorded(_)
                | Enrollment::UnitsRecorded(_)
                | Enrollment::OptedOut(_)
                | Enrollment::DiscontinuationRecommended(_)
                | Enrollment::Reassessed(_) => Touched::Nothing,
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

fn rows<'f>(of: &'f EnrollmentSpan<'_>) -> impl Iterator<Item = Row> + 'f {
    let (report, enrolled) = (of.report, of.enrolled);
    of.providers.iter().map(move |(days, provider)| Row {
        key: format!("{}|{}|{}|{}|{}", report.subject, enrolled.enrollment, report.plan, of.number, days.from),
        member: report.subject.member(),
        cells: vec![
            enrolled.enrollment.0.into(),
            enrolled.program.as_str().into(),
            report.plan.as_str().into(),
            report.county.as_str().into(),
            provider.to_string().into(),
            days.from.into(),
            days.until.into(),
        ],
    })
}
