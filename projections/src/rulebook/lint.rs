//! What a plan's file may not say: rules that an issuer may not narrow, and entries that contradict each other.

use super::lines::{Step, offset_of};
use super::overlays::typed;
use super::{AgeGroup, DecisionClock, Offering, Overlay, Parameters, PopulationRule, RulebookError};
use crate::spans::Span;
use rollbook_events::{County, Program};

/// Something a plan's file may not say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The line of the file, from 1, what is wrong there, and the line as it is written.
    pub at: RulebookError,
    /// The rule of the catalogue it would break, where it breaks one.
    pub rule: Option<&'static str>,
}

/// A check of a file's own parameters against those it is laid over.
type Check = fn(&Written<'_>) -> Vec<Refusal>;

/// Every check.
const CHECKS: &[Check] =
    &[populations_stay, supports_stay_open, supports_stay_whole, offers_do_not_overlap, clocks_do_not_overlap];

struct Written<'a> {
    overlay: &'a Overlay,
    own: Parameters,
    base: &'a Parameters,
}

impl Written<'_> {
    fn refuse(&self, rule: Option<&'static str>, steps: &[Step<'_>], problem: String) -> Refusal {
        let offset = offset_of(&self.overlay.text, steps);
        Refusal { at: RulebookError::at(&self.overlay.text, offset, problem), rule }
    }
}

fn key(key: &str) -> Step<'_> {
    Step::Key(key.into())
}

/// Everything a plan's file says that it may not, in the order of its lines.
pub(super) fn lint(base: &Parameters, overlay: &Overlay) -> Vec<Refusal> {
    // What cannot be read was refused when the overlay was parsed.
    let Ok(own) = typed(&overlay.text, overlay.table.clone()) else { return Vec::new() };
    let written = Written { overlay, own, base };
    let mut refused: Vec<Refusal> = CHECKS.iter().flat_map(|check| check(&written)).collect();
    refused.sort_by_key(|refusal| refusal.at.line);
    refused
}

/// ELIG-7: a plan may not narrow a Population of Focus: whom the built-in edition names, the file must name as well.
fn populations_stay(written: &Written<'_>) -> Vec<Refusal> {
    let own = &written.own.population;
    let county = written.overlay.header.county;
    let named = |rule: &&PopulationRule| county.is_none_or(|c| rule.counties.is_empty() || rule.counties.contains(&c));
    let mut refused = Vec::new();
    for (index, entry) in own.iter().enumerate() {
        let first = own.iter().position(|other| other.population == entry.population) == Some(index);
        let of = |rule: &&PopulationRule| rule.population == entry.population;
        let uncovered = |rule: &&PopulationRule| !own.iter().any(|by| covers(by, rule, county));
        let mut rules = written.base.population.iter().filter(of).filter(named).filter(uncovered);
        // One word on a population is enough to look at all of its entries.
        if let Some(rule) = rules.next().filter(|_| first) {
            let problem = format!(
                "narrows the population {} ({}), live from {}: a plan may add to whom it reaches, never take away",
                rule.population, rule.rule, rule.from
            );
            refused.push(written.refuse(Some("ELIG-7"), &[key("population"), Step::Entry(index)], problem));
        }
    }
    refused
}

fn covers(by: &PopulationRule, rule: &PopulationRule, only: Option<County>) -> bool {
    let ages = by.age_group == AgeGroup::Any || by.age_group == rule.age_group;
    let counties = by.counties.is_empty()
        || only.is_some_and(|county| by.counties.contains(&county))
        || (!rule.counties.is_empty() && rule.counties.iter().all(|county| by.counties.contains(county)));
    let until = by.until.is_none_or(|until| rule.until.is_some_and(|other| other <= until));
    by.population == rule.population && ages && counties && by.from <= rule.from && until
}

/// ELIG-14: a Community Support may not be kept for those in ECM; one way among several it may be (CON-19).
fn supports_stay_open(written: &Written<'_>) -> Vec<Refusal> {
    let gated = written.own.offered.iter().enumerate().filter(|(_, offer)| {
        !offer.requires_any.is_empty()
            && offer.requires_any.iter().all(|way| way == "ecm" || way == "wpc" || way == "hhp")
    });
    let refuse = |(index, offer): (usize, &Offering)| {
        let problem = format!(
            "requires {} for {}: a Community Support may not be limited to members of another program",
            offer.requires_any.join(" or "),
            offer.program
        );
        written.refuse(Some("ELIG-14"), &[key("offered"), Step::Entry(index), key("requires_any")], problem)
    };
    gated.map(refuse).collect()
}

/// ELIG-16: a plan may not change what a service consists of.
fn supports_stay_whole(written: &Written<'_>) -> Vec<Refusal> {
    let partial = written.own.offered.iter().enumerate().filter(|(_, offer)| !offer.without.is_empty());
    let refuse = |(index, offer): (usize, &Offering)| {
        let problem = format!(
            "offers {} without {}: a plan offers a service whole or not at all",
            offer.program,
            offer.without.join(", ")
        );
        written.refuse(Some("ELIG-16"), &[key("offered"), Step::Entry(index), key("without")], problem)
    };
    partial.map(refuse).collect()
}

/// Two entries on one service, plan and county must not speak of the same day.
fn offers_do_not_overlap(written: &Written<'_>) -> Vec<Refusal> {
    let offers = &written.own.offered;
    let days = |offer: &Offering| Span {
        from: offer.from.map_or(chrono::NaiveDate::MIN, |day| day.0),
        until: offer.until.map(|day| day.0),
    };
    let same =
        |one: &Offering, two: &Offering| (one.program, &one.plan, one.county) == (two.program, &two.plan, two.county);
    let overlap = |one: &Offering, two: &Offering| same(one, two) && days(one).overlap(days(two)).is_some();
    overlapping(written, &[key("offered")], offers, overlap, |offer| offer.program.to_string())
}

/// Two clocks of one rule for one kind of request must not speak of the same day.
fn clocks_do_not_overlap(written: &Written<'_>) -> Vec<Refusal> {
    let days = |clock: &DecisionClock| Span {
        from: clock.from.map_or(chrono::NaiveDate::MIN, |day| day.0),
        until: clock.until.map(|day| day.0),
    };
    let clocks = &written.own.authorization.clock;
    let meet = |one: &[Program], two: &[Program]| {
        one.is_empty() || two.is_empty() || one.iter().any(|program| two.contains(program))
    };
    let same = |one: &DecisionClock, two: &DecisionClock| {
        (&one.rule, one.urgency) == (&two.rule, two.urgency) && meet(&one.programs, &two.programs)
    };
    let overlap = |one: &DecisionClock, two: &DecisionClock| same(one, two) && days(one).overlap(days(two)).is_some();
    overlapping(written, &[key("authorization"), key("clock")], clocks, overlap, |clock| clock.rule.clone())
}

fn overlapping<T>(
    written: &Written<'_>,
    list: &[Step<'_>],
    entries: &[T],
    overlap: impl Fn(&T, &T) -> bool,
    name: impl Fn(&T) -> String,
) -> Vec<Refusal> {
    let mut found = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        if entries.iter().take(index).any(|earlier| overlap(earlier, entry)) {
            let problem = format!("{}: another entry of the list speaks of the same day", name(entry));
            let place: Vec<Step<'_>> = list.iter().cloned().chain([Step::Entry(index)]).collect();
            found.push(written.refuse(None, &place, problem));
        }
    }
    found
}
