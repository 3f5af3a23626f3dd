//! Determinations as a reader wants them: with what superseded them, by when the notice was due, when it was mailed, and
//! the appeal; and the expiries that are certain to come where nobody decides.

use chrono::{DateTime, NaiveDate, Utc};
use rollbook_events::codes::{NoticeKind, NoticeOutcome};
use rollbook_events::families::authorization::Authorization;
use rollbook_events::families::enrollment::Enrollment;
use rollbook_events::families::notice::NoticeDetermined;
use rollbook_events::{County, Envelope, Event, EventId, PlanCode, Program};

pub use super::issued::{Appeal, Mailed};
use super::mailing::Matter;
use super::standing::{Standing, recorded, says_so};
use super::withdrawn::TRIGGER_VOIDED;
use super::{Case, Determined, Obligation, all, issued};
use crate::dossier::Dossier;
use crate::rules::facts::Facts;

/// What a determination says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said<'a> {
    /// Whether a notice is required.
    pub outcome: NoticeOutcome,
    /// Of which kind.
    pub notice: Option<NoticeKind>,
    /// Why.
    pub limbs: Vec<&'a str>,
    /// The rule that says so.
    pub rule: &'a str,
}

/// A determination on record, or an expiry that no event tells of yet.
#[derive(Debug, Clone)]
pub struct Record<'a> {
    /// The determination's event; none for an expiry that is not on record.
    pub event: Option<(&'a Envelope, &'a NoticeDetermined)>,
    /// The event it is about.
    pub trigger: EventId,
    /// The member and plan it is about are those of this event: the determination's, else the trigger's.
    pub of: &'a Envelope,
    /// Plan.
    pub plan: &'a PlanCode,
    /// County.
    pub county: County,
    /// Program.
    pub program: Program,
    /// What it says.
    pub answer: Said<'a>,
    /// The events it rests on.
    pub because: Vec<EventId>,
    /// What it is about, as the facts have it now.
    pub obligation: Option<Obligation<'a>>,
    /// The day its trigger happened.
    pub raised_on: NaiveDate,
    /// The day it concerns.
    pub on: NaiveDate,
    /// The determination that took its place.
    pub superseded_by: Option<&'a Envelope>,
    /// Whether its trigger was voided; the determination that says so stands.
    pub voided: bool,
    /// The last lawful day to mail the notice.
    pub mail_by: Option<NaiveDate>,
    /// Whether the notice may be mailed on the day service ends (CLK-2).
    pub same_day: bool,
    /// The notice mailed for its obligation.
    pub notice: Option<Mailed<'a>>,
    /// The last appeal against it.
    pub appeal: Option<Appeal<'a>>,
}

impl Record<'_> {
    /// Days the notice was mailed too late; zero where it was in time, none where none was mailed or no day is set.
    pub fn late_by_days(&self) -> Option<u32> {
        let (_, notice) = self.notice?;
        let late = (notice.mailed_on.0 - self.mail_by?).num_days();
        Some(u32::try_from(late).unwrap_or(0))
    }

    /// Whether it is what the ledger says today: not superseded, and about something that still stands.
    pub fn stands(&self) -> bool {
        self.superseded_by.is_none() && !self.voided
    }
}

/// Every determination of a member, and every expiry to come, in an order that only the facts decide.
pub fn records<'a>(facts: &Facts<'a>) -> Vec<Record<'a>> {
    if !super::concern::may_decide(facts.dossier) {
        return Vec::new();
    }
    let case = Case::of(facts);
    let decided = all(&case, DateTime::<Utc>::MAX_UTC);
    let recorded = recorded(&case);
    let mut records: Vec<Record<'a>> = recorded.iter().map(|standing| on_record(&case, standing, &decided)).collect();
    records.extend(decided.iter().filter(|determined| is_to_come(&case, &recorded, determined)).map(to_come));
    issued::fill(facts, &mut records);
    for record in &mut records {
        deadline(facts, record);
    }
    records
}

