//! How long an appeal may be filed and may take, and until when a hearing may be asked for (CLK-12 to CLK-16).

use chrono::NaiveDate;
use rollbook_events::codes::{AppealOutcome, NoticeKind};
use rollbook_events::families::notice::{AppealFiled, AppealResolved, Notice};
use rollbook_events::ids::AppealId;
use rollbook_events::{Envelope, Event, EventId};

use super::business_days::add_days;
use super::clocks::{Clock, Due, calendar_checked, days_late, due_from, due_from_day, extended, late_until};
use super::facts::Facts;
use super::finding::{Finding, evidence};
use super::notice_clock::{Issued, issued, takes_away};
use crate::rulebook::{Parameters, Term};

/// One appeal, with the notice it is against and its resolution, where they are on record.
#[derive(Debug, Clone, Copy)]
pub struct Appeal<'a> {
    /// The last report of it.
    pub by: &'a Envelope,
    /// What that tells.
    pub told: &'a AppealFiled,
    /// The notice.
    pub notice: Option<Issued<'a>>,
    /// The last report of its resolution.
    pub resolved: Option<(&'a Envelope, &'a AppealResolved)>,
    parameters: &'a Parameters,
}

/// Every appeal of a member, in the order they were first told of.
pub fn appeals<'a>(facts: &Facts<'a>) -> Vec<Appeal<'a>> {
    let notices = issued(facts);
    let mut appeals: Vec<Appeal<'a>> = Vec::new();
    for envelope in &facts.standing {
        let Event::Notice(Notice::AppealFiled(told)) = &envelope.event else { continue };
        let notice =
            notices.iter().find(|(by, notice)| by.plan == envelope.plan && notice.notice == told.notice).copied();
        let parameters = facts.parameters(envelope, told.on.0);
        let appeal = Appeal { by: envelope, told, notice, resolved: None, parameters };
        match appeals.iter_mut().find(|other| other.is_meant(envelope, told.appeal)) {
            Some(earlier) => *earlier = appeal,
            None => appeals.push(appeal),
        }
    }
    for envelope in &facts.standing {
        let Event::Notice(Notice::AppealResolved(told)) = &envelope.event else { continue };
        for appeal in appeals.iter_mut().filter(|appeal| appeal.is_meant(envelope, told.appeal)) {
            appeal.resolved = Some((envelope, told));
        }
    }
    appeals
}

impl<'a> Appeal<'a> {
    /// Whether an event that names an appeal speaks of this one.
    fn is_meant(&self, by: &Envelope, id: AppealId) -> bool {
        self.told.appeal == id && self.by.plan == by.plan
    }

    /// Whether it is against a notice.
    fn is_against(&self, (by, told): Issued<'_>) -> bool {
        self.told.notice == told.notice && self.by.plan == by.plan
    }

    /// The term of its resolution, and when that has run out.
    fn resolution(&self) -> Option<(&'a Term, Due)> {
        let (rules, calendar) = (&self.parameters.appeals, &self.parameters.calendar);
        let term = if self.told.expedited { &rules.expedited } else { &rules.resolution }.as_ref()?;
        let received = self.told.received_at.filter(|_| self.told.expedited);
        let due = match received {
            Some(at) => due_from(at, term.amount, term.unit, calendar),
            None => Due::Day(due_from_day(self.told.on.0, term.amount, term.unit, calendar)),
        };
        Some((term, due))
    }

    fn clock(&self, clock: &'static str, term: &'a Term, starts_on: NaiveDate, due: Due) -> Clock<'a> {
        Clock {
            clock,
            of: self.told.appeal.to_string(),
            program: self.notice.map(|(_, notice)| notice.program),
            ..of_term(self.by, term, starts_on, due, self.parameters)
        }
    }
}

/// A clock as its term sets it.
fn of_term<'a>(by: &'a Envelope, term: &'a Term, starts_on: NaiveDate, due: Due, parameters: &Parameters) -> Clock<'a> {
    Clock {
        clock: "",
        of: String::new(),
        by,
        program: None,
        rule: &term.rule,
        is_extended: false,
        starts_on,
        due: Some(due),
        is_governing: true,
        is_binding: true,
        met_on: None,
        late_by_days: None,
        earliest_on: None,
        cite: &term.cite,
        is_verified: term.verified,
        is_calendar_checked: calendar_checked(term.unit, starts_on, due, &parameters.calendar),
    }
}

/// Every clock that a notice or an appeal starts.
pub fn clocks<'a>(facts: &Facts<'a>) -> Vec<Clock<'a>> {
    let appeals = appeals(facts);
    let mut clocks = Vec::new();
    for notice in issued(facts) {
        clocks.extend(filing(facts, notice, &appeals));
        clocks.extend(aid_paid_pending(facts, notice, &appeals));
    }
    for appeal in &appeals {
        clocks.extend(resolution(appeal));
        clocks.extend(state_hearing(appeal));
    }
    clocks
}

/// CLK-12: from the date on the notice. A change of what is offered decides on no member's benefit.
fn filing<'a>(facts: &Facts<'a>, (by, told): Issued<'a>, appeals: &[Appeal<'a>]) -> Option<Clock<'a>> {
    if told.kind == NoticeKind::AvailabilityChange {
        return None;
    }
    let (parameters, mailed) = (facts.parameters(by, told.mailed_on.0), told.mailed_on.0);
    let term = parameters.appeals.filing.as_ref()?;
    let due = due_from_day(mailed, term.amount, term.unit, &parameters.calendar);
    let first = appeals.iter().filter(|appeal| appeal.is_against((by, told))).map(|appeal| appeal.told.on.0).min();
    Some(met(facts, (by, told), "appeal_filing", term, due, first))
}

