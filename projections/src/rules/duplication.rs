//! What follows where two things run at once (DUP-1 to DUP-8, EXC-1 to EXC-20), and what the member chose (DUP-9).

use std::cmp::Ordering;

use rollbook_events::families::other_programs::{OtherPrograms, ProgramChosen};
use rollbook_events::{Envelope, Event};

use crate::participations::{Held, Identity, What};
use crate::rulebook::{Header, Outcome, Pair, Rulebook, SameProgram};
use crate::spans::{Layer, Span};

/// Which rule speaks.
#[derive(Debug, Clone, Copy)]
pub enum Verdict<'r> {
    /// One of the program matrix, and what follows by the rules of the first side's plan.
    Pair(&'r Pair, Outcome),
    /// Two enrollments in one program.
    SameProgram(&'r SameProgram),
}

impl<'r> Verdict<'r> {
    /// What follows.
    pub fn outcome(self) -> &'static str {
        match self {
            Self::Pair(_, outcome) => outcome.as_str(),
            Self::SameProgram(_) => "duplicate_enrollment",
        }
    }

    /// The rule's id.
    pub fn rule(self) -> &'r str {
        match self {
            Self::Pair(pair, _) => &pair.id,
            Self::SameProgram(rule) => &rule.id,
        }
    }

    /// Where it is written.
    pub fn cite(self) -> &'r str {
        match self {
            Self::Pair(pair, _) => &pair.cite,
            Self::SameProgram(rule) => &rule.cite,
        }
    }

    /// Whether the member's choice settles it (DUP-9); from what excludes there is nothing to choose (DUP-10).
    fn is_chosen_between(self) -> bool {
        matches!(self, Self::Pair(_, Outcome::Choose | Outcome::Conflict))
    }
}

/// Two things that run at once, and what follows.
#[derive(Debug, Clone, Copy)]
pub struct Overlap<'a> {
    /// The rule.
    pub verdict: Verdict<'a>,
    /// The side the rule names first; of two enrollments in one program, the one whose id sorts first.
    pub a: &'a Held<'a>,
    /// The other.
    pub b: &'a Held<'a>,
    /// The days on which both run and the rule is in force.
    pub span: Span,
    /// What the member chose.
    pub choice: Option<(&'a Envelope, &'a ProgramChosen)>,
}

/// Every overlap that a rule speaks of, in an order that only the facts decide.
pub fn overlaps<'a>(standing: &[&'a Envelope], held: &'a [Held<'a>], rulebook: &'a Rulebook) -> Vec<Overlap<'a>> {
    let mut found = Vec::new();
    for (index, one) in held.iter().enumerate() {
        for two in held.iter().skip(index + 1) {
            if let Some(span) = one.span.overlap(two.span) {
                judge(one, two, span, rulebook, &mut found);
            }
        }
    }
    found.sort_by(|x, y| same_row(x, y).then(x.span.cmp(&y.span)));
    // A change of provider or of a channel that the rule does not name does not end an overlap.
    found.dedup_by(|later, earlier| {
        // What a plan's own word on a dispute changed is another row from that day.
        let is_same = same_row(later, earlier).is_eq() && later.verdict.outcome() == earlier.verdict.outcome();
        let goes_on = is_same && earlier.span.until == Some(later.span.from);
        if goes_on {
            *earlier = Overlap { span: Span { from: earlier.span.from, until: later.span.until }, ..*later };
        }
        goes_on
    });
    choose(standing, &mut found);
    found
}

fn same_row(x: &Overlap<'_>, y: &Overlap<'_>) -> Ordering {
    let sides = (x.a.identity, x.b.identity).cmp(&(y.a.identity, y.b.identity));
    sides.then_with(|| x.verdict.rule().cmp(y.verdict.rule()))
}

