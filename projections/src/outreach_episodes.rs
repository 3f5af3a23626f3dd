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
use crate::rules::outreach::judge;
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
    /// Provider of the first attempt, counted or not.
    pub first_provider: Option<&'a Provider>,
    /// The first attempt that counts.
    pub first_attempt: Option<(&'a Envelope, &'a OutreachAttempted)>,
    /// Attempts that count and precede enrollment.
    pub attempts: u32,
    /// Those among them that reached somebody.
    pub contacts: u32,
    /// Day of the first contact.
    pub first_contact: Option<NaiveDate>,
    /// Attempts that do not count, or were made while enrolled.
    pub not_counted: u32,
    /// First day of the enrollment it led to, and its basis.
    pub enrolled: Option<(NaiveDate, Basis)>,
    /// Day the member declined.
    pub opted_out: Option<NaiveDate>,
    /// Day outreach was given up.
    pub closed: Option<NaiveDate>,
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
    /// The end of the enrollment last begun, none for an open end; none at all where none began.
    enrolled_until: Option<Option<NaiveDate>>,
}

impl<'e, 'a> Walk<'e, 'a> {
    fn over(steps: &[Placed<'a>], rulebook: &Rulebook, episodes: &'e mut Vec<Episode<'a>>) {
        let first = episodes.len();
        let mut walk = Self { episodes, first, open: false, enrolled_until: None };
        for ((program, ..), envelope, step) in steps {
            let day = envelope.occurred_at.day();
            let is_enrolled = walk.enrolled_until.is_some_and(|until| until.is_none_or(|until| day < until));
            match step {
                // Monthly lists name the enrolled again; that identifies nobody.
                Step::Identified(_) if is_enrolled => {}
                Step::Identified(e) => walk.current(*program, envelope).identify(envelope, e),
                // Contact while enrolled is service, not outreach (B3-17).
                Step::Attempted(_) if is_enrolled => walk.last().into_iter().for_each(|of| of.not_counted += 1),
                Step::Attempted(e) => walk.current(*program, envelope).attempt(envelope, e, rulebook),
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
            first_provider: None,
            first_attempt: None,
            attempts: 0,
            contacts: 0,
            first_contact: None,
            not_counted: 0,
            enrolled: None,
            opted_out: None,
            closed: None,
        }
    }

    fn identify(&mut self, envelope: &'a Envelope, told: &'a MemberIdentified) {
        self.identified.get_or_insert((envelope, told));
        self.populations.extend(&told.populations);
    }

    fn attempt(&mut self, envelope: &'a Envelope, attempt: &'a OutreachAttempted, rulebook: &Rulebook) {
        self.first_provider.get_or_insert(&attempt.provider);
        let day = envelope.occurred_at.day();
        let judgement = judge(attempt, &rulebook.parameters(&envelope.plan, envelope.county, day).outreach);
        if !judgement.counts {
            self.not_counted += 1;
            return;
        }
        self.attempts += 1;
        self.first_attempt.get_or_insert((envelope, attempt));
        if judgement.contact {
            self.contacts += 1;
            self.first_contact.get_or_insert(envelope.occurred_at.day());
        }
    }
}
