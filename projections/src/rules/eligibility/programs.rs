//! Programs beside the one that is asked about: what excludes it, what the member must choose against, what asks for
//! coordination, what is disputed, and what is only suspected (DUP-1 to DUP-11, EXC-1 to EXC-20).

use chrono::NaiveDate;
use rollbook_events::codes::{Channel, Evidence};
use rollbook_events::families::other_programs::{OtherPrograms, ParticipationReported, ProgramChosen};
use rollbook_events::families::referral::Referral;
use rollbook_events::{Envelope, Event, PlanCode, Program};

use super::Asked;
use super::limb::{Limb, Outcome, Reason, Weight};
use crate::participations::{Held, What};
use crate::rulebook::{self, Pair, Selector};
use crate::rules::facts::Facts;
use crate::spans::Span;

pub(super) fn limbs<'a>(asked: &Asked<'_, 'a>, day: NaiveDate) -> Vec<Limb<'a>> {
    let mut limbs = Vec::new();
    for held in asked.facts.held.iter().filter(|held| held.span.holds(day)) {
        let What::Program(other) = held.what else { continue };
        for pair in against(asked, Selector::of(other), held.channel, day) {
            let limb = match chosen(asked, other, held, day) {
                // DUP-9: who has chosen this program has no more to choose, though the other has yet to end.
                Some(by) if pair.outcome_by(asked.parameters(day)) == rulebook::Outcome::Choose => {
                    Limb::new(Weight::Open, Outcome::Allow).rule(&pair.id, &pair.cite).because([by])
                }
                _ => limb(asked, pair, day),
            };
            limbs.push(limb.because([held.evidence]));
        }
    }
    for suspicion in suspicions(asked.facts).into_iter().filter(|suspicion| suspicion.span.holds(day)) {
        let matters = against(asked, Selector::of(suspicion.program), None, day).any(|pair| {
            let outcome = pair.outcome_by(asked.parameters(day));
            matches!(outcome, rulebook::Outcome::Choose | rulebook::Outcome::Exclude | rulebook::Outcome::Conflict)
        });
        if matters {
            let limb = Limb::new(Weight::Suspicion, Outcome::Unverified).reason(Reason::Suspected);
            let source = asked.base().eligibility.suspicion.as_ref();
            let limb = source.into_iter().fold(limb, |limb, source| limb.rule(&source.rule, &source.cite));
            limbs.push(limb.because([suspicion.evidence]));
        }
    }
    limbs
}

/// The pairs of a day that speak of the program asked about and of another, which runs through a channel.
pub(super) fn against<'a>(
    asked: &Asked<'_, 'a>,
    other: Selector,
    channel: Option<Channel>,
    day: NaiveDate,
) -> impl Iterator<Item = &'a Pair> {
    let (program, own_channel) = (Selector::of(asked.program), asked.channel);
    let today = Span { from: day, until: day.succ_opt() };
    asked.facts.rulebook.pairs().iter().filter(move |pair| {
        let first = pair.a.meets(program) && pair.b.meets(other);
        let second = pair.b.meets(program) && pair.a.meets(other);
        let named = |channel: Option<Channel>| pair.a_channel.is_none_or(|named| channel == Some(named));
        (first && named(own_channel) || second && named(channel)) && pair.in_force(today).is_some()
    })
}

/// What a pair comes to for the program asked about.
pub(super) fn limb<'a>(asked: &Asked<'_, 'a>, pair: &'a Pair, day: NaiveDate) -> Limb<'a> {
    let outcome = pair.outcome_by(asked.parameters(day));
    let limb = match outcome {
        rulebook::Outcome::Allow => Limb::new(Weight::Open, Outcome::Allow),
        rulebook::Outcome::AllowCoordinated => Limb::new(Weight::Coordination, Outcome::AllowCoordinated),
        rulebook::Outcome::Choose => Limb::new(Weight::Choice, Outcome::Choose).reason(Reason::MustChoose),
        // ELIG-18: for housing support a duplicative program is an exclusion criterion.
        rulebook::Outcome::Conflict | rulebook::Outcome::Exclude => {
            Limb::new(Weight::Exclusion, Outcome::Exclude).reason(Reason::ExcludedProgram)
        }
        rulebook::Outcome::NotEligible => {
            Limb::new(Weight::Exclusion, Outcome::NotEligible).reason(Reason::ExcludedProgram)
        }
        rulebook::Outcome::Review => Limb::new(Weight::Question, Outcome::Review).reason(Reason::Disputed),
    };
    let mut limb = limb.rule(&pair.id, &pair.cite);
    // A dispute is shown with both its sides, also where the plan has decided it.
    let dispute = asked.base().contradiction.iter().filter(|entry| Some(&entry.id) == pair.disputed.as_ref());
    if outcome != pair.outcome || outcome == rulebook::Outcome::Review {
        limb.cites.extend(dispute.flat_map(|entry| entry.cites.iter().map(String::as_str)));
    }
    limb
}

