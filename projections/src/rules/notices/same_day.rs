//! What allows a notice to be mailed as late as on the day service ends (CLK-2).

use chrono::NaiveDate;
use rollbook_events::families::enrollment::{Disenrolled, Enrollment};
use rollbook_events::families::notice::Notice;
use rollbook_events::families::who::Who;
use rollbook_events::{Envelope, Event, Program};

use crate::rulebook::{Ground, SameDay};
use crate::rules::facts::Facts;

/// The end of service that a notice is about.
#[derive(Debug, Clone, Copy)]
pub struct Action<'a> {
    /// The event whose plan and county it is of.
    pub of: &'a Envelope,
    /// The program.
    pub program: Program,
    /// The disenrollment; none where none is on record.
    pub end: Option<&'a Disenrolled>,
    /// The last day on which something may have happened to be a ground: that of the mailing.
    pub by: NaiveDate,
}

impl<'a> Action<'a> {
    /// The ground that holds, by the rules in force on a day.
    pub fn same_day(&self, facts: &Facts<'a>, day: NaiveDate) -> Option<&'a SameDay> {
        let rules = &facts.parameters(self.of, day).notices;
        rules.same_day.iter().find(|ground| {
            let of_reason = self.end.is_some_and(|end| ground.reasons.contains(&end.reason));
            (ground.reasons.is_empty() || of_reason) && self.is_on_record(facts, ground.ground)
        })
    }

    fn is_on_record(&self, facts: &Facts<'a>, ground: Ground) -> bool {
        let first = self.first_day(facts);
        let within = |day: NaiveDate| first.is_none_or(|first| first <= day) && day <= self.by;
        let is_ground = |envelope: &&Envelope| match ground {
            Ground::Reason => true,
            Ground::DeathRecorded => {
                matches!(&envelope.event, Event::Who(Who::MemberDied(died)) if died.on.0 <= self.by)
            }
            Ground::SignedStatement => {
                let Event::Enrollment(Enrollment::OptedOut(wish)) = &envelope.event else { return false };
                let of_it = wish.program == self.program && envelope.plan == self.of.plan;
                wish.signed && of_it && within(envelope.occurred_at.day())
            }
            Ground::MailReturned => {
                let Event::Notice(Notice::MailReturned(mail)) = &envelope.event else { return false };
                !mail.forwarding_address && envelope.plan == self.of.plan && within(mail.on.0)
            }
        };
        facts.standing.iter().copied().any(|envelope| is_ground(&envelope))
    }

    /// The first day of the span that ended: what was said or came back before it is of another time.
    fn first_day(&self, facts: &Facts<'_>) -> Option<NaiveDate> {
        let end = self.end?;
        let spans = facts.spans.iter().filter(|of| of.is_meant(self.of, end.enrollment));
        spans.map(|of| of.span.from).filter(|from| *from < end.until.0).max()
    }
}
