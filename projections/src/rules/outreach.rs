//! What counts as an outreach attempt (OUT-1 to OUT-14), and what as a contact.

use rollbook_events::codes::{OutreachChannel, Reached};
use rollbook_events::families::outreach::OutreachAttempted;

use crate::rulebook::OutreachRules;

/// Why an attempt made while enrolled does not count: it is service (B3-17).
pub const ENROLLED: &str = "enrolled";

/// Why an attempt that is told again does not count: it is the same one (B3-14).
pub const REPEATED: &str = "repeated";

/// Why a message that invites no answer does not count: it is marketing or education (OUT-6).
pub const NO_RESPONSE_INVITED: &str = "no_response_invited";

/// What the rules make of one attempt, apart from whether it precedes enrollment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judgement {
    /// Whether it counts as an attempt; success is no condition (OUT-3).
    pub counts: bool,
    /// Why it does not.
    pub reason: Option<&'static str>,
    /// Whether it counts and reached the member, or who may speak for a child.
    pub contact: bool,
}

/// A test of one attempt: why it does not count, if so.
type Test = fn(&OutreachAttempted, &OutreachRules) -> Option<&'static str>;

/// All of them must hold; the first that does not gives the reason.
const TESTS: &[Test] = &[channel_counts, robocall_has_staff, written_word_is_a_request, delivered];

/// Judges one attempt.
pub fn judge(attempt: &OutreachAttempted, rules: &OutreachRules) -> Judgement {
    let reason = TESTS.iter().find_map(|test| test(attempt, rules));
    let counts = reason.is_none();
    Judgement { counts, reason, contact: counts && rules.contact.contains(&attempt.reached) }
}

/// OUT-2: in person, email, text, phone call or other electronic method; mail where the plan's rules say so.
fn channel_counts(attempt: &OutreachAttempted, rules: &OutreachRules) -> Option<&'static str> {
    if attempt.channel == OutreachChannel::Mail {
        return (!rules.mail_counts).then_some("mail_not_counted");
    }
    (!rules.channels.contains(&attempt.channel)).then_some("channel_not_counted")
}

/// OUT-9 to OUT-13: dialling a list is no attempt; a call-back picked up by staff is one, and so is staff that speaks
/// or leaves a live message. The call-back is dated at the call-back, never at the robocall (CON-22).
fn robocall_has_staff(attempt: &OutreachAttempted, _: &OutreachRules) -> Option<&'static str> {
    let is_robocall = attempt.channel == OutreachChannel::Robocall;
    (is_robocall && !attempt.callback && !attempt.live_staff).then_some("robocall_without_staff")
}

/// OUT-1, OUT-5, OUT-6: what is written counts where it is individual and asks for a response; else it is marketing.
/// Who stands at a door or calls one person does both by doing so (OUT-7, OUT-8, OUT-14).
fn written_word_is_a_request(attempt: &OutreachAttempted, _: &OutreachRules) -> Option<&'static str> {
    match attempt.channel {
        OutreachChannel::InPerson | OutreachChannel::Phone | OutreachChannel::Robocall => None,
        OutreachChannel::Text | OutreachChannel::Email | OutreachChannel::Portal | OutreachChannel::Mail => {
            if !attempt.response_invited {
                Some(NO_RESPONSE_INVITED)
            } else if !attempt.individualized {
                Some("not_individualized")
            } else {
                None
            }
        }
    }
}

/// OUT-1: whom a message never reached had no opportunity to respond.
fn delivered(attempt: &OutreachAttempted, rules: &OutreachRules) -> Option<&'static str> {
    let is_undeliverable = attempt.reached == Reached::Undeliverable;
    (is_undeliverable && !rules.undeliverable_counts).then_some("undeliverable_not_counted")
}
