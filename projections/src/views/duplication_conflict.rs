//! `duplication_conflict`, one row an overlap of two spans that a rule speaks of: what may not run at once, or only
//! with care, with the rule and both sides. A choice of the member is written into the row; it ends where a span ends.

use rollbook_events::Event;
use rollbook_events::families::enrollment::Enrollment;

use crate::dossier::{Dossier, Recorded};
use crate::rulebook::Rulebook;
use crate::rules::duplication::{Overlap, overlaps};
use crate::rules::facts::Facts;
use crate::view::{Column, ColumnType as T, Row, Table, Touched, View};

/// The overlaps.
#[derive(Debug)]
pub struct DuplicationConflict;

/// Its table.
pub const TABLE: Table = Table {
    name: "duplication_conflict",
    comment: "one row per member, pair of spans and overlap that a rule speaks of",
    columns: &[
        Column { name: "outcome", kind: T::Text, comment: "what follows, as conflict, choose, exclude" },
        Column { name: "rule", kind: T::Text, comment: "rule of the catalogue" },
        Column { name: "cite", kind: T::Text, comment: "where the rule is written" },
        Column { name: "program_a", kind: T::Text, comment: "program of the first side" },
        Column { name: "channel_a", kind: T::Text, comment: "its channel" },
        Column { name: "plan_a", kind: T::Text, comment: "whose record it is" },
        Column { name: "provider_a", kind: T::Text, comment: "who serves" },
        Column { name: "evidence_a", kind: T::Uuid, comment: "event it rests on" },
        Column { name: "program_b", kind: T::Text, comment: "program of the second side, or code of a coverage" },
        Column { name: "channel_b", kind: T::Text, comment: "its channel" },
        Column { name: "plan_b", kind: T::Text, comment: "whose record it is" },
        Column { name: "provider_b", kind: T::Text, comment: "who serves" },
        Column { name: "evidence_b", kind: T::Uuid, comment: "event it rests on" },
        Column { name: "from_on", kind: T::Day, comment: "first day of the overlap" },
        Column { name: "until_on", kind: T::Day, comment: "first day no longer; none while both run" },
        Column { name: "resolution", kind: T::Text, comment: "program the member chose" },
        Column { name: "resolved_on", kind: T::Day, comment: "day of the choice" },
        Column { name: "resolution_event", kind: T::Uuid, comment: "event that tells of the choice" },
    ],
};

impl View for DuplicationConflict {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn rows(&self, facts: &Facts<'_>) -> Vec<Row> {
        overlaps(&facts.standing, &facts.held, facts.rulebook).iter().map(row).collect()
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
            Event::Coverage(_) | Event::OtherPrograms(_) | Event::Correction(_) => Touched::Everything,
            Event::Who(_)
            | Event::Referral(_)
            | Event::Authorization(_)
            | Event::Outreach(_)
            | Event::Notice(_)
            | Event::Rules(_) => Touched::Nothing,
        }
    }
}

fn row(overlap: &Overlap<'_>) -> Row {
    let (a, b) = (overlap.a, overlap.b);
    let choice = overlap.choice;
    let cells = vec![
        overlap.verdict.outcome().into(),
        overlap.verdict.rule().into(),
        overlap.verdict.cite().into(),
        a.what.as_str().into(),
        a.channel.map(|channel| channel.as_str()).into(),
        a.plan().as_str().into(),
        a.provider.map(ToString::to_string).into(),
        a.evidence.id.0.into(),
        b.what.as_str().into(),
        b.channel.map(|channel| channel.as_str()).into(),
        b.plan().as_str().into(),
        b.provider.map(ToString::to_string).into(),
        b.evidence.id.0.into(),
        overlap.span.from.into(),
        overlap.span.until.into(),
        choice.map(|(_, chosen)| chosen.chosen.as_str()).into(),
        choice.map(|(by, _)| by.occurred_at.day()).into(),
        choice.map(|(by, _)| by.id.0).into(),
    ];
    // The sides' own ids, not the events', so that a report told again changes the row and does not replace it.
    let member = a.evidence.subject;
    let key = format!("{member}|{}|{}|{}|{}", overlap.verdict.rule(), a.identity, b.identity, overlap.span.from);
    Row { key, member: member.member(), cells }
}
