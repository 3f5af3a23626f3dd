//! What follows where an enrollment ends (NOA-1 first ground, NOA-7, NOA-10).

use chrono::NaiveDate;
use rollbook_events::codes::{NoticeKind, NoticeOutcome};
use rollbook_events::families::enrollment::{Disenrolled, Enrollment};
use rollbook_events::families::who::Who;
use rollbook_events::ids::EnrollmentId;
use rollbook_events::{Envelope, Event, PlanCode, Program};

use super::in_place::{InPlace, in_place};
use super::{Answer, Determined, Obligation, evidence};
use crate::enrollment_spans::EnrollmentSpan;
use crate::rulebook::{Cause, NoticeRules, Reviewed};
use crate::rules::facts::Facts;

/// The determinations of every enrollment that ended.
pub(super) fn ended<'a>(facts: &Facts<'a>) -> Vec<Determined<'a>> {
    let mut found = Vec::new();
    for of in &facts.spans {
        if let Some((by, end)) = of.closed {
            found.extend(end_of_span(facts, of, by, end));
        }
    }
    found.extend(facts.standing.iter().filter_map(|envelope| taken_back(facts, envelope)));
    found
}

/// Which span of its enrollment a disenrollment ends: the last that begins before its day.
pub(super) fn span_ended(facts: &Facts<'_>, by: &Envelope, end: &Disenrolled) -> u32 {
    let spans = facts.spans.iter().filter(|of| of.is_meant(by, end.enrollment));
    spans.filter(|of| of.span.from < end.until.0).map(|of| of.number).max().unwrap_or(1)
}

/// Another span at the same plan that holds a day: service that ends on it goes on.
pub(super) fn goes_on<'f, 'a>(
    facts: &'f Facts<'a>,
    plan: &PlanCode,
    program: Program,
    day: NaiveDate,
) -> Option<&'f EnrollmentSpan<'a>> {
    let same = |of: &&EnrollmentSpan<'a>| of.report.plan == *plan && of.enrolled.program == program;
    facts.spans.iter().filter(same).find(|of| of.span.holds(day))
}

fn end_of_span<'a>(
    facts: &Facts<'a>,
    of: &EnrollmentSpan<'a>,
    by: &'a Envelope,
    end: &'a Disenrolled,
) -> Vec<Determined<'a>> {
    let (program, on) = (of.enrolled.program, end.until.0);
    let rules = &facts.parameters(by, on).notices;
    if !rules.programs.contains(&program) {
        return Vec::new();
    }
    let key =
        |availability| Obligation::Ended { enrollment: end.enrollment, span: of.number, availability, plan: &by.plan };
    let determined = |availability, answer, because: Vec<&'a Envelope>| Determined {
        obligation: key(availability),
        program,
        answer,
        trigger: by,
        because: evidence(because),
        on,
    };
    if let Some(next) = goes_on(facts, &of.report.plan, program, on) {
        let because = vec![of.report, by, next.opened_by];
        return vec![determined(false, Answer::not_required("service_continues"), because)];
    }
    let (died, cause) = cause(facts, rules, end);
    let shown = in_place(facts, of, on);
    let (InPlace::Yes(shows) | InPlace::NeverStarted(shows)) = shown;
    let because: Vec<&Envelope> = [Some(of.report), Some(by), shows, died].into_iter().flatten().collect();
    let started = matches!(shown, InPlace::Yes(_));
    let mut found = vec![determined(false, answer(rules, started, cause), because.clone())];
    if let Some(beside) = cause.and_then(|cause| cause.beside.as_ref()) {
        let answer = Answer { rule: &beside.rule, ..Answer::required(beside.notice, "offering_withdrawn") };
        found.push(determined(true, answer, because));
    }
    found
}

/// NOA-7: what plans are to ask their own staff about. A death on record is one, whatever the disenrollment says.
fn cause<'a>(
    facts: &Facts<'a>,
    rules: &'a NoticeRules,
    end: &Disenrolled,
) -> (Option<&'a Envelope>, Option<&'a Reviewed>) {
    let died = facts
        .standing
        .iter()
        .find(|envelope| matches!(&envelope.event, Event::Who(Who::MemberDied(died)) if died.on.0 <= end.until.0));
    let by_death = rules.reviewed.iter().find(|reviewed| died.is_some() && reviewed.cause == Cause::Died);
    let by_reason = || rules.reviewed.iter().find(|reviewed| reviewed.reasons.contains(&end.reason));
    (died.copied(), by_death.or_else(by_reason))
}

fn answer<'a>(rules: &NoticeRules, started: bool, cause: Option<&'a Reviewed>) -> Answer<'a> {
    let ended = if started { "services_discontinued" } else { Cause::NeverStarted.as_str() };
    let required = Answer::required(NoticeKind::Discontinuation, ended);
    match cause {
        Some(reviewed) => {
            let limbs = vec![ended, reviewed.cause.as_str()];
            own_answer(rules, reviewed.cause, Answer { limbs, rule: &reviewed.rule, ..required })
        }
        None if started => required,
        None => own_answer(rules, Cause::NeverStarted, Answer { rule: "NOA-7", ..required }),
    }
}

/// What the plan's own staff said once for all, else that they must be asked.
fn own_answer<'a>(rules: &NoticeRules, cause: Cause, answer: Answer<'a>) -> Answer<'a> {
    let outcome = rules.review.get(&cause).copied().unwrap_or(NoticeOutcome::Review);
    let notice = answer.notice.filter(|_| outcome != NoticeOutcome::NotRequired);
    Answer { outcome, notice, ..answer }
}

/// An enrollment that was ended as of its first day: there is no day it was in place, and no span.
fn taken_back<'a>(facts: &Facts<'a>, envelope: &'a Envelope) -> Option<Determined<'a>> {
    let Event::Enrollment(Enrollment::Enrolled(enrolled)) = &envelope.event else { return None };
    let id = enrolled.enrollment;
    if facts.spans.iter().any(|of| of.is_meant(envelope, id))
        || last_report(facts, &envelope.plan, id)?.id != envelope.id
    {
        return None;
    }
    let (by, end) = facts.standing.iter().rev().find_map(|by| {
        let Event::Enrollment(Enrollment::Disenrolled(end)) = &by.event else { return None };
        (end.enrollment == id && by.plan == envelope.plan).then_some((*by, end))
    })?;
    let rules = &facts.parameters(by, end.until.0).notices;
    if !rules.programs.contains(&enrolled.program) {
        return None;
    }
    let (died, cause) = cause(facts, rules, end);
    Some(Determined {
        obligation: Obligation::Ended { enrollment: id, span: 1, availability: false, plan: &by.plan },
        program: enrolled.program,
        answer: answer(rules, false, cause),
        trigger: by,
        because: evidence([Some(envelope), Some(by), died].into_iter().flatten()),
        on: end.until.0,
    })
}

fn last_report<'a>(facts: &Facts<'a>, plan: &PlanCode, id: EnrollmentId) -> Option<&'a Envelope> {
    let reports = |envelope: &&&Envelope| matches!(&envelope.event, Event::Enrollment(Enrollment::Enrolled(enrolled)) if enrolled.enrollment == id);
    facts.standing.iter().rev().filter(|envelope| envelope.plan == *plan).find(reports).copied()
}
