//! What a row says, held against what the ledger already holds: said anew, said again, corrected, or in dispute.
//!
//! A file restates the same facts month after month. What stands already is submitted again word for word, so that the
//! recorder answers "a duplicate"; what differs is a correction where the file that says so was made later, is passed
//! over where it was made earlier, and waits for a person where neither can be decided.

use std::cmp::Ordering;

use chrono::NaiveDate;
use rollbook_events::codes::Key;
use rollbook_events::families::correction::{Correction, EventVoided};
use rollbook_events::families::outreach::{Outreach, OutreachAttempted};
use rollbook_events::families::referral::Referral;
use rollbook_events::intake::FileKind;
use rollbook_events::{
    County, Envelope, Event, EventId, MemberId, Occurred, PlanCode, Sensitivity, Source, Submission, Whom,
};
use rollbook_projections::{Dossier, Recorded};

use super::{Quarantine, keys};

/// Why a correcting file voids an event; by this reason it is known again.
const CORRECTED: &str = "corrected by a later return transmission file";
const PRODUCED: &str = "produced ";

/// One statement's place in the ledger.
pub(super) struct Desk<'a> {
    pub(super) member: MemberId,
    pub(super) plan: &'a PlanCode,
    pub(super) county: Option<County>,
    pub(super) source: Source,
    pub(super) produced_on: Option<NaiveDate>,
    pub(super) dossier: &'a Dossier,
}

/// What a row says, before it has an id.
pub(super) struct Claim {
    /// What makes it this statement and no other.
    pub(super) key: String,
    pub(super) occurred_at: Occurred,
    pub(super) event: Event,
}

/// A disagreement that a person must settle.
pub(super) fn disagree(about: &str) -> Quarantine {
    Quarantine::row(format!("sources_disagree: {about}"))
}

/// The day the file was made in which an event was read.
fn produced(envelope: &Envelope) -> Option<NaiveDate> {
    let source = envelope.source.as_ref().filter(|source| source.system == FileKind::ReturnTransmission.as_str())?;
    source.external_id.as_deref()?.strip_prefix(PRODUCED)?.parse().ok()
}

/// How a source says the day its file was made.
pub(super) fn external_id(produced_on: NaiveDate) -> String {
    format!("{PRODUCED}{produced_on}")
}

