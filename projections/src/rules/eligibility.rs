//! Whether a member may have a program, and why: on request, as spans (ELIG-1 to ELIG-30, GF-1 to GF-9).
//!
//! Each file below asks one question of one day and answers in [`Limb`]s; [`decide`] weighs them, and this file asks on
//! every day on which an answer can change, and joins what stays the same.

mod community_supports;
mod coverage;
mod decide;
pub mod findings;
mod grandfathering;
mod limb;
mod offerings;
mod populations;
mod programs;
pub mod table;
pub mod while_enrolled;

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use rollbook_events::codes::Channel;
use rollbook_events::{County, Envelope, Event, EventId, PlanCode, Program};

use self::decide::{Decision, decide};
use self::limb::Limb;
pub use self::limb::{Outcome, Reason};
use super::facts::Facts;
use crate::participations::{CoverageSpan, coverage_spans};
use crate::rulebook::{CoverageCode, Pair, Parameters, Selector};
use crate::spans::Span;

/// What is asked.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// The program.
    pub program: Program,
    /// Through which channel; where none is named, answers name one only where it makes a difference.
    pub channel: Option<Channel>,
    /// Of which plan.
    pub plan: &'q PlanCode,
    /// In which county.
    pub county: County,
}

/// What holds on a span of days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The program.
    pub program: Program,
    /// The channel, where one was asked for or it makes a difference.
    pub channel: Option<Channel>,
    /// The days.
    pub span: Span,
    /// Whether the member may have it.
    pub outcome: Outcome,
    /// Why, as codes.
    pub reasons: Vec<Reason>,
    /// The rules of the catalogue.
    pub rules: Vec<&'a str>,
    /// Where they are written.
    pub cites: Vec<&'a str>,
    /// The events it rests on, in the order they happened.
    pub because: Vec<EventId>,
}

/// A question about one channel, with what every file below reads.
struct Asked<'q, 'a> {
    facts: &'q Facts<'a>,
    program: Program,
    channel: Option<Channel>,
    plan: &'q PlanCode,
    county: County,
    coverage: &'q [CoverageSpan<'a>],
}

impl<'a> Asked<'_, 'a> {
    fn parameters(&self, day: NaiveDate) -> &'a Parameters {
        self.facts.rulebook.parameters(self.plan, self.county, day)
    }

    fn base(&self) -> &'a Parameters {
        self.facts.rulebook.base()
    }

    /// The standing events that had happened by a day, in the order they happened.
    fn by(&self, day: NaiveDate) -> impl DoubleEndedIterator<Item = &'a Envelope> {
        self.facts.standing.iter().copied().filter(move |envelope| envelope.occurred_at.day() <= day)
    }

    /// The rule that asks for active Medi-Cal managed care; what has none is open whatever the insurance (ELIG-3).
    fn coverage_rule(&self, code: CoverageCode, day: NaiveDate) -> Option<&'a Pair> {
        let (program, coverage) = (Selector::of(self.program), Selector::Coverage(code));
        let today = Span { from: day, until: day.succ_opt() };
        let mut pairs = self.facts.rulebook.pairs().iter();
        pairs.find(|pair| pair.a.meets(program) && pair.b.meets(coverage) && pair.in_force(today).is_some())
    }

    fn is_community_support(&self, day: NaiveDate) -> bool {
        self.program != Program::Ecm && self.coverage_rule(CoverageCode::MediCalInactive, day).is_some()
    }

    fn decide(&self, day: NaiveDate) -> Decision<'a> {
        let carried = grandfathering::limbs(self, day);
        let mut limbs: Vec<Limb<'a>> = coverage::limbs(self, day);
        limbs.extend(programs::limbs(self, day));
        limbs.extend(offerings::limbs(self, day));
        let entry = if self.program == Program::Ecm {
            limbs.extend(populations::begun(self, day));
            populations::limbs(self, day)
        } else {
            community_supports::limbs(self, day)
        };
        // CON-28: who is carried over needs to meet no entry criteria; coverage, age and limits are none.
        limbs.extend(entry.into_iter().filter(|limb| carried.is_empty() || !limb.is_unmet_entry()));
        limbs.extend(carried);
        decide(limbs)
    }
}

