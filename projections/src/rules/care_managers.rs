//! One lead care manager leads a member's care at a time (ROLE-15).

use rollbook_events::codes::Key;
use rollbook_events::families::enrollment::{Enrollment, LeadCareManagerAssigned};
use rollbook_events::{Envelope, Event, Program};

use super::facts::Facts;
use super::finding::{Finding, evidence};
use crate::spans::Span;

/// Who leads, on days of an enrollment.
struct Lead<'a> {
    program: Program,
    manager: &'a Key,
    span: Span,
    by: &'a Envelope,
}

/// ROLE-15: two managers who lead one member's care in one program on the same days, in one enrollment or in two.
pub fn two_at_once<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let leads = leads(facts);
    let mut found = Vec::new();
    for (index, one) in leads.iter().enumerate() {
        for two in leads.iter().skip(index + 1) {
            let Some(span) = one.span.overlap(two.span) else { continue };
            if one.program == two.program && one.manager != two.manager {
                found.push(Finding {
                    code: "duplicate_lcm",
                    rule: "ROLE-15",
                    of: two.by,
                    program: Some(two.program),
                    about: format!("{} {}", one.manager.min(two.manager), one.manager.max(two.manager)),
                    from: span.from,
                    until: span.until,
                    because: evidence([one.by, two.by]),
                });
            }
        }
    }
    found
}

/// Who leads when, in order of their first days, within the days of the enrollments they lead in.
fn leads<'a>(facts: &Facts<'a>) -> Vec<Lead<'a>> {
    let told = assignments(&facts.standing);
    let mut leads = Vec::new();
    for (by, assigned) in &told {
        // A file names who leads now: whoever led before and had no end in sight has made room for him.
        let next = told.iter().filter(|(later, other)| {
            later.source.as_ref().is_some_and(|source| source.file_sha256.is_some())
                && (&later.plan, other.enrollment) == (&by.plan, assigned.enrollment)
                && other.from > assigned.from
        });
        let until = assigned.until.or_else(|| next.map(|(_, other)| other.from).min());
        let Some(span) = Span::new(assigned.from.0, until.map(|day| day.0)) else { continue };
        let within = facts.spans.iter().filter(|of| of.is_meant(by, assigned.enrollment));
        leads.extend(within.filter_map(|of| {
            let span = span.overlap(of.span)?;
            Some(Lead { program: of.enrolled.program, manager: &assigned.manager, span, by })
        }));
    }
    leads.sort_by_key(|lead| (lead.span.from, lead.by.occurred_at.earliest().utc(), lead.by.id));
    leads
}

/// The last word on each assignment: told again with its end, it is the same one.
fn assignments<'a>(standing: &[&'a Envelope]) -> Vec<(&'a Envelope, &'a LeadCareManagerAssigned)> {
    let mut told: Vec<(&'a Envelope, &'a LeadCareManagerAssigned)> = Vec::new();
    for envelope in standing {
        if let Event::Enrollment(Enrollment::LeadCareManagerAssigned(assigned)) = &envelope.event {
            let same = |other: &LeadCareManagerAssigned| {
                (other.enrollment, &other.manager, other.from)
                    == (assigned.enrollment, &assigned.manager, assigned.from)
            };
            told.retain(|(of, other)| of.plan != envelope.plan || !same(other));
            told.push((*envelope, assigned));
        }
    }
    told
}
