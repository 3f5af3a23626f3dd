//! Whether a Notice of Action is required, and why (NOA-1 to NOA-11, CLK-5).
//!
//! A notice is required where services in place end, or where the member or the provider asked outright and the request
//! was not granted. What is decided is decided per [`Obligation`]: an ended enrollment, a request, or an episode nobody
//! asked for. [`decided`] says what follows from the facts, [`due`] what of it no standing determination says yet.

pub mod findings;
pub mod records;
pub mod same_day;

mod concern;
mod ended;
mod in_place;
mod issued;
mod mailing;
mod requests;
mod standing;
mod unanswered;
mod withdrawn;

use std::fmt;

use chrono::{DateTime, NaiveDate, Utc};
use rollbook_events::codes::{BadText, NoticeKind, NoticeOutcome};
use rollbook_events::families::notice::{NoticeDetermined, RulebookRef};
use rollbook_events::ids::{AuthorizationId, EnrollmentId, ReferralId};
use rollbook_events::{Envelope, EventId, PlanCode, Position, Program};

pub use concern::concerns;

use self::requests::Request;
use super::authorizations::Authorization;
use super::facts::Facts;
use crate::rulebook::{NoticeRules, Rulebook};

/// The rule by which a clock that ran out is a denial.
const EXPIRY_RULE: &str = "CLK-5";

/// What one notice would be about. It is worked out from a determination's trigger, never stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obligation<'a> {
    /// The end of an enrollment's span.
    Ended {
        /// The enrollment.
        enrollment: EnrollmentId,
        /// Which of its spans, from 1.
        span: u32,
        /// The change in availability, which is told apart from the end itself (NOA-10).
        availability: bool,
        /// In whose record: in another's the same id names another enrollment.
        plan: &'a PlanCode,
    },
    /// A request.
    Requested {
        /// At which plan.
        plan: &'a PlanCode,
        /// For what.
        program: Program,
        /// Which.
        request: RequestId,
        /// The deferral that stands, which is told apart from what an expired clock then makes of the request.
        deferral: bool,
    },
    /// Outreach to somebody nobody asked for.
    Unrequested {
        /// By which plan.
        plan: &'a PlanCode,
        /// For what.
        program: Program,
        /// How many episodes had begun.
        episode: usize,
    },
}

/// The id of a request: its authorization's, else its referral's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RequestId {
    /// An authorization was asked for or decided.
    Authorization(AuthorizationId),
    /// There is a referral alone.
    Referral(ReferralId),
}

impl Obligation<'_> {
    /// What it is about, the same for all that are about one ended span or request: by it a reader counts.
    pub fn about(&self) -> String {
        match *self {
            Self::Ended { enrollment, span, plan, .. } => {
                Obligation::Ended { enrollment, span, availability: false, plan }.to_string()
            }
            Self::Requested { plan, program, request, .. } => {
                Obligation::Requested { plan, program, request, deferral: false }.to_string()
            }
            Self::Unrequested { .. } => self.to_string(),
        }
    }
}

impl fmt::Display for Obligation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended { enrollment, span, availability: false, plan } => {
                write!(f, "ended|{plan}|{enrollment}|{span}")
            }
            Self::Ended { enrollment, span, availability: true, plan } => {
                write!(f, "availability|{plan}|{enrollment}|{span}")
            }
            Self::Requested { plan, program, request: RequestId::Authorization(id), deferral } => {
                let what = if *deferral { "deferred" } else { "requested" };
                write!(f, "{what}|{plan}|{program}|authorization|{id}")
            }
            Self::Requested { plan, program, request: RequestId::Referral(id), .. } => {
                write!(f, "requested|{plan}|{program}|referral|{id}")
            }
            Self::Unrequested { plan, program, episode } => write!(f, "unrequested|{plan}|{program}|{episode}"),
        }
    }
}

/// What the rules say of an obligation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer<'a> {
    /// Whether a notice is required.
    pub outcome: NoticeOutcome,
    /// Of which kind; none where it is not required.
    pub notice: Option<NoticeKind>,
    /// Why.
    pub limbs: Vec<&'static str>,
    /// The rule that says so.
    pub rule: &'a str,
}

