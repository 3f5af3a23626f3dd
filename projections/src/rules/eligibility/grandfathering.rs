//! Members carried over from Whole Person Care and the Health Homes Program (GF-1 to GF-9): entry criteria are waived,
//! nothing else (CON-28). An entitlement is an answer; no enrollment is derived from it.

use chrono::NaiveDate;
use rollbook_events::codes::Basis;
use rollbook_events::families::who::Who;
use rollbook_events::{Envelope, Event, Program};

use super::limb::{Limb, Outcome, Reason, Weight};
use super::{Asked, coverage};
use crate::participations::{Held, What};
use crate::rulebook::{ByHousing, Grandfathering};

impl Grandfathering {
    /// Whether it may carry a member over into a program.
    pub(super) fn names(&self, program: Program) -> bool {
        let housing = self.by_housing.as_ref();
        self.into.contains(&program) || housing.is_some_and(|by| by.unhoused == program || by.housed == program)
    }
}

pub(super) fn limbs<'a>(asked: &Asked<'_, 'a>, day: NaiveDate) -> Vec<Limb<'a>> {
    let entries = asked.parameters(day).eligibility.grandfathered.iter();
    let mut limbs: Vec<Limb<'a>> = Vec::new();
    if !is_over(asked, day) {
        limbs.extend(entries.filter(|entry| entry.from.0 <= day).filter_map(|entry| entitled(asked, entry)));
    }
    limbs.extend(enrolled(asked, day));
    limbs
}

fn reason(predecessor: Program) -> Reason {
    if predecessor == Program::Hhp { Reason::GrandfatheredHhp } else { Reason::GrandfatheredWpc }
}

/// Whether an entry carries the member over into the program asked about: each of its conditions by itself (CON-4).
fn entitled<'a>(asked: &Asked<'_, 'a>, entry: &'a Grandfathering) -> Option<Limb<'a>> {
    let here = entry.counties.is_empty() || entry.counties.contains(&asked.county);
    let channel = entry.channel.is_none_or(|channel| asked.channel == Some(channel));
    let in_managed_care = entry.managed_care_on.is_none_or(|on| coverage::is_managed_care(asked, on.0));
    if !entry.names(asked.program) || !here || !channel || !in_managed_care {
        return None;
    }
    let limb = Limb::new(Weight::Open, Outcome::Allow).reason(reason(entry.predecessor)).rule(&entry.rule, &entry.cite);
    let predecessor = held(asked, |of| of.what == What::Program(entry.predecessor) && of.span.holds(entry.held_on.0))?;
    let mut limb = limb.because([predecessor.evidence]);
    if !entry.besides.is_empty() {
        let besides = held(asked, |of| {
            let is_one = entry.besides.iter().any(|program| of.what == What::Program(*program));
            let on = entry.besides_on.is_none_or(|on| of.span.holds(on.0));
            is_one && on && entry.besides_before.is_none_or(|before| of.span.from < before.0)
        })?;
        limb = limb.because([besides.evidence]);
    }
    match &entry.by_housing {
        Some(by) if !entry.into.contains(&asked.program) => housed(asked, by, limb),
        _ => Some(limb),
    }
}

fn held<'q, 'a>(asked: &Asked<'q, 'a>, test: impl Fn(&Held<'a>) -> bool) -> Option<&'q Held<'a>> {
    asked.facts.held.iter().find(|held| test(held))
}

/// GF-4, GF-5: what counts is how the member was last seen by that day; what nobody saw decides nothing.
fn housed<'a>(asked: &Asked<'_, 'a>, by: &'a ByHousing, limb: Limb<'a>) -> Option<Limb<'a>> {
    let seen = asked.facts.standing.iter().filter_map(|envelope| {
        let Event::Who(Who::HousingObserved(seen)) = &envelope.event else { return None };
        (seen.on.0 <= by.on.0).then_some((*envelope, seen))
    });
    let (envelope, last) = seen.max_by_key(|(_, seen)| seen.on)?;
    let program = if last.housed { by.housed } else { by.unhoused };
    (program == asked.program).then(|| limb.because([envelope]))
}

/// Whether an enrollment in the program has ended and none runs or follows: who comes back enters like anyone else.
fn is_over(asked: &Asked<'_, '_>, day: NaiveDate) -> bool {
    let mut of_program = asked.facts.spans.iter().filter(|of| of.enrolled.program == asked.program).peekable();
    of_program.peek().is_some() && of_program.all(|of| of.span.until.is_some_and(|until| until <= day))
}

/// An enrollment that rests on being carried over, as long as it lasts.
fn enrolled<'a>(asked: &Asked<'_, 'a>, day: NaiveDate) -> Option<Limb<'a>> {
    let carried = |basis| match basis {
        Basis::GrandfatheredWpc => Some(Program::Wpc),
        Basis::GrandfatheredHhp => Some(Program::Hhp),
        Basis::OptIn | Basis::AutoDhsMatch | Basis::Presumptive => None,
    };
    let spans = asked.facts.spans.iter().filter(|of| of.enrolled.program == asked.program);
    let (report, predecessor): (&'a Envelope, Program) = spans
        .filter(|of| {
            of.segments.iter().any(|part| part.span.holds(day) && asked.channel.is_none_or(|c| c == part.channel))
        })
        .find_map(|of| carried(of.enrolled.basis).map(|predecessor| (of.report, predecessor)))?;
    let mut entries = asked.parameters(day).eligibility.grandfathered.iter();
    let entry = entries.find(|entry| entry.predecessor == predecessor && entry.names(asked.program));
    let limb = Limb::new(Weight::Open, Outcome::Allow).reason(reason(predecessor)).because([report]);
    Some(entry.into_iter().fold(limb, |limb, entry| limb.rule(&entry.rule, &entry.cite)))
}
