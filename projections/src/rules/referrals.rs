//! Closed-loop referrals: every referral ends with a reason, and until then it is open (C2d, CLK-21).

use rollbook_events::codes::ReferralStatus;
use rollbook_events::families::referral::{Referral, ReferralReceived, ReferralUpdated};
use rollbook_events::{Envelope, Event};

use super::facts::Facts;
use super::finding::{Finding, evidence};

/// CLK-21: referrals whose loop is not closed, or was closed without a reason. Once it is closed with one, there is
/// nothing to look at any more.
pub fn loops<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let mut found = Vec::new();
    for (by, referral) in referrals(&facts.standing) {
        let received = by.occurred_at.day();
        let rules = &facts.parameters(by, received).services.closed_loop;
        if rules.from.is_none_or(|from| received < from.0) || rules.exempt.contains(&referral.program) {
            continue;
        }
        let last = last_update(&facts.standing, by, referral);
        let closed = last.filter(|(_, update)| update.status == ReferralStatus::Closed);
        let (code, from) = match closed {
            None => ("referral_open", received),
            Some((at, ReferralUpdated { closure: None, .. })) => ("incomplete", at.occurred_at.day()),
            Some(_) => continue,
        };
        found.push(Finding {
            code,
            rule: "CLK-21",
            of: by,
            program: Some(referral.program),
            about: referral.referral.to_string(),
            from,
            until: None,
            because: evidence([by].into_iter().chain(last.map(|(at, _)| at))),
        });
    }
    found
}

/// Every referral, as it was last received.
fn referrals<'a>(standing: &[&'a Envelope]) -> Vec<(&'a Envelope, &'a ReferralReceived)> {
    let mut received: Vec<(&'a Envelope, &'a ReferralReceived)> = Vec::new();
    for envelope in standing {
        if let Event::Referral(Referral::ReferralReceived(referral)) = &envelope.event {
            received.retain(|(of, other)| of.plan != envelope.plan || other.referral != referral.referral);
            received.push((*envelope, referral));
        }
    }
    received
}

fn last_update<'a>(
    standing: &[&'a Envelope],
    by: &Envelope,
    referral: &ReferralReceived,
) -> Option<(&'a Envelope, &'a ReferralUpdated)> {
    standing.iter().rev().find_map(|envelope| {
        let Event::Referral(Referral::ReferralUpdated(update)) = &envelope.event else { return None };
        (envelope.plan == by.plan && update.referral == referral.referral).then_some((*envelope, update))
    })
}
