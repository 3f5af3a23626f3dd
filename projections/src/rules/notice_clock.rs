//! How long before an action its notice is mailed (CLK-1), and what allows it on the day itself (CLK-2).

use rollbook_events::codes::NoticeKind;
use rollbook_events::families::enrollment::Disenrolled;
use rollbook_events::families::notice::{Notice, NoticeIssued};
use rollbook_events::ids::NoticeId;
use rollbook_events::{Envelope, Event};

use super::business_days::{add_days, days_before};
use super::clocks::{Clock, Due, days_late};
use super::facts::Facts;
use super::notices::same_day::Action;
use crate::enrollment_spans::EnrollmentSpan;
use crate::rulebook::SameDay;

/// A notice that was mailed, as last reported.
pub type Issued<'a> = (&'a Envelope, &'a NoticeIssued);

/// Every notice that was mailed, in the order they were first told of.
pub fn issued<'a>(facts: &Facts<'a>) -> Vec<Issued<'a>> {
    let mut issued: Vec<(NoticeId, Issued<'a>)> = Vec::new();
    for envelope in &facts.standing {
        let Event::Notice(Notice::NoticeIssued(told)) = &envelope.event else { continue };
        match issued.iter_mut().find(|(id, (by, _))| *id == told.notice && by.plan == envelope.plan) {
            Some((_, earlier)) => *earlier = (envelope, told),
            None => issued.push((told.notice, (envelope, told))),
        }
    }
    issued.into_iter().map(|(_, issued)| issued).collect()
}

/// CLK-2: what allows a notice to be mailed as late as on the day of the action, where it was on record by then.
pub fn same_day_allowed<'a>(facts: &Facts<'a>, (of, told): Issued<'a>) -> Option<&'a SameDay> {
    let end = end_of(facts, (of, told));
    let action = Action { of, program: told.program, end, by: told.mailed_on.0 };
    action.same_day(facts, told.effective_on.map_or(told.mailed_on.0, |day| day.0))
}

/// The end of service that a notice is about: of the notice's program and plan, the one nearest to its effective day.
fn end_of<'a>(facts: &Facts<'a>, (of, told): Issued<'a>) -> Option<&'a Disenrolled> {
    let effective = told.effective_on.unwrap_or(told.mailed_on).0;
    let ends = facts.spans.iter().filter(|span| span.enrolled.program == told.program && span.report.plan == of.plan);
    let ends = ends.filter_map(|span: &EnrollmentSpan<'a>| span.closed);
    let nearest = ends.min_by_key(|(_, end)| (end.until.0 - effective).num_days().abs());
    nearest.map(|(_, end)| end)
}

/// Whether a notice tells of an action that takes something away, of which the member must know before (CLK-1).
pub fn takes_away(told: &NoticeIssued) -> bool {
    match told.kind {
        NoticeKind::Discontinuation => true,
        // A request granted in part takes nothing away; a reduction has a day from which it holds.
        NoticeKind::Modification => told.effective_on.is_some(),
        NoticeKind::Denial | NoticeKind::Deferral | NoticeKind::AvailabilityChange => false,
    }
}

/// CLK-1, CLK-2: the last day a notice could be mailed, and the first day its action could take effect as it was mailed.
pub fn clocks<'a>(facts: &Facts<'a>) -> Vec<Clock<'a>> {
    issued(facts).into_iter().filter(|(_, told)| takes_away(told)).filter_map(|notice| clock(facts, notice)).collect()
}

fn clock<'a>(facts: &Facts<'a>, (by, told): Issued<'a>) -> Option<Clock<'a>> {
    let mailed = told.mailed_on.0;
    let advance = facts.parameters(by, mailed).notices.advance.as_ref()?;
    let (rule, cite, verified, days) = match same_day_allowed(facts, (by, told)) {
        Some(ground) => (&ground.rule, &ground.cite, ground.verified, 0),
        None => (&advance.rule, &advance.cite, advance.verified, advance.days),
    };
    let due = told.effective_on.map(|effective| days_before(effective.0, days));
    Some(Clock {
        clock: "notice_advance",
        of: told.notice.to_string(),
        by,
        program: Some(told.program),
        rule,
        is_extended: false,
        starts_on: mailed,
        due: due.map(Due::Day),
        is_governing: true,
        is_binding: true,
        met_on: Some(mailed),
        late_by_days: due.map(|due| days_late(due, mailed)),
        earliest_on: Some(add_days(mailed, days)),
        cite,
        is_verified: verified,
        is_calendar_checked: None,
    })
}
