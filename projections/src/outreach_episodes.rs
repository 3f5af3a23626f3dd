//! Outreach, told as episodes: from the identification or first attempt until the member enrolls, declines, or outreach
//! is given up.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use rollbook_events::codes::Basis;
use rollbook_events::families::enrollment::Enrollment;
use rollbook_events::families::outreach::{Outreach, OutreachAttempted};
use rollbook_events::families::referral::{MemberIdentified, Referral};
use rollbook_events::{Envelope, Event, EventId, Occurred, PlanCode, Population, Program, Provider};

use crate::rulebook::Rulebook;
use crate::rules::facts::Facts;
use crate::rules::outreach::{ENROLLED, REPEATED, judge};
use crate::spans::Span;

/// One episode of outreach to one member for one program at one plan.
#[derive(Debug, Clone)]
pub struct Episode<'a> {
    /// The program.
    pub program: Program,
    /// The event it began with.
    pub began: &'a Envelope,
    /// Which episode of the program and plan, from 1.
    pub number: u32,
    /// The first identification; none where nobody identified the member (B3-19).
    pub identified: Option<(&'a Envelope, &'a MemberIdentified)>,
    /// The populations of every identification in it.
    pub populations: BTreeSet<Population>,
    /// Every attempt, in the order they were made; those made while enrolled are told with the episode before.
    pub tries: Vec<Try<'a>>,
    /// First day of the enrollment it led to, and its basis.
    pub enrolled: Option<(NaiveDate, Basis)>,
    /// Day the member declined.
    pub opted_out: Option<NaiveDate>,
    /// Day outreach was given up.
    pub closed: Option<NaiveDate>,
}

/// One attempt in its place, and what the rules make of it there.
#[derive(Debug, Clone, Copy)]
pub struct Try<'a> {
    /// The event.
    pub by: &'a Envelope,
    /// What it says.
    pub attempt: &'a OutreachAttempted,
    /// Why it does not count; none where it does.
    pub reason: Option<&'static str>,
    /// Whether it counts and reached the member, or who may speak for a child.
    pub is_contact: bool,
    /// OUT-4: whether it goes into the plan's tracker file, as it counts, and the member had been identified.
    pub is_exported: bool,
    /// Whether it counts and lies past the number that the plan pays for.
    pub is_over_cap: bool,
}

impl Try<'_> {
    /// Whether it counts and precedes enrollment.
    pub fn counts(&self) -> bool {
        self.reason.is_none()
    }

    /// The civil day.
    pub fn day(&self) -> NaiveDate {
        self.by.occurred_at.day()
    }
}

/// Something that begins, moves or ends an episode.
enum Step<'a> {
    Identified(&'a MemberIdentified),
    Attempted(&'a OutreachAttempted),
    OptedOut,
    Closed,
    Enrolled(Span, Basis),
}

/// A step in its place: program, plan, then when.
type Placed<'a> = ((Program, &'a PlanCode, DateTime<Utc>, u8, EventId), &'a Envelope, Step<'a>);

/// The episodes of every program and plan, from the events that stand.
pub fn outreach_episodes<'a>(facts: &Facts<'a>) -> Vec<Episode<'a>> {
    let mut steps = steps(&facts.standing);
    // An enrollment alone makes no episode: nothing to convert led to it (B3-25).
    if steps.is_empty() {
        return Vec::new();
    }
    for of in &facts.spans {
        let step = Step::Enrolled(of.span, of.enrolled.basis);
        let (when, rank) = place(of.began(), &step);
        let key = (of.enrolled.program, &of.report.plan, when, rank, of.opened_by.id);
        steps.push((key, of.opened_by, step));
    }
    steps.sort_by_key(|(key, ..)| *key);
    let mut episodes = Vec::new();
    for of_one in steps.chunk_by(|((program, plan, ..), ..), ((other, at, ..), ..)| (program, plan) == (other, at)) {
        Walk::over(of_one, facts.rulebook, &mut episodes);
    }
    episodes
}

