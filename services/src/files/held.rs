//! The enrollments that stand in a dossier, as far as a return transmission file can speak of them.

use chrono::NaiveDate;
use rollbook_events::families::enrollment::{Disenrolled, Enrolled, Enrollment, LeadCareManagerAssigned};
use rollbook_events::ids::EnrollmentId;
use rollbook_events::{Envelope, Event, PlanCode, Program, Provider};
use rollbook_projections::Dossier;
use rollbook_projections::spans::Span;

/// An enrollment that stands.
pub(super) struct Held<'a> {
    pub(super) envelope: &'a Envelope,
    pub(super) enrolled: &'a Enrolled,
    /// Who serves now.
    pub(super) provider: &'a Provider,
    pub(super) ended: Option<(&'a Envelope, &'a Disenrolled)>,
    /// The lead care managers, in the order they began.
    pub(super) managers: Vec<(&'a Envelope, &'a LeadCareManagerAssigned)>,
}

impl Held<'_> {
    /// Whether the two share a day.
    pub(super) fn overlaps(&self, from: NaiveDate, until: Option<NaiveDate>) -> bool {
        let own = Span::new(self.enrolled.from.0, self.ended.map(|(_, ended)| ended.until.0));
        own.zip(Span::new(from, until)).is_some_and(|(own, other)| own.overlap(other).is_some())
    }
}

/// A plan's enrollments of the member in a program.
pub(super) fn of<'a>(dossier: &'a Dossier, plan: &PlanCode, program: Program) -> Vec<Held<'a>> {
    let mut held: Vec<Held<'a>> = Vec::new();
    let mut rest = Vec::new();
    for envelope in dossier.standing().into_iter().filter(|envelope| envelope.plan == *plan) {
        let Event::Enrollment(event) = &envelope.event else { continue };
        if let Enrollment::Enrolled(enrolled) = event
            && enrolled.program == program
        {
            let provider = &enrolled.provider;
            held.push(Held { envelope, enrolled, provider, ended: None, managers: Vec::new() });
        } else {
            rest.push((envelope, event));
        }
    }
    for (envelope, event) in rest {
        apply(&mut held, envelope, event);
    }
    held
}

fn find<'h, 'a>(held: &'h mut [Held<'a>], id: EnrollmentId) -> Option<&'h mut Held<'a>> {
    held.iter_mut().find(|held| held.enrolled.enrollment == id)
}

fn apply<'a>(held: &mut [Held<'a>], envelope: &'a Envelope, event: &'a Enrollment) {
    match event {
        Enrollment::Disenrolled(ended) => {
            if let Some(held) = find(held, ended.enrollment) {
                held.ended = Some((envelope, ended));
            }
        }
        Enrollment::Reinstated(reinstated) => {
            if let Some(held) = find(held, reinstated.enrollment) {
                held.ended = None;
            }
        }
        Enrollment::ProviderAssigned(assigned) => {
            if let Some(held) = find(held, assigned.enrollment) {
                held.provider = &assigned.provider;
            }
        }
        Enrollment::LeadCareManagerAssigned(assigned) => {
            if let Some(held) = find(held, assigned.enrollment) {
                held.managers.push((envelope, assigned));
            }
        }
        Enrollment::Enrolled(_)
        | Enrollment::ServiceStarted(_)
        | Enrollment::StayRecorded(_)
        | Enrollment::UnitsRecorded(_)
        | Enrollment::OptedOut(_)
        | Enrollment::DiscontinuationRecommended(_)
        | Enrollment::Reassessed(_) => {}
    }
}

/// Whether the member's history, voided events included, has an enrollment of that id that began on another day.
pub(super) fn has_other_start(dossier: &Dossier, id: EnrollmentId, from: NaiveDate) -> bool {
    dossier.recorded().iter().any(|recorded| {
        matches!(&recorded.envelope.event, Event::Enrollment(Enrollment::Enrolled(enrolled))
            if enrolled.enrollment == id && enrolled.from.0 != from)
    })
}
