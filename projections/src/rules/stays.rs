//! Stays in a sobering center: shorter than a day, and for adults (SOB-1, SOB-2).

use chrono::TimeDelta;
use rollbook_events::families::enrollment::{Enrollment, StayRecorded};
use rollbook_events::{Envelope, Event, Program};

use super::facts::Facts;
use super::finding::{Finding, evidence};

/// SOB-1, SOB-2, B6-09 to B6-12: stays that lasted too long, or of somebody too young.
pub fn beyond_limits<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let mut found = Vec::new();
    for envelope in &facts.standing {
        let Event::Enrollment(Enrollment::StayRecorded(stay)) = &envelope.event else { continue };
        if stay.program != Program::SoberingCenter {
            continue;
        }
        let rules = &facts.parameters(envelope, stay.admitted_at.day()).services.sobering_center;
        // Hours that passed, whatever the clocks on the wall did in that night.
        let lasted = stay.discharged_at.utc() - stay.admitted_at.utc();
        if rules.max_hours.is_some_and(|hours| lasted >= TimeDelta::hours(hours.into())) {
            found.push(finding("stay_too_long", "SOB-1", envelope, stay));
        }
        if rules.min_age.zip(stay.age_years).is_some_and(|(least, age)| age < least) {
            found.push(finding("age_limit", "SOB-2", envelope, stay));
        }
    }
    found
}

fn finding<'a>(code: &'static str, rule: &'static str, of: &'a Envelope, stay: &StayRecorded) -> Finding<'a> {
    let (program, because) = (Some(stay.program), evidence([of]));
    let (from, until) = (stay.admitted_at.day(), stay.discharged_at.day().succ_opt());
    Finding { code, rule, of, program, about: stay.admitted_at.utc().to_rfc3339(), from, until, because }
}
