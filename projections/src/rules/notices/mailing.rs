//! By when a notice is mailed (CLK-1, CLK-2, CLK-4, CLK-5, CLK-10).

use chrono::NaiveDate;
use rollbook_events::codes::NoticeKind;
use rollbook_events::families::enrollment::Enrollment;
use rollbook_events::{Envelope, Event, Program};

use super::same_day::Action;
use crate::rules::business_days::{add_business_days, days_before};
use crate::rules::facts::Facts;

/// What a deadline depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matter<'a> {
    pub(super) trigger: &'a Envelope,
    pub(super) program: Program,
    pub(super) notice: NoticeKind,
    /// Whether a clock ran out: the notice is then due on that day.
    pub(super) expired: bool,
    /// The day it concerns.
    pub(super) on: NaiveDate,
    /// The day a mailed notice says that service ends.
    pub(super) effective_on: Option<NaiveDate>,
    /// The day it was mailed.
    pub(super) mailed_on: Option<NaiveDate>,
}

impl<'a> Matter<'a> {
    /// The last lawful day to mail the notice; none where the rulebook knows none.
    pub(super) fn mail_by(&self, facts: &Facts<'a>) -> Option<NaiveDate> {
        let parameters = facts.parameters(self.trigger, self.on);
        let rules = &parameters.notices;
        match self.notice {
            NoticeKind::Discontinuation => {
                let ends = self.effective_on.unwrap_or(self.on);
                if self.is_same_day_lawful(facts) {
                    return Some(ends);
                }
                Some(days_before(ends, rules.advance.as_ref()?.days))
            }
            NoticeKind::Denial | NoticeKind::Modification | NoticeKind::Deferral => {
                let after = rules.decision.as_ref()?;
                let days = if self.expired { 0 } else { after.business_days };
                Some(add_business_days(self.on, days, &parameters.calendar))
            }
            // CLK-28: the sources give no number of days.
            NoticeKind::AvailabilityChange => None,
        }
    }

    /// CLK-2: whether a notice may go out on the day service ends.
    pub(super) fn is_same_day_lawful(&self, facts: &Facts<'a>) -> bool {
        let Event::Enrollment(Enrollment::Disenrolled(end)) = &self.trigger.event else { return false };
        let by = self.mailed_on.or(self.effective_on).unwrap_or(self.on);
        Action { of: self.trigger, program: self.program, end: Some(end), by }.same_day(facts, self.on).is_some()
    }
}