/// The answers to a question, in order of channel and days, from the first day anything is known of.
pub fn eligibility<'a>(facts: &Facts<'a>, question: &Question<'_>) -> Vec<Answer<'a>> {
    let coverage = coverage_spans(&facts.standing);
    let asked = |channel| Asked {
        facts,
        program: question.program,
        channel,
        plan: question.plan,
        county: question.county,
        coverage: &coverage,
    };
    let order: BTreeMap<EventId, usize> = facts.standing.iter().enumerate().map(|(at, told)| (told.id, at)).collect();
    let days = days(&asked(question.channel));
    let ends = days.iter().skip(1).map(|day| Some(*day)).chain([None]);
    let mut answers = Vec::new();
    for (from, until) in days.iter().copied().zip(ends) {
        let span = Span { from, until };
        let channels = match question.channel {
            Some(channel) => vec![Some(channel)],
            None if turns_on_channel(facts, question, from) => Channel::ALL.iter().copied().map(Some).collect(),
            None => vec![None],
        };
        let mut decided: Vec<_> = channels.into_iter().map(|one| (one, asked(one).decide(from))).collect();
        if let [(channel, first), rest @ ..] = &mut decided[..]
            && question.channel.is_none()
            && rest.iter().all(|(_, other)| other == first)
        {
            *channel = None;
            decided.truncate(1);
        }
        answers.extend(decided.into_iter().map(|(channel, decision)| decision.answer(question, channel, span, &order)));
    }
    joined(answers, &order)
}

/// Whether a rule makes a difference between channels of the program (CON-3).
fn turns_on_channel(facts: &Facts<'_>, question: &Question<'_>, day: NaiveDate) -> bool {
    let program = Selector::of(question.program);
    let parameters = facts.rulebook.parameters(question.plan, question.county, day);
    facts.rulebook.pairs().iter().any(|pair| pair.a_channel.is_some() && pair.a.meets(program))
        || parameters
            .eligibility
            .grandfathered
            .iter()
            .any(|entry| entry.channel.is_some() && entry.names(question.program))
}

/// The days on which an answer can change, from the first that a fact names.
fn days(asked: &Asked<'_, '_>) -> Vec<NaiveDate> {
    let facts = asked.facts;
    let mut told: BTreeSet<NaiveDate> = BTreeSet::new();
    for envelope in &facts.standing {
        if matches!(envelope.event, Event::OtherPrograms(_) | Event::Referral(_) | Event::Authorization(_)) {
            told.insert(envelope.occurred_at.day());
        }
    }
    let spans = facts.held.iter().map(|held| held.span).chain(facts.spans.iter().map(|of| of.span));
    let spans = spans.chain(asked.coverage.iter().map(|of| of.span)).chain(programs::suspected_spans(facts));
    told.extend(spans.flat_map(|span| [Some(span.from), span.until]).flatten());
    told.extend(community_supports::days(asked));
    let mut rules = rule_days(asked);
    if let Some(first) = told.first() {
        rules.retain(|day| day >= first);
    }
    told.append(&mut rules);
    told.into_iter().collect()
}

fn rule_days(asked: &Asked<'_, '_>) -> BTreeSet<NaiveDate> {
    let rulebook = asked.facts.rulebook;
    let mut days: BTreeSet<NaiveDate> =
        rulebook.pairs().iter().flat_map(|pair| [pair.from, pair.until]).flatten().collect();
    let headers = rulebook.overlays().iter().flat_map(|overlay| [overlay.header.from, overlay.header.until]);
    days.extend(headers.flatten().map(|day| day.0));
    // Every layer's own dates count: which of them is in force differs from day to day.
    let bounds: Vec<NaiveDate> = days.iter().copied().chain([NaiveDate::MIN]).collect();
    for day in bounds {
        let parameters = asked.parameters(day);
        let populations = parameters.population.iter().chain(&asked.base().population);
        days.extend(populations.flat_map(|rule| [Some(rule.from), rule.until]).flatten().map(|day| day.0));
        let offered = parameters.offered.iter().flat_map(|offering| [offering.from, offering.until]);
        days.extend(offered.flatten().map(|day| day.0));
        days.extend(parameters.eligibility.grandfathered.iter().map(|entry| entry.from.0));
    }
    days
}

/// Spans that touch and say the same are one; what they rest on is all of it.
fn joined<'a>(mut answers: Vec<Answer<'a>>, order: &BTreeMap<EventId, usize>) -> Vec<Answer<'a>> {
    answers.sort_by_key(|answer| (answer.channel, answer.span));
    answers.dedup_by(|later, earlier| {
        let same = later.channel == earlier.channel
            && earlier.span.until == Some(later.span.from)
            && later.outcome == earlier.outcome
            && (&later.reasons, &later.rules, &later.cites) == (&earlier.reasons, &earlier.rules, &earlier.cites);
        if same {
            earlier.span.until = later.span.until;
            earlier.because.append(&mut later.because);
            earlier.because.sort_by_key(|id| order.get(id));
            earlier.because.dedup();
        }
        same
    });
    answers
}