fn steps<'a>(standing: &[&'a Envelope]) -> Vec<Placed<'a>> {
    let mut steps = Vec::new();
    for envelope in standing {
        let (program, step) = match &envelope.event {
            Event::Referral(Referral::MemberIdentified(e)) => (e.program, Step::Identified(e)),
            Event::Outreach(Outreach::OutreachAttempted(e)) => (e.program, Step::Attempted(e)),
            Event::Outreach(Outreach::OutreachClosed(e)) => (e.program, Step::Closed),
            Event::Enrollment(Enrollment::OptedOut(e)) => (e.program, Step::OptedOut),
            Event::Referral(_)
            | Event::Outreach(_)
            | Event::Enrollment(_)
            | Event::Who(_)
            | Event::Coverage(_)
            | Event::OtherPrograms(_)
            | Event::Authorization(_)
            | Event::Notice(_)
            | Event::Rules(_)
            | Event::Correction(_) => continue,
        };
        let (when, rank) = place(envelope.occurred_at, &step);
        steps.push(((program, &envelope.plan, when, rank, envelope.id), *envelope, step));
    }
    steps
}

/// Where a step stands, such that what precedes an enrollment (`Occurred::precedes`) stands before it: a day has all of
/// the day's attempts before its end, where a bare day's enrollment stands; an instant, those before it.
///
/// An identification precedes all of its day. An opt-out or closing follows all of its day, or of its instant: the
/// attempt at which a member declines is part of the episode it ends (B3-12).
fn place(at: Occurred, step: &Step<'_>) -> (DateTime<Utc>, u8) {
    let start = |day: NaiveDate| Occurred::Day(day).earliest().utc();
    let end = |day: NaiveDate| start(day.succ_opt().unwrap_or(day));
    match (step, at) {
        (Step::Enrolled(..), Occurred::Day(day)) => (end(day), 0),
        (Step::OptedOut | Step::Closed, Occurred::Day(day)) => (end(day), 1),
        (Step::Identified(_), at) => (start(at.day()), 2),
        (Step::Attempted(_), Occurred::Day(day)) => (start(day), 3),
        (Step::Enrolled(..), Occurred::At(instant)) => (instant.utc(), 4),
        (Step::Attempted(_), Occurred::At(instant)) => (instant.utc(), 5),
        (Step::OptedOut | Step::Closed, Occurred::At(instant)) => (instant.utc(), 6),
    }
}

/// The walk over the steps of one program and plan.
struct Walk<'e, 'a> {
    episodes: &'e mut Vec<Episode<'a>>,
    /// Where this program's and plan's episodes begin in the list.
    first: usize,
    /// Whether the last of them is still under way.
    open: bool,
    /// Whether the member has been identified by now, in whichever episode (B3-19).
    identified: bool,
    /// The end of the enrollment last begun, none for an open end; none at all where none began.
    enrolled_until: Option<Option<NaiveDate>>,
}

impl<'e, 'a> Walk<'e, 'a> {
    fn over(steps: &[Placed<'a>], rulebook: &Rulebook, episodes: &'e mut Vec<Episode<'a>>) {
        let first = episodes.len();
        let mut walk = Self { episodes, first, open: false, identified: false, enrolled_until: None };
        for ((program, ..), envelope, step) in steps {
            let day = envelope.occurred_at.day();
            let is_enrolled = walk.enrolled_until.is_some_and(|until| until.is_none_or(|until| day < until));
            match step {
                // Monthly lists name the enrolled again; that identifies nobody.
                Step::Identified(_) if is_enrolled => {}
                Step::Identified(e) => {
                    walk.identified = true;
                    walk.current(*program, envelope).identify(envelope, e);
                }
                // Contact while enrolled is service, not outreach (B3-17, B3-25).
                Step::Attempted(e) if is_enrolled => {
                    walk.last()
                        .into_iter()
                        .for_each(|of| of.tries.push(Try::that_does_not_count(envelope, e, ENROLLED)));
                }
                Step::Attempted(e) => {
                    let identified = walk.identified;
                    walk.current(*program, envelope).attempt(envelope, e, rulebook, identified);
                }
                Step::OptedOut => walk.end(|episode| episode.opted_out = Some(day)),
                Step::Closed => walk.end(|episode| episode.closed = Some(day)),
                Step::Enrolled(span, basis) => walk.enroll(*span, *basis),
            }
        }
    }

    fn last(&mut self) -> Option<&mut Episode<'a>> {
        self.episodes.get_mut(self.first..)?.last_mut()
    }

