//! When an undecided request counts as denied (CLK-5).

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use rollbook_events::families::authorization::AuthorizationRequested;
use rollbook_events::time::start_of_pacific_day;

use crate::rulebook::{DecisionClock, Parameters, Unit};
use crate::rules::business_days::add_business_days;

/// The day a clock runs out, and the first instant at which it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Expiry {
    pub(super) at: DateTime<Utc>,
    pub(super) on: NaiveDate,
}

/// The earliest binding clock of a request (CLK-9); none where the rulebook knows none.
pub(super) fn expiry(asked: &AuthorizationRequested, parameters: &Parameters) -> Option<Expiry> {
    let day = asked.received_at.day();
    let applies = |clock: &&DecisionClock| {
        clock.binding
            && clock.urgency == asked.urgency
            && (clock.programs.is_empty() || clock.programs.contains(&asked.program))
            && clock.from.is_none_or(|from| from.0 <= day)
            && clock.until.is_none_or(|until| day < until.0)
    };
    let clocks = parameters.authorization.clock.iter().filter(applies);
    clocks.filter_map(|clock| ends(clock, asked, parameters)).min()
}

fn ends(clock: &DecisionClock, asked: &AuthorizationRequested, parameters: &Parameters) -> Option<Expiry> {
    let day = asked.received_at.day();
    let on = match clock.unit {
        Unit::Hours => {
            let at = asked.received_at.utc().checked_add_signed(TimeDelta::hours(clock.amount.into()))?;
            return Some(Expiry { at, on: rollbook_events::pacific_day(&at) });
        }
        Unit::CalendarDays => day.checked_add_days(Days::new(clock.amount.into()))?,
        Unit::BusinessDays => add_business_days(day, clock.amount, &parameters.calendar),
    };
    // The last day itself is still in time.
    Some(Expiry { at: start_of_pacific_day(on.succ_opt()?).to_utc(), on })
}
