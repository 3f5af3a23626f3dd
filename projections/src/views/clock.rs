//! `clock`, one row a clock and rule: since when it runs, when it has run out, which one governs, and when it was met.

use rollbook_events::Event;
use rollbook_events::families::enrollment::Enrollment;
use rollbook_events::families::notice::Notice;
use rollbook_events::families::who::Who;

use crate::dossier::{Dossier, Recorded};
use crate::rulebook::Rulebook;
use crate::rules::clocks::{Clock as Of, clocks};
use crate::rules::facts::Facts;
use crate::view::{Column, ColumnType as T, Row, Table, Touched, View};

/// The clocks.
#[derive(Debug)]
pub struct Clock;

/// Its table.
pub const TABLE: Table = Table {
    name: "clock",
    comment: "one row per clock and rule of an authorization, notice, appeal or enrollment",
    columns: &[
        Column { name: "clock", kind: T::Text, comment: "which clock" },
        Column { name: "of", kind: T::Text, comment: "authorization, enrollment, notice or appeal it is of" },
        Column { name: "program", kind: T::Text, comment: "program" },
        Column { name: "plan", kind: T::Text, comment: "whose record it is" },
        Column { name: "county", kind: T::Text, comment: "county" },
        Column { name: "rule", kind: T::Text, comment: "rule that sets it; followed by `extended` where it is" },
        Column { name: "starts_on", kind: T::Day, comment: "day it runs from" },
        Column { name: "due_on", kind: T::Day, comment: "day it runs out" },
        Column { name: "due_at", kind: T::Instant, comment: "instant it runs out, where it counts hours" },
        Column { name: "governing", kind: T::Boolean, comment: "whether it is the one that counts in its matter" },
        Column { name: "binding", kind: T::Boolean, comment: "whether it binds" },
        Column { name: "met_on", kind: T::Day, comment: "day of what it waits for" },
        Column { name: "late_by_days", kind: T::Integer, comment: "days by which that came late" },
        Column { name: "earliest_on", kind: T::Day, comment: "first lawful day for what follows" },
        Column { name: "cite", kind: T::Text, comment: "where it is written" },
        Column { name: "verified", kind: T::Boolean, comment: "whether that was read, or is only remembered" },
        Column {
            name: "calendar_checked",
            kind: T::Boolean,
            comment: "whether the holidays it counts by were checked",
        },
    ],
};

impl View for Clock {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn rows(&self, facts: &Facts<'_>) -> Vec<Row> {
        clocks(facts).iter().map(row).collect()
    }

    fn touched(&self, _: &Dossier, _: &Rulebook, event: &Recorded) -> Touched {
        match &event.envelope.event {
            Event::Enrollment(event) => match event {
                Enrollment::Enrolled(_)
                | Enrollment::Disenrolled(_)
                | Enrollment::Reinstated(_)
                | Enrollment::OptedOut(_)
                | Enrollment::Reassessed(_) => Touched::Everything,
                Enrollment::ServiceStarted(_)
                | Enrollment::ProviderAssigned(_)
                | Enrollment::LeadCareManagerAssigned(_)
                | Enrollment::StayRecorded(_)
                | Enrollment::UnitsRecorded(_)
                | Enrollment::DiscontinuationRecommended(_) => Touched::Nothing,
            },
            Event::Notice(event) => match event {
                Notice::NoticeIssued(_)
                | Notice::MailReturned(_)
                | Notice::AppealFiled(_)
                | Notice::AppealResolved(_) => Touched::Everything,
                Notice::NoticeDetermined(_) => Touched::Nothing,
            },
            Event::Who(event) => match event {
                // CLK-2: a notice to the dead may be mailed on the day.
                Who::MemberDied(_) => Touched::Everything,
                Who::MemberLinked(_) | Who::MemberUnlinked(_) | Who::HousingObserved(_) => Touched::Nothing,
            },
            Event::Authorization(_) | Event::Correction(_) => Touched::Everything,
            Event::Coverage(_)
            | Event::OtherPrograms(_)
            | Event::Referral(_)
            | Event::Outreach(_)
            | Event::Rules(_) => Touched::Nothing,
        }
    }
}

fn row(of: &Of<'_>) -> Row {
    let rule = if of.is_extended { format!("{} extended", of.rule) } else { of.rule.to_owned() };
    let member = of.by.subject;
    let key = format!("{member}|{}|{}|{}|{rule}", of.clock, of.of, of.by.plan);
    let cells = vec![
        of.clock.into(),
        of.of.as_str().into(),
        of.program.map(|program| program.as_str()).into(),
        of.by.plan.as_str().into(),
        of.by.county.as_str().into(),
        rule.into(),
        of.starts_on.into(),
        of.due.map(|due| due.day()).into(),
        of.due.and_then(|due| due.at()).into(),
        of.is_governing.into(),
        of.is_binding.into(),
        of.met_on.into(),
        of.late_by_days.into(),
        of.earliest_on.into(),
        Some(of.cite).filter(|cite| !cite.is_empty()).into(),
        of.is_verified.into(),
        of.is_calendar_checked.into(),
    ];
    Row { key, member: member.member(), cells }
}
