//! `notice_determination`, one row per determination: whether a Notice of Action is required and why, by when it was due,
//! when it was mailed, what superseded it, and the appeal.
//!
//! A request that nobody decides is denied once its clock has run out (CLK-5). Its row stands from that day on, before an
//! event tells of it, and has no determination.

use rollbook_events::families::authorization::Authorization;
use rollbook_events::families::enrollment::Enrollment;
use rollbook_events::families::notice::Notice;
use rollbook_events::families::outreach::Outreach;
use rollbook_events::families::referral::Referral;
use rollbook_events::families::who::Who;
use rollbook_events::{Event, pacific_day};

use crate::dossier::{Dossier, Recorded};
use crate::rulebook::Rulebook;
use crate::rules::facts::Facts;
use crate::rules::notices::records::Record;
use crate::view::{Cell, Column, ColumnType as T, Row, Table, Touched, View, integer, joined};

/// The determinations.
#[derive(Debug)]
pub struct NoticeDetermination;

/// Its table.
pub const TABLE: Table = Table {
    name: "notice_determination",
    comment: "one row per determination whether a notice is required, and per request whose clock runs out undecided",
    columns: &[
        Column { name: "determination", kind: T::Uuid, comment: "its event; none of an expiry not yet on record" },
        Column { name: "trigger", kind: T::Uuid, comment: "event that raised the question" },
        Column { name: "program", kind: T::Text, comment: "program" },
        Column { name: "plan", kind: T::Text, comment: "plan" },
        Column { name: "county", kind: T::Text, comment: "county" },
        Column { name: "outcome", kind: T::Text, comment: "required, not_required or review" },
        Column { name: "notice", kind: T::Text, comment: "kind of notice" },
        Column { name: "limbs", kind: T::Text, comment: "why, with commas" },
        Column { name: "rule", kind: T::Text, comment: "rule of the catalogue" },
        Column { name: "because", kind: T::Text, comment: "ids of the events it rests on, with commas" },
        Column { name: "rulebook_id", kind: T::Text, comment: "edition it rests on" },
        Column { name: "rulebook_hash", kind: T::Text, comment: "SHA-256 of that edition" },
        Column { name: "knew", kind: T::Integer, comment: "position of the log it knew" },
        Column { name: "decided_on", kind: T::Day, comment: "day it was recorded" },
        Column { name: "from_on", kind: T::Day, comment: "day it concerns: end of service, decision, expiry" },
        Column { name: "supersedes", kind: T::Uuid, comment: "determination it took the place of" },
        Column { name: "superseded_by", kind: T::Uuid, comment: "determination that took its place" },
        Column { name: "voided", kind: T::Boolean, comment: "whether the event that raised the question was voided" },
        Column { name: "obligation", kind: T::Text, comment: "ended span, request or episode it is about" },
        Column { name: "mail_by", kind: T::Day, comment: "last lawful day to mail the notice" },
        Column { name: "issued_notice", kind: T::Uuid, comment: "notice mailed for it" },
        Column { name: "mailed_on", kind: T::Day, comment: "day it was mailed" },
        Column { name: "effective_on", kind: T::Day, comment: "day it says service ends" },
        Column { name: "late_by_days", kind: T::Integer, comment: "days it was mailed too late" },
        Column { name: "appeal", kind: T::Uuid, comment: "last appeal against it" },
        Column { name: "appealed_on", kind: T::Day, comment: "day the appeal was filed" },
        Column { name: "appeal_outcome", kind: T::Text, comment: "how it ended" },
    ],
};

impl View for NoticeDetermination {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn rows(&self, facts: &Facts<'_>) -> Vec<Row> {
        facts.records().iter().map(|record| row(record, facts.rulebook)).collect()
    }

