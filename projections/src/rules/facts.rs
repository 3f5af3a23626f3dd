//! What every rule reads: a member's standing facts, worked out once, and the rulebook they are judged by.

use std::cell::OnceCell;

use rollbook_events::Envelope;

use super::authorizations::{self, Authorization};
use super::notices::records::{self, Record};
use super::sources::by_precedence;
use crate::dossier::Dossier;
use crate::enrollment_spans::{EnrollmentSpan, enrollment_spans};
use crate::outreach_episodes::{self, Episode};
use crate::participations::{Held, held};
use crate::rulebook::{Parameters, Rulebook};

/// The facts about one member that stand, and what they come to.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The dossier they are of, voided events and determinations included.
    pub dossier: &'a Dossier,
    /// The events that stand, in the order they happened.
    pub standing: Vec<&'a Envelope>,
    /// The spans of every enrollment.
    pub spans: Vec<EnrollmentSpan<'a>>,
    /// Everything held, from whichever source.
    pub held: Vec<Held<'a>>,
    /// The rules' numbers.
    pub rulebook: &'a Rulebook,
    authorizations: OnceCell<Vec<Authorization<'a>>>,
    episodes: OnceCell<Vec<Episode<'a>>>,
    records: OnceCell<Vec<Record<'a>>>,
}

impl<'a> Facts<'a> {
    /// Works out what a dossier comes to.
    pub fn of(dossier: &'a Dossier, rulebook: &'a Rulebook) -> Self {
        let standing = dossier.standing();
        let spans = enrollment_spans(&standing);
        let held = by_precedence(&held(&standing, &spans), rulebook);
        let (authorizations, episodes, records) = (OnceCell::new(), OnceCell::new(), OnceCell::new());
        Self { dossier, standing, spans, held, rulebook, authorizations, episodes, records }
    }

    /// What was asked for and decided; worked out when it is first wanted, as several views and rules want it.
    pub fn authorizations(&self) -> &[Authorization<'a>] {
        self.authorizations.get_or_init(|| authorizations::authorizations(self))
    }

    /// Outreach as episodes; worked out when it is first wanted.
    pub fn episodes(&self) -> &[Episode<'a>] {
        self.episodes.get_or_init(|| outreach_episodes::outreach_episodes(self))
    }

    /// Determinations with what became of them; worked out when it is first wanted.
    pub fn records(&self) -> &[Record<'a>] {
        self.records.get_or_init(|| records::records(self))
    }

    /// The parameters for the plan and county of an event, in force on a day.
    pub fn parameters(&self, of: &Envelope, day: chrono::NaiveDate) -> &'a Parameters {
        self.rulebook.parameters(&of.plan, of.county, day)
    }
}
