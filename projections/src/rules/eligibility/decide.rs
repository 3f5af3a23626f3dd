//! What the limbs of a day come to.

use std::collections::BTreeMap;

use rollbook_events::EventId;
use rollbook_events::codes::Channel;

use super::limb::{Limb, Weight};
use super::{Answer, Outcome, Question, Reason};
use crate::spans::Span;

/// What holds on a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decision<'a> {
    outcome: Outcome,
    reasons: Vec<Reason>,
    rules: Vec<&'a str>,
    cites: Vec<&'a str>,
    because: Vec<EventId>,
}

/// The limb that weighs most decides. Where it rules the program out, what is told is why; where it leaves it open, all
/// that bears on it.
pub(super) fn decide<'a>(mut limbs: Vec<Limb<'a>>) -> Decision<'a> {
    limbs.sort_by_key(|limb| (limb.weight, limb.outcome));
    let Some((weight, outcome)) = limbs.first().map(|limb| (limb.weight, limb.outcome)) else {
        let (rules, cites, because) = (Vec::new(), Vec::new(), Vec::new());
        return Decision { outcome: Outcome::Allow, reasons: Vec::new(), rules, cites, because };
    };
    let rules_out = weight < Weight::Question;
    limbs.retain(|limb| !rules_out || limb.weight == weight);
    let mut decision =
        Decision { outcome, reasons: Vec::new(), rules: Vec::new(), cites: Vec::new(), because: Vec::new() };
    for limb in limbs {
        add(&mut decision.reasons, limb.reasons);
        add(&mut decision.rules, limb.rule);
        // A citation of several places is several citations, so that each stands once.
        add(&mut decision.cites, limb.cites.into_iter().flat_map(|cite| cite.split("; ")));
        add(&mut decision.because, limb.because.iter().map(|envelope| envelope.id));
    }
    decision
}

fn add<T: PartialEq>(known: &mut Vec<T>, more: impl IntoIterator<Item = T>) {
    for one in more {
        if !known.contains(&one) {
            known.push(one);
        }
    }
}

impl<'a> Decision<'a> {
    pub fn answer(
        self,
        question: &Question<'_>,
        channel: Option<Channel>,
        span: Span,
        order: &BTreeMap<EventId, usize>,
    ) -> Answer<'a> {
        let mut because = self.because;
        because.sort_by_key(|id| order.get(id));
        Answer {
            program: question.program,
            channel,
            span,
            outcome: self.outcome,
            reasons: self.reasons,
            rules: self.rules,
            cites: self.cites,
            because,
        }
    }
}