impl Desk<'_> {
    /// Says it, unless it stands already (then it is said again in the same words) or a later file took it back.
    pub(super) fn tell(&self, claim: Claim) -> Result<Option<Submission>, Quarantine> {
        let mut id = keys::event(&claim.key);
        while let Some(recorded) = self.dossier.find(id) {
            let held = &recorded.envelope;
            let same = says_the_same(&held.event, &claim.event);
            match self.dossier.voided_by(id) {
                None if same => return Ok(Some(self.again(held))),
                None => return Err(disagree("the ledger holds the same with other details")),
                Some(void) => match self.taken_back(void, same)? {
                    true => return Ok(None),
                    false => id = after(&claim.key, void.envelope.id),
                },
            }
        }
        self.said(id, claim, None).map(Some)
    }

    /// Whether the file that voided an event still holds against this one.
    fn taken_back(&self, void: &Recorded, same: bool) -> Result<bool, Quarantine> {
        let by_file = matches!(&void.envelope.event,
            Event::Correction(Correction::EventVoided(void)) if void.reason.as_str() == CORRECTED);
        let (Some(then), Some(now), true) = (produced(&void.envelope), self.produced_on, by_file) else {
            // A person voided it: to say the very same again is to contradict that person.
            return if same { Err(disagree("somebody voided in the ledger what this row says")) } else { Ok(false) };
        };
        match now.cmp(&then) {
            Ordering::Less => Ok(true),
            Ordering::Greater => Ok(false),
            Ordering::Equal if same => Err(disagree("two files of the same production date contradict each other")),
            Ordering::Equal => Ok(false),
        }
    }

    /// Whether this file was made after the one in which an event was read.
    pub(super) fn is_later_than(&self, held: &Envelope, about: &str) -> Result<bool, Quarantine> {
        let (Some(then), Some(now)) = (produced(held), self.produced_on) else {
            return Err(disagree(&format!("the ledger has another {about}, and not from a return transmission file")));
        };
        match now.cmp(&then) {
            Ordering::Greater => Ok(true),
            Ordering::Less => Ok(false),
            Ordering::Equal => Err(disagree(&format!("another file of the same production date has another {about}"))),
        }
    }

    /// Voids an event and says what is right in its place.
    pub(super) fn correct(&self, held: &Envelope, claim: Claim) -> Result<[Submission; 2], Quarantine> {
        let void = self.void(held)?;
        let mut id = keys::event(&claim.key);
        while self.dossier.find(id).is_some() {
            let by = if id == held.id { void.id } else { self.dossier.voided_by(id).map(|void| void.envelope.id) };
            match by {
                Some(by) => id = after(&claim.key, by),
                None => return Err(disagree("the ledger holds the corrected statement beside the wrong one")),
            }
        }
        Ok([void, self.said(id, claim, Some(held.id))?])
    }

    /// Voids an event that a later file no longer says.
    pub(super) fn void(&self, held: &Envelope) -> Result<Submission, Quarantine> {
        let produced_on = self.produced_on.ok_or_else(|| disagree("the file has no production date"))?;
        let event = EventVoided { event: held.id, reason: key(CORRECTED)?, approved_by: key(self.plan.as_str())? };
        let claim = Claim {
            key: format!("event_voided|{}", held.id),
            occurred_at: Occurred::Day(produced_on),
            event: event.into(),
        };
        let mut void = self.said(keys::event(&claim.key), claim, None)?;
        // Of linked pseudonyms each voids its own.
        void.whom = Whom::Member(held.subject.member().unwrap_or(self.member));
        void.county = held.county;
        Ok(void)
    }

    /// An event that stands, in its own words: the recorder knows it by its id.
    pub(super) fn again(&self, held: &Envelope) -> Submission {
        Submission {
            id: Some(held.id),
            whom: Whom::Member(held.subject.member().unwrap_or(self.member)),
            plan: held.plan.clone(),
            county: held.county,
            occurred_at: held.occurred_at,
            source: Some(self.source.clone()),
            correlation: None,
            replaces: held.replaces,
            sensitivity: held.sensitivity,
            event: held.event.clone(),
        }
    }

    fn said(&self, id: EventId, claim: Claim, replaces: Option<EventId>) -> Result<Submission, Quarantine> {
        let county = self.county.ok_or_else(|| {
            Quarantine::row(
                "missing_field: the county stands neither in the row nor in the ledger; give it with the file",
            )
        })?;
        Ok(Submission {
            id: Some(id),
            whom: Whom::Member(self.member),
            plan: self.plan.clone(),
            county,
            occurred_at: claim.occurred_at,
            source: Some(self.source.clone()),
            correlation: None,
            replaces,
            sensitivity: Sensitivity::None,
            event: claim.event,
        })
    }
}

/// The id of a statement that is made again after it was voided.
fn after(key: &str, void: EventId) -> EventId {
    keys::event(&format!("{key}|after {void}"))
}

/// A bounded text; ours all fit.
pub(super) fn key(text: &str) -> Result<Key, Quarantine> {
    text.parse().map_err(|error| Quarantine::row(format!("malformed: {error}")))
}

/// Whether two events claim the same. An age or a length that only one of them knows is no contradiction.
fn says_the_same(held: &Event, told: &Event) -> bool {
    match (held, told) {
        (Event::Referral(Referral::MemberIdentified(a)), Event::Referral(Referral::MemberIdentified(b))) => {
            let ages = a.age_years.zip(b.age_years).is_none_or(|(a, b)| a == b);
            ages && a.program == b.program
                && a.populations == b.populations
                && a.pathway == b.pathway
                && a.provider == b.provider
        }
        (Event::Referral(Referral::PopulationAssessed(a)), Event::Referral(Referral::PopulationAssessed(b))) => {
            a.population == b.population && a.met == b.met
        }
        (Event::Outreach(Outreach::OutreachAttempted(a)), Event::Outreach(Outreach::OutreachAttempted(b))) => {
            let minutes = a.minutes.or(b.minutes);
            OutreachAttempted { minutes, ..a.clone() }
                == OutreachAttempted { minutes: b.minutes.or(a.minutes), ..b.clone() }
        }
        (held, told) => held == told,
    }
}