/// The choice that settles a pair on a day: the last one between the two while the other ran, if it is for the program
/// asked about.
fn chosen<'a>(asked: &Asked<'_, 'a>, other: Program, held: &Held<'a>, day: NaiveDate) -> Option<&'a Envelope> {
    let mut choices = asked.by(day).filter_map(|envelope| {
        let Event::OtherPrograms(OtherPrograms::ProgramChosen(choice)) = &envelope.event else { return None };
        Some((envelope, choice))
    });
    let between = |choice: &ProgramChosen, chosen: Program, given_up: Program| {
        choice.chosen == chosen && (choice.given_up.is_empty() || choice.given_up.contains(&given_up))
    };
    let last = choices.rfind(|(envelope, choice)| {
        held.span.holds(envelope.occurred_at.day())
            && (between(choice, asked.program, other) || between(choice, other, asked.program))
    });
    last.and_then(|(envelope, choice)| (choice.chosen == asked.program).then_some(envelope))
}

/// A program that is suspected, and not verified or ruled out since (DUP-11).
#[derive(Debug, Clone, Copy)]
pub(super) struct Suspicion<'a> {
    pub program: Program,
    pub span: Span,
    pub evidence: &'a Envelope,
}

pub(super) fn suspected_spans<'a>(facts: &Facts<'a>) -> impl Iterator<Item = Span> + use<'a> {
    suspicions(facts).into_iter().map(|suspicion| suspicion.span)
}

/// Every suspicion: of a referral from its day on, of a report on the days it names, or from its own day on.
pub(super) fn suspicions<'a>(facts: &Facts<'a>) -> Vec<Suspicion<'a>> {
    let mut found = Vec::new();
    for envelope in facts.standing.iter().copied() {
        let Event::Referral(Referral::ReferralReceived(referral)) = &envelope.event else { continue };
        let from = envelope.occurred_at.day();
        let open = referral.suspected_programs.iter().filter(|program| !is_settled(facts, **program, from));
        let span = Span { from, until: None };
        found.extend(open.map(|program| Suspicion { program: *program, span, evidence: envelope }));
    }
    for (evidence, report) in reports(facts) {
        let from = report.from.map_or(evidence.occurred_at.day(), |day| day.0);
        let span = Span::new(from, report.until.map(|day| day.0));
        let open = span.filter(|_| report.evidence == Evidence::Suspected && stands(facts, evidence, report));
        found.extend(open.map(|span| Suspicion { program: report.program, span, evidence }));
    }
    found
}

fn reports<'a>(facts: &Facts<'a>) -> impl Iterator<Item = (&'a Envelope, &'a ParticipationReported)> {
    facts.standing.iter().filter_map(|envelope| {
        let Event::OtherPrograms(OtherPrograms::ParticipationReported(report)) = &envelope.event else { return None };
        Some((*envelope, report))
    })
}

/// Whether somebody has told since the day of a referral what the suspicion comes to.
fn is_settled(facts: &Facts<'_>, program: Program, since: NaiveDate) -> bool {
    reports(facts).any(|(envelope, report)| {
        report.program == program && report.evidence != Evidence::Suspected && envelope.occurred_at.day() >= since
    })
}

/// Whether nothing later of the same plan takes a suspicion's place.
fn stands(facts: &Facts<'_>, envelope: &Envelope, suspected: &ParticipationReported) -> bool {
    let same = |plan: &PlanCode, report: &ParticipationReported| {
        let whole = report.from.is_none() && report.evidence == Evidence::RuledOut;
        *plan == envelope.plan && report.program == suspected.program && (report.from == suspected.from || whole)
    };
    let last = reports(facts).filter(|(of, report)| same(&of.plan, report)).last();
    last.is_none_or(|(of, _)| of.id == envelope.id)
}
