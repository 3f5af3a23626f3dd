//! Whether services were in place when an enrollment ended (NOA-1).

use chrono::NaiveDate;
use rollbook_events::codes::{AuthorizationOutcome, Basis};
use rollbook_events::families::authorization::Authorization;
use rollbook_events::families::enrollment::Enrollment;
use rollbook_events::{Envelope, Event};

use crate::enrollment_spans::EnrollmentSpan;
use crate::rules::facts::Facts;

/// Whether services were in place, and the event that says so where it is another than the enrollment.
#[derive(Debug, Clone, Copy)]
pub(super) enum InPlace<'a> {
    /// They were.
    Yes(Option<&'a Envelope>),
    /// The enrollment rests on an authorization, and nothing shows that service began.
    NeverStarted(Option<&'a Envelope>),
}

/// Service shows in its start, its units and stays, a reassessment or a lead care manager. A grandfathered member had it
/// before; where no authorization is on record, the enrollment itself says so.
pub(super) fn in_place<'a>(facts: &Facts<'a>, of: &EnrollmentSpan<'a>, until: NaiveDate) -> InPlace<'a> {
    let shown = facts.standing.iter().find(|envelope| shows_service(envelope, of, until));
    if let Some(shown) = shown {
        return InPlace::Yes(Some(*shown));
    }
    if matches!(of.enrolled.basis, Basis::GrandfatheredWpc | Basis::GrandfatheredHhp) {
        return InPlace::Yes(None);
    }
    let granted = facts.standing.iter().find(|envelope| grants(envelope, of, until)).copied();
    if granted.is_some() || of.enrolled.authorization.is_some() {
        InPlace::NeverStarted(granted)
    } else {
        InPlace::Yes(None)
    }
}

fn shows_service(envelope: &Envelope, of: &EnrollmentSpan<'_>, until: NaiveDate) -> bool {
    let Event::Enrollment(event) = &envelope.event else { return false };
    let program = of.enrolled.program;
    let same_plan = envelope.plan == of.report.plan;
    match event {
        Enrollment::ServiceStarted(e) => of.is_meant(envelope, e.enrollment) && e.on.0 < until,
        Enrollment::LeadCareManagerAssigned(e) => of.is_meant(envelope, e.enrollment) && e.from.0 < until,
        Enrollment::Reassessed(e) => of.is_meant(envelope, e.enrollment) && e.on.0 < until,
        // Outreach units are no service.
        Enrollment::UnitsRecorded(e) => {
            let month = e.month.to_string();
            let of_month = |day: NaiveDate| day.format("%Y-%m").to_string();
            let last = until.pred_opt().unwrap_or(until);
            let here = of_month(of.span.from) <= month && month <= of_month(last);
            e.program == program && same_plan && e.units > e.outreach_units && here
        }
        Enrollment::StayRecorded(e) => {
            let day = e.admitted_at.day();
            e.program == program && same_plan && of.span.from <= day && day < until
        }
        Enrollment::Enrolled(_)
        | Enrollment::ProviderAssigned(_)
        | Enrollment::OptedOut(_)
        | Enrollment::DiscontinuationRecommended(_)
        | Enrollment::Disenrolled(_)
        | Enrollment::Reinstated(_) => false,
    }
}

fn grants(envelope: &Envelope, of: &EnrollmentSpan<'_>, until: NaiveDate) -> bool {
    let Event::Authorization(Authorization::AuthorizationDecided(decision)) = &envelope.event else { return false };
    let granted = matches!(decision.outcome, AuthorizationOutcome::Approved | AuthorizationOutcome::Modified);
    let named = of.rests_on(envelope, decision.authorization);
    let of_program = envelope.plan == of.report.plan && decision.program == of.enrolled.program;
    granted && (named || of_program && decision.decided_at.day() < until)
}