    /// The episode under way, or a new one.
    fn current(&mut self, program: Program, began: &'a Envelope) -> &mut Episode<'a> {
        let count = self.episodes.len() - self.first;
        if !self.open {
            self.open = true;
            let number = u32::try_from(count + 1).unwrap_or(u32::MAX);
            self.episodes.push(Episode::begin(program, began, number));
        }
        let index = self.episodes.len() - 1;
        &mut self.episodes[index]
    }

    /// Ends the episode under way; a word about none changes nothing.
    fn end(&mut self, say: impl FnOnce(&mut Episode<'a>)) {
        if std::mem::take(&mut self.open)
            && let Some(episode) = self.last()
        {
            say(episode);
        }
    }

    /// The member enrolled. It is put down to the last episode even where that had ended without enrollment and nobody
    /// tried again: the member thought better of it, and the row says both.
    fn enroll(&mut self, span: Span, basis: Basis) {
        self.open = false;
        self.enrolled_until = Some(match self.enrolled_until {
            None => span.until,
            Some(before) => before.zip(span.until).map(|(before, until)| before.max(until)),
        });
        if let Some(episode) = self.last()
            && episode.enrolled.is_none()
        {
            episode.enrolled = Some((span.from, basis));
        }
    }
}

impl<'a> Episode<'a> {
    fn begin(program: Program, began: &'a Envelope, number: u32) -> Self {
        Self {
            program,
            began,
            number,
            identified: None,
            populations: BTreeSet::new(),
            tries: Vec::new(),
            enrolled: None,
            opted_out: None,
            closed: None,
        }
    }

    fn identify(&mut self, envelope: &'a Envelope, told: &'a MemberIdentified) {
        self.identified.get_or_insert((envelope, told));
        self.populations.extend(&told.populations);
    }

    fn attempt(&mut self, by: &'a Envelope, attempt: &'a OutreachAttempted, rulebook: &Rulebook, is_identified: bool) {
        // B3-14: a call that a corrected file tells again is the same call. Where only the day is known it may be another.
        let at_once = self.tries.iter().rev().take_while(|before| before.by.occurred_at == by.occurred_at);
        if matches!(by.occurred_at, Occurred::At(_)) && at_once.into_iter().any(|before| before.attempt == attempt) {
            self.tries.push(Try::that_does_not_count(by, attempt, REPEATED));
            return;
        }
        let rules = &rulebook.parameters(&by.plan, by.county, by.occurred_at.day()).outreach;
        let judgement = judge(attempt, rules);
        let made = self.counted().count();
        self.tries.push(Try {
            by,
            attempt,
            reason: judgement.reason,
            is_contact: judgement.contact,
            is_exported: judgement.counts && is_identified,
            is_over_cap: judgement.counts
                && rules.cap.is_some_and(|cap| usize::try_from(cap).is_ok_and(|cap| made >= cap)),
        });
    }

    /// Attempts that count and precede enrollment.
    pub fn counted(&self) -> impl Iterator<Item = &Try<'a>> {
        self.tries.iter().filter(|one| one.counts())
    }

    /// Attempts that do not count, or were made while enrolled, by their reasons.
    pub fn not_counted(&self) -> impl Iterator<Item = &'static str> {
        self.tries.iter().filter_map(|one| one.reason)
    }

    /// Provider of the first attempt before enrollment, counted or not.
    pub fn first_provider(&self) -> Option<&'a Provider> {
        self.tries.iter().find(|one| one.reason != Some(ENROLLED)).map(|one| &one.attempt.provider)
    }
}

impl<'a> Try<'a> {
    fn that_does_not_count(by: &'a Envelope, attempt: &'a OutreachAttempted, reason: &'static str) -> Self {
        Self { by, attempt, reason: Some(reason), is_contact: false, is_exported: false, is_over_cap: false }
    }
}
