//! By when a notice is mailed (CLK-1, CLK-2, CLK-4, CLK-5, CLK-10).

use chrono::{Days, NaiveDate};
use rollbook_events::codes::NoticeKind;
use rollbook_events::families::enrollment::{Disenrolled, Enrollment};
use rollbook_events::families::notice::Notice;
use rollbook_events::families::who::Who;
use rollbook_events::{Envelope, Event, PlanCode, Program};

use crate::rulebook::{Ground, NoticeRules};
use crate::rules::business_days::add_business_days;
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
}

impl Matter<'_> {
    /// The last lawful day to mail the notice; none where the rulebook knows none.
    pub(super) fn mail_by(&self, facts: &Facts<'_>) -> Option<NaiveDate> {
        let parameters = facts.parameters(self.trigger, self.on);
        let rules = &parameters.notices;
        match self.notice {
            NoticeKind::Discontinuation => {
                let ends = self.effective_on.unwrap_or(self.on);
                if self.is_same_day_lawful(facts) {
                    return Some(ends);
                }
                ends.checked_sub_days(Days::new(rules.advance.as_ref()?.days.into()))
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
    pub(super) fn is_same_day_lawful(&self, facts: &Facts<'_>) -> bool {
        let Event::Enrollment(Enrollment::Disenrolled(end)) = &self.trigger.event else { return false };
        let rules: &NoticeRules = &facts.parameters(self.trigger, self.on).notices;
        rules.same_day.iter().any(|ground| {
            let of_reason = ground.reasons.is_empty() || ground.reasons.contains(&end.reason);
            of_reason && self.is_on_record(facts, end, ground.ground)
        })
    }

    fn is_on_record(&self, facts: &Facts<'_>, end: &Disenrolled, ground: Ground) -> bool {
        let last = self.effective_on.unwrap_or(self.on);
        let spans = facts.spans.iter().filter(|of| of.enrolled.enrollment == end.enrollment);
        let first = spans.map(|of| of.span.from).filter(|from| *from < end.until.0).max();
        let within = |day: NaiveDate| first.is_none_or(|first| first <= day) && day <= last;
        let plan: &PlanCode = &self.trigger.plan;
        facts.standing.iter().any(|envelope| match (ground, &envelope.event) {
            (Ground::Reason, _) => true,
            (Ground::DeathRecorded, Event::Who(Who::MemberDied(died))) => died.on.0 <= last,
            (Ground::SignedStatement, Event::Enrollment(Enrollment::OptedOut(wish))) => {
                let of_it = wish.program == self.program && envelope.plan == *plan;
                of_it && wish.signed && within(envelope.occurred_at.day())
            }
            (Ground::MailReturned, Event::Notice(Notice::MailReturned(mail))) => {
                !mail.forwarding_address && envelope.plan == *plan && within(mail.on.0)
            }
            (
                Ground::DeathRecorded | Ground::SignedStatement | Ground::MailReturned,
                Event::Who(_)
                | Event::Coverage(_)
                | Event::OtherPrograms(_)
                | Event::Referral(_)
                | Event::Authorization(_)
                | Event::Outreach(_)
                | Event::Enrollment(_)
                | Event::Notice(_)
                | Event::Rules(_)
                | Event::Correction(_),
            ) => false,
        })
    }
}
