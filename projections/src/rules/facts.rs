//! What every rule reads: a member's standing facts, worked out once, and the rulebook they are judged by.

use rollbook_events::Envelope;

use super::sources::by_precedence;
use crate::dossier::Dossier;
use crate::enrollment_spans::{EnrollmentSpan, enrollment_spans};
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
}

impl<'a> Facts<'a> {
    /// Works out what a dossier comes to.
    pub fn of(dossier: &'a Dossier, rulebook: &'a Rulebook) -> Self {
        let standing = dossier.standing();
        let spans = enrollment_spans(&standing);
        let held = by_precedence(&held(&standing, &spans), rulebook);
        Self { dossier, standing, spans, held, rulebook }
    }

    /// The parameters for the plan and county of an event, in force on a day.
    pub fn parameters(&self, of: &Envelope, day: chrono::NaiveDate) -> &'a Parameters {
        self.rulebook.parameters(&of.plan, of.county, day)
    }
}