fn judge<'a>(one: &'a Held<'a>, two: &'a Held<'a>, span: Span, rulebook: &'a Rulebook, found: &mut Vec<Overlap<'a>>) {
    if let (What::Program(program), What::Program(other)) = (one.what, two.what)
        && program == other
    {
        let (a, b) = if one.identity <= two.identity { (one, two) } else { (two, one) };
        // Only enrollments: that another plan or agency reports the same part in a program is no second one.
        if is_enrollment(a) && is_enrollment(b) && a.identity != b.identity {
            found.push(Overlap { verdict: Verdict::SameProgram(rulebook.same_program()), a, b, span, choice: None });
        }
        return;
    }
    for pair in rulebook.pairs() {
        let sides = if speaks_of(pair, one, two) {
            (one, two)
        } else if speaks_of(pair, two, one) {
            (two, one)
        } else {
            continue;
        };
        for span in pair.in_force(span).into_iter().flat_map(|span| parts(sides.0, span, rulebook)) {
            let record = sides.0.evidence;
            let outcome = pair.outcome_by(rulebook.parameters(&record.plan, record.county, span.from));
            if outcome != Outcome::Allow {
                let verdict = Verdict::Pair(pair, outcome);
                found.push(Overlap { verdict, a: sides.0, b: sides.1, span, choice: None });
            }
        }
    }
}

/// The span of an overlap, in parts where a plan's own word on what the sources dispute begins or ends inside it.
fn parts<'r>(a: &Held<'_>, span: Span, rulebook: &'r Rulebook) -> impl Iterator<Item = Span> + use<'r> {
    let record = a.evidence;
    let of_plan = |header: &Header| header.plan.as_ref().is_none_or(|plan| *plan == record.plan);
    let words = rulebook.overlays().iter().map(|overlay| &overlay.header);
    let words = words.filter(|header| of_plan(header));
    let layers: Vec<Layer<()>> = words
        .filter_map(|header| {
            let from = header.from.map_or(span.from, |day| day.0);
            Some((Span::new(from, header.until.map(|day| day.0))?, ()))
        })
        .collect();
    let parts: Vec<Span> = span.cut_by(&layers).collect();
    parts.into_iter()
}

fn is_enrollment(held: &Held<'_>) -> bool {
    matches!(held.identity, Identity::Enrollment(..))
}

/// CON-3: where the rule names a channel, only that channel falls under it; one that nobody reported is not guessed.
fn speaks_of(pair: &Pair, a: &Held<'_>, b: &Held<'_>) -> bool {
    pair.a.meets(a.what.selector())
        && pair.b.meets(b.what.selector())
        && pair.a_channel.is_none_or(|channel| a.channel == Some(channel))
}

/// A choice settles the pair's overlap that had not ended on that day; where several had not, the first of them. A
/// later choice takes the place of an earlier one.
fn choose<'a>(standing: &[&'a Envelope], found: &mut [Overlap<'a>]) {
    for envelope in standing {
        let Event::OtherPrograms(OtherPrograms::ProgramChosen(choice)) = &envelope.event else { continue };
        let day = envelope.occurred_at.day();
        let concerned = |overlap: &Overlap<'_>| {
            let (What::Program(a), What::Program(b)) = (overlap.a.what, overlap.b.what) else { return false };
            let given_up = if choice.chosen == a { b } else { a };
            overlap.verdict.is_chosen_between()
                && (choice.chosen == a || choice.chosen == b)
                && (choice.given_up.is_empty() || choice.given_up.contains(&given_up))
                && overlap.span.until.is_none_or(|until| day < until)
        };
        let mut settled: Vec<(Identity<'a>, Identity<'a>)> = Vec::new();
        for overlap in found.iter_mut().filter(|overlap| concerned(overlap)) {
            // Overlaps of one pair stand side by side in order of their days.
            let pair = (overlap.a.identity, overlap.b.identity);
            if !settled.contains(&pair) {
                settled.push(pair);
                overlap.choice = Some((envelope, choice));
            }
        }
    }
}
