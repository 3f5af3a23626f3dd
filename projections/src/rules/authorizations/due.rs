//! The clocks of one request, and which of them governs (CLK-9).

use rollbook_events::codes::AuthorizationOutcome;
use rollbook_events::families::authorization::AuthorizationRequested;

use super::Decision;
use crate::rulebook::{DecisionClock, Parameters};
use crate::rules::clocks::{Due, calendar_checked, due_from, extended};

/// One clock of a request.
#[derive(Debug, Clone, Copy)]
pub struct DecisionDue<'a> {
    /// The rule.
    pub clock: &'a DecisionClock,
    /// Whether it is the clock as extended.
    pub is_extended: bool,
    /// When it has run out.
    pub due: Due,
    /// Whether it binds.
    pub is_binding: bool,
    /// Whether it applies: the extended clocks do where the request was deferred in time, else the others.
    pub applies: bool,
    /// Whether it is the earliest of those that apply; more than one may be.
    pub is_governing: bool,
    /// Whether the holidays it counts by were checked.
    pub is_calendar_checked: Option<bool>,
}

/// All clocks of a request.
pub(super) fn all<'a>(
    told: &'a AuthorizationRequested,
    decisions: &[Decision<'_>],
    parameters: &'a Parameters,
) -> Vec<DecisionDue<'a>> {
    let mut all: Vec<DecisionDue<'a>> = Vec::new();
    let rules = &parameters.authorization;
    for clock in rules.plan_clock.iter().chain(&rules.clock).filter(|clock| speaks_of(clock, told)) {
        if !all.iter().any(|other| other.clock.rule == clock.rule) {
            all.extend(both(clock, told, parameters));
        }
    }
    let is_deferred = is_deferred_in_time(&all, decisions) && all.iter().any(|due| due.is_extended);
    all.iter_mut().for_each(|due| due.applies = due.is_extended == is_deferred);
    let earliest = all.iter().filter(|due| due.applies).map(|due| due.due.passes_at()).min();
    all.iter_mut().for_each(|due| due.is_governing = due.applies && Some(due.due.passes_at()) == earliest);
    all
}

fn speaks_of(clock: &DecisionClock, told: &AuthorizationRequested) -> bool {
    let day = told.received_at.day();
    clock.urgency == told.urgency
        && (clock.programs.is_empty() || clock.programs.contains(&told.program))
        && clock.from.is_none_or(|from| from.0 <= day)
        && clock.until.is_none_or(|until| day < until.0)
}

/// A clock, and the same as extended where it can be.
fn both<'a>(
    clock: &'a DecisionClock,
    told: &AuthorizationRequested,
    parameters: &'a Parameters,
) -> impl Iterator<Item = DecisionDue<'a>> {
    let calendar = &parameters.calendar;
    let received = told.received_at;
    let due = due_from(received, clock.amount, clock.unit, calendar);
    let of = move |due: Due, is_extended: bool| DecisionDue {
        clock,
        is_extended,
        due,
        // CON-14: the example binds where a plan has made it its own rule.
        is_binding: clock.binding || parameters.expedited.binding,
        applies: false,
        is_governing: false,
        is_calendar_checked: calendar_checked(clock.unit, received.day(), due, calendar),
    };
    std::iter::once(of(due, false)).chain(clock.extension_days.map(|days| of(extended(due, days), true)))
}

/// CLK-6: a deferral moves the request to the extended clocks where it came before the binding ones had passed.
fn is_deferred_in_time(all: &[DecisionDue<'_>], decisions: &[Decision<'_>]) -> bool {
    let binding = all.iter().filter(|due| !due.is_extended && due.is_binding);
    let Some(binding) = binding.min_by_key(|due| due.due.passes_at()) else { return false };
    let deferred = decisions.iter().filter(|decision| decision.told.outcome == AuthorizationOutcome::Deferred);
    deferred.into_iter().any(|decision| binding.due.is_met_at(decision.told.decided_at))
}
