//! `current_enrollment`, one row a span of an enrollment. A row holds dates, not states: what is current depends on the
//! day that is asked about.

use rollbook_events::Event;
use rollbook_events::families::enrollment::Enrollment;

use crate::dossier::{Dossier, Recorded};
use crate::enrollment_spans::EnrollmentSpan;
use crate::rulebook::Rulebook;
use crate::rules::facts::Facts;
use crate::view::{Column, ColumnType as T, Row, Table, Touched, View, joined};

/// The roll.
#[derive(Debug)]
pub struct CurrentEnrollment;

/// Its table.
pub const TABLE: Table = Table {
    name: "current_enrollment",
    comment: "one row per member, program and unbroken span of an enrollment",
    columns: &[
        Column { name: "enrollment", kind: T::Uuid, comment: "the enrollment" },
        Column { name: "program", kind: T::Text, comment: "program" },
        Column { name: "plan", kind: T::Text, comment: "plan that enrolled the member" },
        Column { name: "county", kind: T::Text, comment: "county" },
        Column { name: "basis", kind: T::Text, comment: "on what the enrollment rests" },
        Column { name: "channel", kind: T::Text, comment: "who delivers and bills, by the latest assignment" },
        Column { name: "provider", kind: T::Text, comment: "who serves, by the latest assignment" },
        Column { name: "lead_care_manager", kind: T::Text, comment: "key of who leads the care" },
        Column { name: "from_on", kind: T::Day, comment: "first day" },
        Column { name: "until_on", kind: T::Day, comment: "first day no longer covered; none while open" },
        Column { name: "reason", kind: T::Text, comment: "why it ended" },
        Column { name: "authorization_id", kind: T::Uuid, comment: "authorization it rests on" },
        Column { name: "agreed_by", kind: T::Text, comment: "who agreed to the end, with commas" },
        Column { name: "span_no", kind: T::Integer, comment: "which span of the enrollment, from 1" },
        Column { name: "opened_by", kind: T::Uuid, comment: "event that began the span" },
        Column { name: "closed_by", kind: T::Uuid, comment: "event that ended it" },
        Column { name: "enrolled_event", kind: T::Uuid, comment: "event that last reported the enrollment" },
    ],
};

impl View for CurrentEnrollment {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn rows(&self, facts: &Facts<'_>) -> Vec<Row> {
        facts.spans.iter().map(row).collect()
    }

    fn touched(&self, _: &Dossier, _: &Rulebook, event: &Recorded) -> Touched {
        match &event.envelope.event {
            Event::Enrollment(event) => match event {
                Enrollment::Enrolled(_)
                | Enrollment::ProviderAssigned(_)
                | Enrollment::LeadCareManagerAssigned(_)
                | Enrollment::Disenrolled(_)
                | Enrollment::Reinstated(_) => Touched::Everything,
                Enrollment::ServiceStarted(_)
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

fn row(of: &EnrollmentSpan<'_>) -> Row {
    let (report, enrolled) = (of.report, of.enrolled);
    let latest = of.latest();
    let end = of.closed.map(|(_, end)| end);
    let cells = vec![
        enrolled.enrollment.0.into(),
        enrolled.program.as_str().into(),
        report.plan.as_str().into(),
        report.county.as_str().into(),
        enrolled.basis.as_str().into(),
        latest.map(|segment| segment.channel.as_str()).into(),
        latest.map(|segment| segment.provider.to_string()).into(),
        of.manager.map(|manager| manager.as_str()).into(),
        of.span.from.into(),
        of.span.until.into(),
        end.map(|end| end.reason.as_str()).into(),
        enrolled.authorization.map(|id| id.0).into(),
        end.and_then(|end| joined(end.agreed_by.iter().map(|party| party.as_str()))).into(),
        of.number.into(),
        of.opened_by.id.0.into(),
        of.closed.map(|(by, _)| by.id.0).into(),
        report.id.0.into(),
    ];
    // An enrollment's id comes from outside, so that two members, or two plans, may give the same one: both are in the key.
    Row {
        key: format!("{}|{}|{}|{}", report.subject, enrolled.enrollment, report.plan, of.number),
        member: report.subject.member(),
        cells,
    }
}
