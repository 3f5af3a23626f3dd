//! Two sources on one thing: both are kept, whoever runs the program has the word, and that they differ is said (B8-06).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rollbook_events::codes::Evidence;
use rollbook_events::families::other_programs::OtherPrograms;
use rollbook_events::{Envelope, Event, PlanCode, Program};

use super::facts::Facts;
use super::finding::{Finding, evidence};
use crate::participations::{Held, Identity, What};
use crate::rulebook::Rulebook;
use crate::spans::Span;

/// Who tells: an organization, through a system.
type Source<'a> = (&'a PlanCode, Option<&'a str>);

/// What one source says of one part in a program.
struct Word<'a> {
    program: Program,
    source: Source<'a>,
    span: Span,
    by: &'a Envelope,
    is_enrollment: bool,
}

/// B8-06: two sources give the same part in a program different ends.
pub fn different_ends<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let words = words(facts);
    let mut found = Vec::new();
    for (index, one) in words.iter().enumerate() {
        for two in words.iter().skip(index + 1) {
            if let Some(days) = disputed(one, two) {
                let (plan, system) = one.source;
                let source = system.map_or_else(|| plan.to_string(), |system| format!("{plan} {system}"));
                found.push(Finding {
                    code: "sources_disagree",
                    rule: "B8-06",
                    of: two.by,
                    program: Some(two.program),
                    about: format!("{source} {}", one.span.from),
                    from: days.from,
                    until: days.until,
                    because: evidence([one.by, two.by]),
                });
            }
        }
    }
    found
}

/// The days on which one says that it goes on and the other that it does not.
fn disputed(one: &Word<'_>, two: &Word<'_>) -> Option<Span> {
    // Two enrollments are two parts in a program, not two words on one.
    if one.program != two.program || one.source == two.source || (one.is_enrollment && two.is_enrollment) {
        return None;
    }
    one.span.overlap(two.span)?;
    // Who spoke before the end may not have known of it.
    let knew = |word: &Word<'_>, end: NaiveDate| word.span.until.is_some() || word.by.occurred_at.day() >= end;
    match (one.span.until, two.span.until) {
        (Some(a), Some(b)) => Span::new(a.min(b), Some(a.max(b))),
        (Some(end), None) => knew(two, end).then_some(Span { from: end, until: None }),
        (None, Some(end)) => knew(one, end).then_some(Span { from: end, until: None }),
        (None, None) => None,
    }
}

/// What every source says, in the order they spoke; of one source, the last word on each first day.
fn words<'a>(facts: &Facts<'a>) -> Vec<Word<'a>> {
    let mut last: BTreeMap<(Source<'a>, Program, NaiveDate), Option<Word<'a>>> = BTreeMap::new();
    for by in &facts.standing {
        if let Event::OtherPrograms(OtherPrograms::ParticipationReported(report)) = &by.event
            && let Some(from) = report.from
        {
            let (source, program) = (source(by), report.program);
            let span = Span::new(from.0, report.until.map(|day| day.0));
            let span = span.filter(|_| report.evidence == Evidence::Verified);
            let word = span.map(|span| Word { program, source, span, by, is_enrollment: false });
            last.insert((source, program, from.0), word);
        }
    }
    let enrolled = facts.spans.iter().map(|of| {
        let by = of.closed.map_or(of.report, |(by, _)| by);
        Word { program: of.enrolled.program, source: source(by), span: of.span, by, is_enrollment: true }
    });
    let mut words: Vec<Word<'a>> = last.into_values().flatten().chain(enrolled).collect();
    words.sort_by_key(|word| (word.by.occurred_at.earliest().utc(), word.by.id, word.span));
    words
}

fn source(by: &Envelope) -> Source<'_> {
    (&by.plan, by.source.as_ref().map(|source| source.system.as_str()))
}

/// Leaves out what others report of a program on days of which its own agency speaks.
pub(super) fn by_precedence<'a>(held: &[Held<'a>], rulebook: &'a Rulebook) -> Vec<Held<'a>> {
    let gives_way = |one: &Held<'a>| {
        let (What::Program(program), Identity::Reported(..)) = (one.what, one.identity) else { return false };
        let run_by = &rulebook.parameters(one.plan(), one.evidence.county, one.span.from).services.run_by;
        let runs = |plan: &PlanCode| run_by.iter().any(|of| of.plan == *plan && of.programs.contains(&program));
        let speaks = |own: &Held<'a>| own.what == one.what && runs(own.plan()) && own.span.overlap(one.span).is_some();
        !runs(one.plan()) && held.iter().any(speaks)
    };
    held.iter().filter(|one| !gives_way(one)).copied().collect()
}
