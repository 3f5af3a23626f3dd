//! Events in words, as the reasoning of a determination names them. No free text and no number of anybody's is repeated.

use rollbook_events::codes::{AuthorizationOutcome, DecidedBy, RequestedBy};
use rollbook_events::envelope::Sensitivity;
use rollbook_events::families::authorization::{Authorization, AuthorizationDecided};
use rollbook_events::families::correction::Correction;
use rollbook_events::families::enrollment::{Disenrolled, Enrollment};
use rollbook_events::families::outreach::Outreach;
use rollbook_events::families::referral::{Referral, ServiceAssessed};
use rollbook_events::families::who::Who;
use rollbook_events::{Envelope, Event};

/// A code as words.
pub(super) fn words(code: &str) -> String {
    code.replace('_', " ")
}

fn list<'a>(codes: impl Iterator<Item = &'a str>) -> String {
    codes.map(words).collect::<Vec<_>>().join(", ")
}

/// Whether an event's detail is to be told at all.
pub(super) fn is_open(envelope: &Envelope) -> bool {
    envelope.sensitivity == Sensitivity::None
}

/// What an event says, with its day; of a sensitive one no more than its kind.
pub(super) fn happened(envelope: &Envelope) -> String {
    if !is_open(envelope) {
        return format!("an event of the kind {}, whose detail is withheld", envelope.event.name());
    }
    format!("on {} {}", envelope.occurred_at.day(), clause(&envelope.event))
}

/// What an event says, as a clause without its day.
fn clause(event: &Event) -> String {
    let told = match event {
        Event::Enrollment(event) => enrollment(event),
        Event::Authorization(event) => Some(authorization(event)),
        Event::Referral(event) => referral(event),
        Event::Outreach(Outreach::OutreachClosed(e)) => Some(format!("outreach for {} was given up", e.program)),
        Event::Outreach(Outreach::OutreachAttempted(e)) => {
            Some(format!("somebody tried to reach the member for {} by {}", e.program, words(e.channel.as_str())))
        }
        Event::Who(Who::MemberDied(e)) => Some(format!("the death of the member on {} was reported", e.on.0)),
        Event::Correction(Correction::EventVoided(e)) => Some(format!("the event {} was voided", e.event)),
        Event::Who(_)
        | Event::Coverage(_)
        | Event::OtherPrograms(_)
        | Event::Outreach(_)
        | Event::Notice(_)
        | Event::Rules(_) => None,
    };
    told.unwrap_or_else(|| format!("the event {} was told", event.name()))
}

fn enrollment(event: &Enrollment) -> Option<String> {
    Some(match event {
        Enrollment::Enrolled(e) => format!("the member was enrolled in {} from {} on", e.program, e.from.0),
        Enrollment::ServiceStarted(e) => format!("service was told to have begun on {}", e.on.0),
        Enrollment::LeadCareManagerAssigned(e) => format!("a lead care manager was assigned from {} on", e.from.0),
        Enrollment::StayRecorded(e) => format!("a stay of {} was recorded", e.program),
        Enrollment::UnitsRecorded(e) => format!("units of {} were recorded for {}", e.program, e.month),
        Enrollment::OptedOut(e) => {
            let signed = if e.signed { ", in a signed statement" } else { "" };
            format!("{} declined {}{signed}", decider(e.by), e.program)
        }
        Enrollment::DiscontinuationRecommended(e) => {
            format!("the end of the enrollment was recommended ({})", words(e.reason.as_str()))
        }
        Enrollment::Disenrolled(e) => disenrolled(e),
        Enrollment::Reinstated(e) => format!("the enrollment was told to go on from {}", e.from.0),
        Enrollment::Reassessed(e) => {
            format!("a reassessment of {} was told ({})", e.on.0, words(e.outcome.as_str()))
        }
        Enrollment::ProviderAssigned(_) => return None,
    })
}

fn decider(by: DecidedBy) -> &'static str {
    match by {
        DecidedBy::Member => "the member",
        DecidedBy::Guardian => "a guardian",
        DecidedBy::Representative => "a representative",
    }
}

fn disenrolled(e: &Disenrolled) -> String {
    let agreed = e.agreed_by.iter().map(|party| party.as_str()).collect::<Vec<_>>();
    let agreed = if agreed.is_empty() {
        "nobody is on record as agreeing".to_owned()
    } else {
        format!("agreed by {}", agreed.join(" and "))
    };
    let reason = words(e.reason.as_str());
    format!("the enrollment was ended with {} as the first day no longer covered ({reason}; {agreed})", e.until.0)
}

fn authorization(event: &Authorization) -> String {
    match event {
        Authorization::AuthorizationRequested(e) => {
            let (program, urgency) = (e.program, e.urgency.as_str());
            match asker(e.requested_by) {
                Some(asker) => format!("{asker} asked for {program} ({urgency})"),
                None => format!("a request for {program} came in that nobody had asked for outright ({urgency})"),
            }
        }
        Authorization::AuthorizationDecided(e) => decided(e),
    }
}

/// Who asked outright.
fn asker(by: RequestedBy) -> Option<&'static str> {
    match by {
        RequestedBy::Member => Some("the member"),
        RequestedBy::Provider => Some("a provider"),
        RequestedBy::Nobody => None,
    }
}

fn decided(e: &AuthorizationDecided) -> String {
    let outcome = match e.outcome {
        AuthorizationOutcome::Approved => "granted",
        AuthorizationOutcome::Modified => "granted in another form than asked",
        AuthorizationOutcome::Denied => "denied",
        AuthorizationOutcome::Deferred => "put off",
    };
    let reasons = list(e.reasons.iter().map(|reason| reason.as_str()));
    let reasons = if reasons.is_empty() { reasons } else { format!(" ({reasons})") };
    format!("the request for {} was {outcome}{reasons}", e.program)
}

fn referral(event: &Referral) -> Option<String> {
    Some(match event {
        Referral::MemberIdentified(e) => format!("the member was listed for {}", e.program),
        Referral::PopulationAssessed(e) => {
            let met = if e.met { "met" } else { "not met" };
            format!("the population {} was found {met}", words(e.population.as_str()))
        }
        Referral::ReferralReceived(e) => {
            let asker = asker(e.requested_by).unwrap_or("nobody");
            format!("a referral to {} came in, which {asker} had asked for outright", e.program)
        }
        Referral::ServiceAssessed(e) => assessed(e),
        Referral::ReferralUpdated(_) => return None,
    })
}

fn assessed(e: &ServiceAssessed) -> String {
    let found = [
        (e.definition_met, "the definition is not met"),
        (e.medically_appropriate, "it is not medically appropriate"),
        (e.cost_effective, "it is not cost effective"),
    ];
    let missing: Vec<&str> = found.iter().filter(|(holds, _)| !holds).map(|(_, says)| *says).collect();
    let missing = if missing.is_empty() { "all three findings hold".to_owned() } else { missing.join(", ") };
    format!("{} was assessed: {missing}", e.program)
}
