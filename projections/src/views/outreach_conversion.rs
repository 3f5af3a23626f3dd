//! `outreach_conversion`, one row an outreach episode: from identification or first attempt to enrollment, opt-out or
//! the end of trying. Summed, it says how outreach turns into enrollment; attempts, contacts and enrollments are
//! separate measures (CON-23).

use std::collections::BTreeSet;

use rollbook_events::families::enrollment::Enrollment;
use rollbook_events::families::outreach::Outreach;
use rollbook_events::families::referral::Referral;
use rollbook_events::{Event, Population};

use crate::dossier::{Dossier, Recorded};
use crate::outreach_episodes::{Episode, Try};
use crate::rulebook::Rulebook;
use crate::rules::facts::Facts;
use crate::rules::outreach::NO_RESPONSE_INVITED;
use crate::view::{Cell, Column, ColumnType as T, Row, Table, Touched, View, integer, joined};

/// The episodes.
#[derive(Debug)]
pub struct OutreachConversion;

/// Its table.
pub const TABLE: Table = Table {
    name: "outreach_conversion",
    comment: "one row per member, program, plan and outreach episode",
    columns: &[
        Column { name: "program", kind: T::Text, comment: "program outreach is for" },
        Column { name: "plan", kind: T::Text, comment: "plan" },
        Column { name: "county", kind: T::Text, comment: "county" },
        Column { name: "episode", kind: T::Integer, comment: "which of the program and plan, from 1" },
        Column { name: "provider", kind: T::Text, comment: "of the identification, else of the first attempt" },
        Column { name: "populations", kind: T::Text, comment: "Populations of Focus, with commas" },
        Column { name: "pathway", kind: T::Text, comment: "how the member was identified" },
        Column { name: "first_channel", kind: T::Text, comment: "channel of the first attempt that counts" },
        Column { name: "month", kind: T::Text, comment: "month of identification, else of first attempt" },
        Column { name: "identified_on", kind: T::Day, comment: "day of the identification, if there was one" },
        Column { name: "attempts", kind: T::Integer, comment: "attempts that count and precede enrollment" },
        Column { name: "contacts", kind: T::Integer, comment: "attempts that reached the member or guardian" },
        Column { name: "first_attempt_on", kind: T::Day, comment: "day of the first attempt that counts" },
        Column { name: "first_contact_on", kind: T::Day, comment: "day of the first contact" },
        Column { name: "not_counted", kind: T::Integer, comment: "attempts that do not count, or while enrolled" },
        Column { name: "enrolled_on", kind: T::Day, comment: "first day of the enrollment it led to" },
        Column { name: "basis", kind: T::Text, comment: "on what that enrollment rests" },
        Column { name: "opted_out_on", kind: T::Day, comment: "day the member declined" },
        Column { name: "closed_on", kind: T::Day, comment: "day outreach was given up" },
        Column {
            name: "marketing",
            kind: T::Integer,
            comment: "messages that invite no answer, which are no attempts",
        },
        Column { name: "not_counted_reasons", kind: T::Text, comment: "why attempts do not count, codes with commas" },
        Column { name: "exported", kind: T::Integer, comment: "attempts that go into the outreach tracker file" },
        Column { name: "over_cap", kind: T::Integer, comment: "attempts past the number that the plan pays for" },
    ],
};

impl View for OutreachConversion {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn rows(&self, facts: &Facts<'_>) -> Vec<Row> {
        facts.episodes().iter().map(row).collect()
    }

    fn touched(&self, _: &Dossier, _: &Rulebook, event: &Recorded) -> Touched {
        match &event.envelope.event {
            Event::Enrollment(event) => match event {
                Enrollment::Enrolled(_)
                | Enrollment::Disenrolled(_)
                | Enrollment::Reinstated(_)
                | Enrollment::OptedOut(_) => Touched::Everything,
                Enrollment::ServiceStarted(_)
                | Enrollment::ProviderAssigned(_)
                | Enrollment::LeadCareManagerAssigned(_)
                | Enrollment::StayRecorded(_)
                | Enrollment::UnitsRecorded(_)
                | Enrollment::DiscontinuationRecommended(_)
                | Enrollment::Reassessed(_) => Touched::Nothing,
            },
            Event::Outreach(event) => match event {
                Outreach::OutreachAttempted(_) | Outreach::OutreachClosed(_) => Touched::Everything,
                // OUT-20: a look into another system is no attempt.
                Outreach::MemberLookedUp(_) => Touched::Nothing,
            },
            Event::Referral(event) => match event {
                Referral::MemberIdentified(_) => Touched::Everything,
                Referral::PopulationAssessed(_)
                | Referral::ReferralReceived(_)
                | Referral::ServiceAssessed(_)
                | Referral::ReferralUpdated(_) => Touched::Nothing,
            },
            Event::Correction(_) => Touched::Everything,
            Event::Who(_)
            | Event::Coverage(_)
            | Event::OtherPrograms(_)
            | Event::Authorization(_)
            | Event::Notice(_)
            | Event::Rules(_) => Touched::Nothing,
        }
    }
}

fn row(episode: &Episode<'_>) -> Row {
    let identified = episode.identified;
    let identified_on = identified.map(|(by, _)| by.occurred_at.day());
    let provider = identified.and_then(|(_, told)| told.provider.as_ref()).or(episode.first_provider());
    let first = episode.counted().next();
    let attempt_on = first.map(Try::day);
    let reasons: BTreeSet<&str> = episode.not_counted().collect();
    let count = |which: fn(&Try<'_>) -> bool| count(episode.tries.iter().filter(|one| which(one)));
    let month = identified_on.or(attempt_on).unwrap_or_else(|| episode.began.occurred_at.day());
    let populations = Population::ALL.iter().filter(|population| episode.populations.contains(population));
    let enrolled = episode.enrolled;
    let cells = vec![
        episode.program.as_str().into(),
        episode.began.plan.as_str().into(),
        identified.map_or(episode.began, |(by, _)| by).county.as_str().into(),
        episode.number.into(),
        provider.map(ToString::to_string).into(),
        joined(populations.map(|population| population.as_str())).into(),
        identified.map(|(_, told)| told.pathway.as_str()).into(),
        first.map(|one| one.attempt.channel.as_str()).into(),
        month.format("%Y-%m").to_string().into(),
        identified_on.into(),
        count(|one| one.counts()),
        count(|one| one.is_contact),
        attempt_on.into(),
        episode.tries.iter().find(|one| one.is_contact).map(Try::day).into(),
        count(|one| !one.counts()),
        enrolled.map(|(on, _)| on).into(),
        enrolled.map(|(_, basis)| basis.as_str()).into(),
        episode.opted_out.into(),
        episode.closed.into(),
        count(|one| one.reason == Some(NO_RESPONSE_INVITED)),
        joined(reasons.into_iter()).into(),
        count(|one| one.is_exported),
        count(|one| one.is_over_cap),
    ];
    let member = episode.began.subject;
    let key = format!("{member}|{}|{}|{}", episode.program, episode.began.plan, episode.number);
    Row { key, member: member.member(), cells }
}

fn count<'e, 'a: 'e>(tries: impl Iterator<Item = &'e Try<'a>>) -> Cell {
    integer(u64::try_from(tries.count()).unwrap_or(u64::MAX))
}