impl Answer<'_> {
    fn required(notice: NoticeKind, limb: &'static str) -> Self {
        Self { outcome: NoticeOutcome::Required, notice: Some(notice), limbs: vec![limb], rule: "NOA-1" }
    }

    fn not_required(limb: &'static str) -> Self {
        Self { outcome: NoticeOutcome::NotRequired, notice: None, limbs: vec![limb], rule: "NOA-1" }
    }
}

/// What the facts come to for one obligation.
#[derive(Debug, Clone)]
pub struct Determined<'a> {
    /// The obligation.
    pub obligation: Obligation<'a>,
    /// The program.
    pub program: Program,
    /// Whether a notice is required, and why.
    pub answer: Answer<'a>,
    /// The event that raised the question; plan, county and member are its.
    pub trigger: &'a Envelope,
    /// The events it rests on, in the order they happened.
    pub because: Vec<EventId>,
    /// The day it concerns: the first day without service, the day of a decision, the day a clock ran out.
    pub on: NaiveDate,
}

/// A determination that is not on record yet.
#[derive(Debug, Clone)]
pub struct Due<'a> {
    /// What it says.
    pub determined: Determined<'a>,
    /// The determination it takes the place of.
    pub supersedes: Option<EventId>,
}

impl Due<'_> {
    /// The payload of its event, made under a rulebook by somebody who knew the log up to a position.
    ///
    /// # Errors
    /// Where the rulebook's id or a rule's is no key.
    pub fn event(&self, rulebook: &Rulebook, known_at: Position) -> Result<NoticeDetermined, BadText> {
        let Determined { program, answer, trigger, because, .. } = &self.determined;
        Ok(NoticeDetermined {
            trigger: trigger.id,
            program: *program,
            outcome: answer.outcome,
            notice: answer.notice,
            limbs: answer.limbs.iter().map(|limb| limb.parse()).collect::<Result<_, _>>()?,
            rule: answer.rule.parse()?,
            because: because.clone(),
            rulebook: RulebookRef { id: rulebook.id().parse()?, hash: rulebook.hash() },
            known_at,
            supersedes: self.supersedes,
        })
    }
}

/// What the files of this rule read, worked out once.
struct Case<'f, 'a> {
    facts: &'f Facts<'a>,
    requests: Vec<Request<'a>>,
    authorizations: &'f [Authorization<'a>],
    /// Program, plan and first day of every outreach episode.
    episodes: Vec<(Program, &'a PlanCode, NaiveDate)>,
}

impl<'f, 'a> Case<'f, 'a> {
    fn of(facts: &'f Facts<'a>) -> Self {
        let requests = requests::requests(facts);
        let episodes = facts
            .episodes()
            .iter()
            .map(|episode| (episode.program, &episode.began.plan, episode.began.occurred_at.day()));
        Self { facts, requests, authorizations: facts.authorizations(), episodes: episodes.collect() }
    }

    fn rules(&self, of: &Envelope, day: NaiveDate) -> &'a NoticeRules {
        &self.facts.parameters(of, day).notices
    }
}

/// What the rules say of every obligation. `now` decides nothing but whether an undecided request's clock has run out.
pub fn decided<'a>(facts: &Facts<'a>, now: DateTime<Utc>) -> Vec<Determined<'a>> {
    all(&Case::of(facts), now)
}

fn all<'a>(case: &Case<'_, 'a>, now: DateTime<Utc>) -> Vec<Determined<'a>> {
    let mut all = ended::ended(case.facts);
    all.extend(unanswered::requests(case, now));
    all.extend(unanswered::unrequested(case));
    all.sort_by_key(|determined| determined.obligation);
    all.dedup_by_key(|determined| determined.obligation);
    all
}

/// The determinations that are not on record: new ones, and those that take the place of one that no longer holds.
/// Deciding again on what was decided gives none.
pub fn due<'a>(facts: &Facts<'a>, now: DateTime<Utc>) -> Vec<Due<'a>> {
    if !concern::may_decide(facts.dossier) {
        return Vec::new();
    }
    let case = Case::of(facts);
    standing::due(&case, all(&case, now))
}

/// Ids in the order their events happened, each once.
fn evidence<'a>(of: impl IntoIterator<Item = &'a Envelope>) -> Vec<EventId> {
    let mut events: Vec<&Envelope> = of.into_iter().collect();
    events.sort_by_key(|event| (event.occurred_at.earliest().utc(), event.id));
    events.dedup_by_key(|event| event.id);
    events.iter().map(|event| event.id).collect()
}
