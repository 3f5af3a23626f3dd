//! Services that run beside one another and call for a look (B1-48, ELIG-28), and services cut off by a number of days
//! (AUTH-11).

use rollbook_events::Envelope;
use rollbook_events::codes::DisenrollmentReason;
use rollbook_events::families::enrollment::Disenrolled;

use super::facts::Facts;
use super::finding::{Finding, code, evidence};
use crate::enrollment_spans::EnrollmentSpan;
use crate::participations::{Held, What};

/// B1-48, B1-49: pairs of programs that no rule forbids to run at once, and yet somebody should look at.
pub fn beside_one_another<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let held = unbroken(&facts.held);
    let mut found = Vec::new();
    for one in &held {
        for entry in &facts.parameters(one.evidence, one.span.from).services.beside {
            let Some(code) = code(&entry.code).filter(|_| one.what == What::Program(entry.a)) else { continue };
            for two in held.iter().filter(|two| two.what == What::Program(entry.b)) {
                let Some(span) = one.span.overlap(two.span) else { continue };
                found.push(Finding {
                    code,
                    rule: &entry.rule,
                    of: one.evidence,
                    program: Some(entry.a),
                    about: entry.b.as_str().to_owned(),
                    from: span.from,
                    until: span.until,
                    because: evidence([one.evidence, two.evidence]),
                });
            }
        }
    }
    found
}

/// What is held, with the parts of one enrollment that a change of channel cuts joined again.
fn unbroken<'a>(held: &[Held<'a>]) -> Vec<Held<'a>> {
    let mut whole: Vec<Held<'a>> = Vec::with_capacity(held.len());
    for one in held {
        match whole.last_mut() {
            Some(last) if last.identity == one.identity && last.span.until == Some(one.span.from) => {
                last.span.until = one.span.until;
            }
            _ => whole.push(*one),
        }
    }
    whole
}

/// AUTH-11, RC-1, B6-15: no service ends at a number of days irrespective of outcome and circumstance.
pub fn cut_off_by_days<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    ended(facts, DisenrollmentReason::DayLimit, "categorical_limit", "AUTH-11")
}

/// E-3: an end whose reason nobody knows; it is asked for, and never turned into another.
pub fn ended_for_no_known_reason<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    ended(facts, DisenrollmentReason::Unknown, "incomplete", "E-3")
}

fn ended<'a>(
    facts: &Facts<'a>,
    reason: DisenrollmentReason,
    code: &'static str,
    rule: &'static str,
) -> Vec<Finding<'a>> {
    let finding = |of: &EnrollmentSpan<'a>, by: &'a Envelope, end: &Disenrolled| Finding {
        code,
        rule,
        of: by,
        program: Some(of.enrolled.program),
        about: of.enrolled.enrollment.to_string(),
        from: end.until.0,
        until: None,
        because: evidence([of.report, by]),
    };
    let ends = facts.spans.iter().filter_map(|of| of.closed.map(|(by, end)| (of, by, end)));
    ends.filter(|(_, _, end)| end.reason == reason).map(|(of, by, end)| finding(of, by, end)).collect()
}
