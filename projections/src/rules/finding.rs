//! What a finding is: something a reader must look at, with the days it concerns and the events it rests on.

use chrono::NaiveDate;
use rollbook_events::{Envelope, EventId, Program};

use super::facts::Facts;

/// Something a reader must look at. The days are of the matter itself, never of its being late "now".
#[derive(Debug, Clone)]
pub struct Finding<'a> {
    /// Its code, one of [`CODES`].
    pub code: &'static str,
    /// The rule of the catalogue that says so.
    pub rule: &'a str,
    /// The event whose record it is: plan, county and member are its.
    pub of: &'a Envelope,
    /// The program it is about.
    pub program: Option<Program>,
    /// What tells it from others of its code, program and plan: an enrollment, an authorization, a day.
    pub about: String,
    /// First day.
    pub from: NaiveDate,
    /// First day no longer; none while it stands.
    pub until: Option<NaiveDate>,
    /// The events it rests on, in the order they happened.
    pub because: Vec<EventId>,
}

/// A rule that finds something: pure, from the facts alone.
pub type Find = for<'a> fn(&Facts<'a>) -> Vec<Finding<'a>>;

/// The ids of the events a finding rests on, in the order they happened, each once.
pub fn evidence<'a>(events: impl IntoIterator<Item = &'a Envelope>) -> Vec<EventId> {
    let mut events: Vec<&Envelope> = events.into_iter().collect();
    events.sort_by_key(|envelope| (envelope.occurred_at.earliest().utc(), envelope.id));
    let mut ids: Vec<EventId> = events.iter().map(|envelope| envelope.id).collect();
    ids.dedup();
    ids
}

/// A code and what it says, as `rollbook rulebook --findings` prints them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The code.
    pub code: &'static str,
    /// What it says.
    pub says: &'static str,
}

/// Every code, in order of the alphabet.
pub const CODES: &[Code] = &[
    Code { code: "age_limit", says: "The member's age on the day is outside what the service is for." },
    Code {
        code: "agency_overlap",
        says: "One agency serves the client under its plan contract and its county contract at once.",
    },
    Code {
        code: "alternative_referral_expected",
        says: "A denial or an end calls for a referral to an alternative, and none is on record.",
    },
    Code { code: "appeal_filed_late", says: "An appeal was filed after the last day to file it." },
    Code { code: "appeal_late", says: "An appeal was resolved after its clock, or is unresolved past it." },
    Code { code: "attribution_review", says: "Units alone do not say to whom, or whether, the month is paid." },
    Code {
        code: "authorization_late",
        says: "A request was decided after its governing clock, or is undecided past it.",
    },
    Code { code: "beyond_scope", says: "The provider does not serve the member's population." },
    Code { code: "billed_without_units", says: "A month is on record with no unit of service in it." },
    Code { code: "cap_reached", says: "An outreach attempt lies past the number that the plan pays for." },
    Code {
        code: "categorical_limit",
        says: "A service ended at a number of days, whatever the member's circumstances.",
    },
    Code { code: "choose_program", says: "Two programs exclude one another and the member has not chosen." },
    Code { code: "class_rule", says: "A program that no rule names was judged by the rule of its class." },
    Code { code: "clock_warning", says: "A clock that does not bind has passed." },
    Code { code: "coverage_gap", says: "Service was given on days without the coverage it needs." },
    Code { code: "determination_superseded", says: "A later fact took the place of a notice determination." },
    Code {
        code: "discretionary_threshold",
        says: "A population was found met below its numeric threshold, at the plan's discretion.",
    },
    Code { code: "double_billing", says: "One agency may bill two sources for the same client and services." },
    Code { code: "duplicate_enrollment", says: "The member is enrolled twice in one program at once." },
    Code { code: "duplicate_lcm", says: "Two lead care managers lead one member's care at once." },
    Code { code: "duplicate_service", says: "Two programs that give the same service run at once." },
    Code { code: "exclusion_found", says: "A program or product that rules out the enrollment was found." },
    Code { code: "hn_tss_simultaneous", says: "Housing navigation and tenancy sustaining services run at once." },
    Code { code: "incomplete", says: "A record lacks what it must say." },
    Code { code: "mail_not_counted", says: "A letter is no outreach attempt under the plan's rules." },
    Code { code: "narrowed_by_plan", says: "A plan's rule narrows what its issuer may not narrow." },
    Code { code: "not_offered", says: "The plan does not offer the service in the county on the day." },
    Code { code: "notice_late", says: "A notice was mailed after its last lawful day." },
    Code { code: "notice_missing", says: "A required notice is not on record past its last lawful day." },
    Code { code: "offering_withdrawn", says: "The plan has withdrawn a service that the member receives." },
    Code { code: "premature_discontinuation", says: "Trying was given up before the plan's own policy allows it." },
    Code { code: "reassessment_late", says: "A reassessment was done, or is still owed, after its due day." },
    Code { code: "referral_open", says: "The loop of a referral is not closed." },
    Code {
        code: "same_day_notice_unsupported",
        says: "A notice without advance rests on an exception that no event supports.",
    },
    Code { code: "sources_disagree", says: "Two sources give different ends for one thing." },
    Code { code: "stay_too_long", says: "A stay lasted as long as, or longer than, the service allows." },
    Code { code: "too_frequent", says: "A reassessment followed the one before too soon." },
    Code {
        code: "transition_list_deviation",
        says: "A member on the transition list was not moved to the matching service.",
    },
    Code {
        code: "transition_not_offered",
        says: "The plan does not offer the service that a transitioning member had.",
    },
    Code { code: "unassigned_role", says: "Nobody is assigned a task that the roles leave open." },
    Code {
        code: "unauthorized_presumptive",
        says: "A provider that is not on the plan's list, or for a service that is not, approved presumptively.",
    },
    Code {
        code: "unauthorized_service",
        says: "A service that needs its own authorization was given or billed without one.",
    },
    Code {
        code: "undeliverable_not_counted",
        says: "A message that never arrived is no outreach attempt under the plan's rules.",
    },
    Code { code: "units_below_minimum", says: "A month's units lie below the number from which the plan pays." },
    Code {
        code: "units_without_enrollment",
        says: "A month's units are outreach alone, to somebody who was not enrolled in it.",
    },
    Code { code: "unverified_program", says: "A program is suspected and nobody has verified it." },
    Code { code: "wrong_channel", says: "A service is delivered through a channel that is not the member's." },
];

/// A code of the list by its name, for rules whose data name the code.
pub fn code(name: &str) -> Option<&'static str> {
    CODES.iter().map(|code| code.code).find(|code| *code == name)
}