    fn touched(&self, dossier: &Dossier, _: &Rulebook, event: &Recorded) -> Touched {
        let read = match &event.envelope.event {
            Event::Notice(_) | Event::Authorization(_) | Event::Correction(_) => return Touched::Everything,
            Event::Enrollment(event) => match event {
                Enrollment::Enrolled(_)
                | Enrollment::Disenrolled(_)
                | Enrollment::Reinstated(_)
                | Enrollment::OptedOut(_)
                | Enrollment::ServiceStarted(_)
                | Enrollment::LeadCareManagerAssigned(_)
                | Enrollment::StayRecorded(_)
                | Enrollment::UnitsRecorded(_)
                | Enrollment::Reassessed(_) => true,
                Enrollment::ProviderAssigned(_) | Enrollment::DiscontinuationRecommended(_) => false,
            },
            Event::Outreach(event) => match event {
                Outreach::OutreachAttempted(_) | Outreach::OutreachClosed(_) => true,
                Outreach::MemberLookedUp(_) => false,
            },
            Event::Referral(event) => match event {
                Referral::MemberIdentified(_)
                | Referral::ReferralReceived(_)
                | Referral::PopulationAssessed(_)
                | Referral::ServiceAssessed(_) => true,
                Referral::ReferralUpdated(_) => false,
            },
            Event::Who(event) => match event {
                Who::MemberDied(_) => true,
                Who::MemberLinked(_) | Who::MemberUnlinked(_) | Who::HousingObserved(_) => false,
            },
            Event::Coverage(_) | Event::OtherPrograms(_) | Event::Rules(_) => false,
        };
        if read && has_rows(dossier) { Touched::Everything } else { Touched::Nothing }
    }
}

/// Whether a dossier can have rows at all: determinations, or requests whose clock runs.
fn has_rows(dossier: &Dossier) -> bool {
    dossier.recorded().iter().any(|recorded| {
        matches!(
            recorded.envelope.event,
            Event::Notice(Notice::NoticeDetermined(_)) | Event::Authorization(Authorization::AuthorizationRequested(_))
        )
    })
}

fn row(record: &Record<'_>, rulebook: &Rulebook) -> Row {
    let told = record.event.map(|(_, told)| told);
    let because: Vec<String> = record.because.iter().map(ToString::to_string).collect();
    let (notice, appeal) = (record.notice.map(|(_, notice)| notice), record.appeal);
    let resolved = appeal.and_then(|appeal| appeal.resolved);
    let obligation = record.obligation.map(|obligation| obligation.about());
    let rulebook_id = told.map_or(rulebook.id(), |told| told.rulebook.id.as_str());
    let rulebook_hash = told.map_or(rulebook.hash(), |told| told.rulebook.hash);
    let event = record.event.map(|(event, _)| event);
    let cells = vec![
        event.map(|event| event.id.0).into(),
        record.trigger.0.into(),
        record.program.as_str().into(),
        record.plan.as_str().into(),
        record.county.as_str().into(),
        record.answer.outcome.as_str().into(),
        record.answer.notice.map(|notice| notice.as_str()).into(),
        joined(record.answer.limbs.iter().copied()).into(),
        record.answer.rule.into(),
        joined(because.iter().map(String::as_str)).into(),
        rulebook_id.into(),
        rulebook_hash.to_string().into(),
        told.map_or(Cell::Null, |told| integer(told.known_at.0)),
        event.map(|event| pacific_day(&event.recorded_at)).into(),
        record.on.into(),
        told.and_then(|told| told.supersedes).map(|id| id.0).into(),
        record.superseded_by.map(|by| by.id.0).into(),
        record.voided.into(),
        obligation.as_deref().into(),
        record.mail_by.into(),
        notice.map(|notice| notice.notice.0).into(),
        notice.map(|notice| notice.mailed_on.0).into(),
        notice.and_then(|notice| notice.effective_on).map(|day| day.0).into(),
        record.late_by_days().into(),
        appeal.map(|appeal| appeal.filed.appeal.0).into(),
        appeal.map(|appeal| appeal.filed.on.0).into(),
        resolved.map(|resolved| resolved.outcome.as_str()).into(),
    ];
    let member = record.of.subject;
    let key = event.map_or_else(
        || format!("{member}|{}", obligation.as_deref().unwrap_or_default()),
        |event| event.id.to_string(),
    );
    Row { key, member: member.member(), cells }
}
