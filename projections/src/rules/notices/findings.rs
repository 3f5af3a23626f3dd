//! What a reader must look at around notices: missing, late, without ground on the last day; alternatives nobody named;
//! members given up too soon; determinations that later facts changed.

use chrono::{Days, NaiveDate};
use rollbook_events::codes::{AuthorizationOutcome, NoticeOutcome};
use rollbook_events::families::authorization::Authorization;
use rollbook_events::families::enrollment::Disenrolled;
use rollbook_events::families::outreach::Outreach;
use rollbook_events::families::referral::Referral;
use rollbook_events::{Envelope, Event, EventId, Program};

use super::ended::goes_on;
use super::evidence;
use super::records::Record;
use crate::enrollment_spans::EnrollmentSpan;
use crate::rulebook::{Alternative, GivenUp};
use crate::rules::facts::Facts;
use crate::rules::finding::Finding;
use crate::rules::outreach::judge;

/// Notices that are required and were not mailed, were mailed late, or on the last day without a ground (CLK-1, CLK-2,
/// CLK-4, CLK-5); determinations that others took the place of.
pub fn determined<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let records = facts.records();
    let mut found: Vec<Finding<'a>> = records.iter().filter_map(|record| superseded(records, record)).collect();
    for record in records.iter().filter(|record| record.stands() && record.answer.outcome == NoticeOutcome::Required) {
        found.extend([missing(record), late(record), same_day(record)].into_iter().flatten());
    }
    found
}

fn finding<'a>(record: &Record<'a>, code: &'static str, from: NaiveDate, until: Option<NaiveDate>) -> Finding<'a> {
    let about = record.obligation.map_or_else(|| record.trigger.to_string(), |obligation| obligation.to_string());
    Finding {
        code,
        rule: if record.answer.rule == super::EXPIRY_RULE { super::EXPIRY_RULE } else { rule_of(record) },
        of: record.of,
        program: Some(record.program),
        about,
        from,
        until,
        because: because(record),
    }
}

/// The rule of the deadline: of an end of service, else of a decision.
fn rule_of(record: &Record<'_>) -> &'static str {
    if matches!(record.obligation, Some(super::Obligation::Ended { .. })) { "CLK-1" } else { "CLK-4" }
}

fn because(record: &Record<'_>) -> Vec<EventId> {
    let mut because = record.because.clone();
    because.extend(record.event.map(|(event, _)| event.id));
    because.extend(record.notice.map(|(event, _)| event.id));
    because
}

/// From the day after the last lawful mailing day, until the notice was mailed.
fn missing<'a>(record: &Record<'a>) -> Option<Finding<'a>> {
    let from = record.mail_by?.succ_opt()?;
    let until = record.notice.map(|(_, notice)| notice.mailed_on.0);
    until.is_none_or(|until| from < until).then(|| finding(record, "notice_missing", from, until))
}

fn late<'a>(record: &Record<'a>) -> Option<Finding<'a>> {
    record.late_by_days().filter(|days| *days > 0)?;
    let (_, notice) = record.notice?;
    Some(finding(record, "notice_late", notice.mailed_on.0, None))
}

/// CLK-2: mailed on the day service ended, or after it, where nothing allowed that.
fn same_day<'a>(record: &Record<'a>) -> Option<Finding<'a>> {
    let (_, notice) = record.notice?;
    let on_the_day = notice.effective_on.is_some_and(|effective| effective <= notice.mailed_on);
    let ends = matches!(record.obligation, Some(super::Obligation::Ended { availability: false, .. }));
    let found =
        || Finding { rule: "CLK-2", ..finding(record, "same_day_notice_unsupported", notice.mailed_on.0, None) };
    (ends && on_the_day && !record.same_day).then(found)
}

/// A later fact changed what had been determined.
fn superseded<'a>(records: &[Record<'a>], record: &Record<'a>) -> Option<Finding<'a>> {
    let by = record.superseded_by?;
    let (event, _) = record.event?;
    let later = records.iter().find(|later| later.event.is_some_and(|(event, _)| event.id == by.id))?;
    let changed = (later.answer.outcome, later.answer.notice) != (record.answer.outcome, record.answer.notice);
    changed.then(|| Finding {
        code: "determination_superseded",
        rule: "NOA-1",
        of: by,
        program: Some(record.program),
        about: event.id.to_string(),
        from: by.occurred_at.day(),
        until: None,
        because: evidence([event, by]),
    })
}