fn on_record<'a>(case: &Case<'_, 'a>, standing: &Standing<'a>, decided: &[Determined<'a>]) -> Record<'a> {
    let (event, told) = (standing.event, standing.told);
    let own = standing.trigger.map(|trigger| own_day(case, trigger, standing.obligation));
    let current = decided.iter().find(|determined| {
        let same = Some(determined.obligation) == standing.obligation && says_so(case, standing, determined);
        same && standing.superseded_by.is_none()
    });
    let limbs: Vec<&str> = told.limbs.iter().map(|limb| limb.as_str()).collect();
    let voided = is_voided(case.facts.dossier, told.trigger) && !limbs.contains(&TRIGGER_VOIDED);
    Record {
        event: Some((event, told)),
        trigger: told.trigger,
        of: event,
        plan: &event.plan,
        county: event.county,
        program: told.program,
        answer: Said { outcome: told.outcome, notice: told.notice, limbs, rule: told.rule.as_str() },
        because: told.because.clone(),
        obligation: standing.obligation,
        raised_on: standing.trigger.map_or(event.occurred_at.day(), |trigger| trigger.occurred_at.day()),
        on: current.map(|determined| determined.on).or(own).unwrap_or(event.occurred_at.day()),
        superseded_by: standing.superseded_by,
        voided,
        mail_by: None,
        same_day: false,
        notice: None,
        appeal: None,
    }
}

/// The day a trigger concerns by its own word.
fn own_day(case: &Case<'_, '_>, trigger: &Envelope, about: Option<Obligation<'_>>) -> NaiveDate {
    if let Event::Enrollment(Enrollment::Disenrolled(end)) = &trigger.event {
        return end.until.0;
    }
    if let Event::Authorization(Authorization::AuthorizationDecided(decision)) = &trigger.event {
        return decision.decided_at.day();
    }
    let request = case.requests.iter().find(|request| Some(request.obligation()) == about);
    let asked = matches!(&trigger.event, Event::Authorization(Authorization::AuthorizationRequested(_)));
    let expired = request.filter(|_| asked).and_then(|request| super::unanswered::expired(case, request));
    expired.map_or(trigger.occurred_at.day(), |(_, determined)| determined.on)
}

fn is_voided(dossier: &Dossier, id: EventId) -> bool {
    dossier.voided_by(id).is_some()
}

/// CLK-5: an expiry holds from its day on, whether or not an event tells of it.
fn is_to_come(case: &Case<'_, '_>, recorded: &[Standing<'_>], determined: &Determined<'_>) -> bool {
    let told = recorded.iter().any(|standing| {
        let of_it = standing.superseded_by.is_none() && standing.obligation == Some(determined.obligation);
        of_it && says_so(case, standing, determined)
    });
    determined.answer.rule == super::EXPIRY_RULE && !told
}

fn to_come<'a>(determined: &Determined<'a>) -> Record<'a> {
    let (trigger, answer) = (determined.trigger, &determined.answer);
    Record {
        event: None,
        trigger: trigger.id,
        of: trigger,
        plan: &trigger.plan,
        county: trigger.county,
        program: determined.program,
        answer: Said { outcome: answer.outcome, notice: answer.notice, limbs: answer.limbs.clone(), rule: answer.rule },
        because: determined.because.clone(),
        obligation: Some(determined.obligation),
        raised_on: trigger.occurred_at.day(),
        on: determined.on,
        superseded_by: None,
        voided: false,
        mail_by: None,
        same_day: false,
        notice: None,
        appeal: None,
    }
}

fn deadline<'a>(facts: &Facts<'a>, record: &mut Record<'a>) {
    let (Some(notice), Some(trigger)) = (record.answer.notice, facts.dossier.find(record.trigger)) else { return };
    let mailed = record.notice.map(|(_, mailed)| mailed);
    let effective_on = mailed.and_then(|mailed| mailed.effective_on).map(|day| day.0);
    let mailed_on = mailed.map(|mailed| mailed.mailed_on.0);
    let expired = record.answer.rule == super::EXPIRY_RULE;
    let (trigger, program, on) = (&*trigger.envelope, record.program, record.on);
    let matter = Matter { trigger, program, notice, expired, on, effective_on, mailed_on };
    record.mail_by = matter.mail_by(facts);
    record.same_day = matter.is_same_day_lawful(facts);
}