/// CLK-15: what goes on while an appeal is pending must be asked for by the later of two days.
fn aid_paid_pending<'a>(facts: &Facts<'a>, (by, told): Issued<'a>, appeals: &[Appeal<'a>]) -> Option<Clock<'a>> {
    if !takes_away(told) {
        return None;
    }
    let (parameters, mailed) = (facts.parameters(by, told.mailed_on.0), told.mailed_on.0);
    let term = parameters.appeals.aid_paid_pending.as_ref()?;
    let counted = due_from_day(mailed, term.amount, term.unit, &parameters.calendar);
    let due = told.effective_on.map_or(counted, |effective| counted.max(effective.0));
    let asking = appeals.iter().filter(|appeal| appeal.is_against((by, told)) && appeal.told.aid_paid_pending);
    let first = asking.map(|appeal| appeal.told.on.0).min();
    Some(met(facts, (by, told), "aid_paid_pending", term, due, first))
}

/// A clock of a notice, and the day of the first appeal it waits for.
fn met<'a>(
    facts: &Facts<'a>,
    (by, told): Issued<'a>,
    clock: &'static str,
    term: &'a Term,
    due: NaiveDate,
    met_on: Option<NaiveDate>,
) -> Clock<'a> {
    let mailed = told.mailed_on.0;
    Clock {
        clock,
        of: told.notice.to_string(),
        program: Some(told.program),
        met_on,
        late_by_days: met_on.map(|met| days_late(due, met)),
        ..of_term(by, term, mailed, Due::Day(due), facts.parameters(by, mailed))
    }
}

/// CLK-13: the clock of the resolution, and the same as extended.
fn resolution<'a>(appeal: &Appeal<'a>) -> Vec<Clock<'a>> {
    let Some((term, due)) = appeal.resolution() else { return Vec::new() };
    let resolved = appeal.resolved.map(|(_, told)| told.on.0);
    let extension = term.extension_days.map(|days| (extended(due, days), true));
    let both = std::iter::once((due, false)).chain(extension);
    let clock = |(due, is_extended): (Due, bool)| Clock {
        is_extended,
        is_governing: !is_extended,
        met_on: resolved,
        // A resolution has a day, no hour: within the last day it is in time.
        late_by_days: resolved.map(|resolved| days_late(due.day(), resolved)),
        ..appeal.clock("appeal_resolution", term, appeal.told.on.0, due)
    };
    both.map(clock).collect()
}

/// CLK-16: from the resolution that upheld what the plan did.
fn state_hearing<'a>(appeal: &Appeal<'a>) -> Option<Clock<'a>> {
    let (_, resolved) = appeal.resolved.filter(|(_, resolved)| resolved.outcome == AppealOutcome::Upheld)?;
    let term = appeal.parameters.appeals.state_hearing.as_ref()?;
    let due = due_from_day(resolved.on.0, term.amount, term.unit, &appeal.parameters.calendar);
    Some(appeal.clock("state_hearing", term, resolved.on.0, Due::Day(due)))
}

/// Every finding about a member's appeals.
pub fn find<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    appeals(facts).iter().flat_map(|appeal| late(appeal).into_iter().chain(filed_late(facts, appeal))).collect()
}

/// CLK-13: not resolved in time; it stands while nobody resolves it. That a term was extended is told by no event.
fn late<'a>(appeal: &Appeal<'a>) -> Option<Finding<'a>> {
    let (term, due) = appeal.resolution()?;
    let resolved = appeal.resolved.map(|(by, told)| (by, told.on.0));
    if resolved.is_some_and(|(_, on)| on <= due.day()) {
        return None;
    }
    let from = add_days(due.day(), 1);
    let because = evidence(std::iter::once(appeal.by).chain(resolved.map(|(by, _)| by)));
    let until = late_until(from, resolved.map(|(_, on)| on));
    Some(Finding { until, ..finding(appeal, "appeal_late", &term.rule, from, because) })
}

/// CLK-12: filed after the last day.
fn filed_late<'a>(facts: &Facts<'a>, appeal: &Appeal<'a>) -> Option<Finding<'a>> {
    let (by, notice) = appeal.notice?;
    let parameters = facts.parameters(by, notice.mailed_on.0);
    let term = parameters.appeals.filing.as_ref()?;
    let due = due_from_day(notice.mailed_on.0, term.amount, term.unit, &parameters.calendar);
    let filed = appeal.told.on.0;
    let because = evidence([by, appeal.by]);
    (filed > due).then(|| finding(appeal, "appeal_filed_late", &term.rule, filed, because))
}

fn finding<'a>(
    appeal: &Appeal<'a>,
    code: &'static str,
    rule: &'a str,
    from: NaiveDate,
    because: Vec<EventId>,
) -> Finding<'a> {
    let program = appeal.notice.map(|(_, notice)| notice.program);
    let about = appeal.told.appeal.to_string();
    Finding { code, rule, of: appeal.by, program, about, from, until: None, because }
}