/// NOA-4, NOA-11: a referral to something else that nobody named.
pub fn alternatives<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let ended = facts.spans.iter().filter_map(|of| {
        let (by, end) = of.closed?;
        if end.alternative.is_some() || goes_on(facts, &of.report.plan, of.enrolled.program, end.until.0).is_some() {
            return None;
        }
        let rules = &facts.parameters(by, end.until.0).notices.alternatives;
        let rule = rules.iter().find(|rule| asks_after(rule, of.enrolled.program, end))?;
        let about = format!("{}|{}", end.enrollment, of.number);
        elsewhere(facts, by, of.enrolled.program, end.until.0, about, rule)
    });
    let denied = facts.standing.iter().filter_map(|by| {
        let Event::Authorization(Authorization::AuthorizationDecided(decision)) = &by.event else { return None };
        let on = decision.decided_at.day();
        let mut rules = facts.parameters(by, on).notices.alternatives.iter();
        let speaks = |rule: &&Alternative| {
            let of_program = rule.programs.is_empty() || rule.programs.contains(&decision.program);
            of_program && decision.reasons.iter().any(|reason| rule.denied_for.contains(reason))
        };
        let rule = rules.find(speaks).filter(|_| decision.outcome == AuthorizationOutcome::Denied)?;
        elsewhere(facts, by, decision.program, on, decision.authorization.to_string(), rule)
    });
    ended.chain(denied).collect()
}

fn asks_after(rule: &Alternative, program: Program, end: &Disenrolled) -> bool {
    let other = !rule.ended_but_for.is_empty() && !rule.ended_but_for.contains(&end.reason);
    (rule.programs.is_empty() || rule.programs.contains(&program)) && (other || rule.ended_for.contains(&end.reason))
}

/// Expected until a referral to another program came.
fn elsewhere<'a>(
    facts: &Facts<'a>,
    by: &'a Envelope,
    program: Program,
    from: NaiveDate,
    about: String,
    rule: &'a Alternative,
) -> Option<Finding<'a>> {
    let since = from.min(by.occurred_at.day());
    let referred = facts.standing.iter().filter_map(|envelope| {
        let Event::Referral(Referral::ReferralReceived(referral)) = &envelope.event else { return None };
        let on = envelope.occurred_at.day();
        (referral.program != program && envelope.plan == by.plan && since <= on).then_some(on)
    });
    let until = referred.min();
    let because = vec![by.id];
    until.is_none_or(|until| from < until).then(|| Finding {
        code: "alternative_referral_expected",
        rule: &rule.rule,
        of: by,
        program: Some(program),
        about,
        from,
        until,
        because,
    })
}

/// NOA-2: a member was given up as not reached before the plan's own policy allows it, or not by both of those who must
/// agree.
pub fn given_up<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let given_up = facts.spans.iter().filter_map(|of| {
        let (by, end) = of.closed?;
        let parameters = facts.parameters(by, end.until.0);
        let rules: &'a GivenUp = &parameters.notices.given_up;
        let agreed = rules.agreed_by.iter().all(|party| end.agreed_by.contains(party));
        let tried = tried(facts, of, by);
        let closing = &parameters.outreach.closing;
        let enough = closing.attempts.is_none_or(|attempts| attempts <= u32::try_from(tried.len()).unwrap_or(u32::MAX));
        let first = tried.first().map(|attempt| attempt.occurred_at.day());
        let waited = closing.window_days.is_none_or(|days| {
            let over = first.and_then(|first| first.checked_add_days(Days::new(days.into())));
            over.is_some_and(|over| over <= by.occurred_at.day())
        });
        let premature = rules.reasons.contains(&end.reason) && !(agreed && enough && waited);
        premature.then(|| Finding {
            code: "premature_discontinuation",
            rule: &rules.rule,
            of: by,
            program: Some(of.enrolled.program),
            about: format!("{}|{}", end.enrollment, of.number),
            from: end.until.0,
            until: None,
            because: evidence(tried.iter().copied().chain([by])),
        })
    });
    given_up.collect()
}

/// The attempts that count since the member was last reached, of those made while enrolled and not after the end was told.
fn tried<'a>(facts: &Facts<'a>, of: &EnrollmentSpan<'a>, by: &Envelope) -> Vec<&'a Envelope> {
    let mut tried = Vec::new();
    for envelope in &facts.standing {
        let Event::Outreach(Outreach::OutreachAttempted(attempt)) = &envelope.event else { continue };
        let day = envelope.occurred_at.day();
        let of_it = attempt.program == of.enrolled.program && envelope.plan == of.report.plan;
        if !of_it || day < of.span.from || by.occurred_at.day() < day {
            continue;
        }
        let judgement = judge(attempt, &facts.parameters(envelope, day).outreach);
        if judgement.contact {
            tried.clear();
        } else if judgement.counts {
            tried.push(*envelope);
        }
    }
    tried
}
