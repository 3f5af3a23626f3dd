//! An agency under contract with a plan and with the county may not serve, nor bill, one client under both (DUP-7).

use rollbook_events::families::enrollment::Enrollment;
use rollbook_events::{Envelope, Event, Program, Provider};

use super::duplication::{Overlap, Verdict, overlaps};
use super::facts::Facts;
use super::finding::{Finding, evidence};
use super::units::month_of;
use crate::participations::{Held, Identity, What};
use crate::rulebook::Outcome;
use crate::spans::Span;

/// DUP-7, B1-42: where two services conflict and one agency gives both, it has an overlapping client, and may bill two
/// sources for him; the months it recorded units in are the evidence for that.
pub fn one_agency_on_both_sides<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let mut found = Vec::new();
    for overlap in overlaps(&facts.standing, &facts.held, facts.rulebook).iter().filter(|overlap| conflicts(overlap)) {
        let (Some(one), Some(two)) = (side(facts, overlap.a), side(facts, overlap.b)) else { continue };
        let (What::Program(a), What::Program(b)) = (one.what, two.what) else { continue };
        let others = serving(facts, two, overlap.span);
        for (span, provider) in serving(facts, one, overlap.span) {
            for shared in others.iter().filter(|(_, other)| *other == provider).filter_map(|(of, _)| of.overlap(span)) {
                let sides = [one.evidence, two.evidence];
                let billed = units(facts, &[a, b], provider, shared);
                let finding = |code, because| Finding {
                    code,
                    rule: "DUP-7",
                    of: one.evidence,
                    program: Some(a),
                    about: format!("{} {}", one.identity, b.as_str()),
                    from: shared.from,
                    until: shared.until,
                    because,
                };
                found.push(finding("agency_overlap", evidence(sides)));
                found.push(finding("double_billing", evidence(sides.into_iter().chain(billed))));
            }
        }
    }
    found
}

/// A side of an overlap as the facts hold it: an overlap lives no longer than the look at it, a finding does.
fn side<'f, 'a>(facts: &'f Facts<'a>, side: &Held<'_>) -> Option<&'f Held<'a>> {
    facts.held.iter().find(|held| held.identity == side.identity)
}

fn conflicts(overlap: &Overlap<'_>) -> bool {
    matches!(overlap.verdict, Verdict::Pair(_, Outcome::Conflict))
}

/// Who serves on which of these days.
fn serving<'a>(facts: &Facts<'a>, held: &Held<'a>, days: Span) -> Vec<(Span, &'a Provider)> {
    let enrolled = facts.spans.iter().filter(|of| held.identity == Identity::of(of));
    let by_days = enrolled.flat_map(|of| of.providers.iter().copied());
    let reported = match held.identity {
        Identity::Reported(..) => held.provider.map(|provider| (held.span, provider)),
        Identity::Enrollment(..) => None,
    };
    by_days.chain(reported).filter_map(|(span, provider)| Some((span.overlap(days)?, provider))).collect()
}

/// The agency's records of units for either program in the months of these days.
fn units<'a>(facts: &Facts<'a>, programs: &[Program], provider: &Provider, days: Span) -> Vec<&'a Envelope> {
    let is_concerned = |envelope: &&&'a Envelope| {
        let Event::Enrollment(Enrollment::UnitsRecorded(e)) = &envelope.event else { return false };
        let is_theirs = programs.contains(&e.program) && e.provider == *provider && e.units > 0;
        is_theirs && month_of(e.month).is_some_and(|month| month.overlap(days).is_some())
    };
    facts.standing.iter().filter(is_concerned).copied().collect()
}
