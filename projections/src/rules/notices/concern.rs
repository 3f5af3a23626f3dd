//! Which events can bring a determination about, so that nobody works out a case that cannot have changed.

use rollbook_events::Event;
use rollbook_events::families::authorization::Authorization;
use rollbook_events::families::enrollment::Enrollment;
use rollbook_events::families::notice::Notice;
use rollbook_events::families::outreach::Outreach;
use rollbook_events::families::referral::Referral;
use rollbook_events::families::who::Who;

use crate::dossier::Dossier;

/// Whether new events of a dossier, which already holds them, can have changed what is to be determined.
pub fn concerns<'e>(dossier: &Dossier, new: impl IntoIterator<Item = &'e Event>) -> bool {
    // A clock runs out whatever is told next.
    new.into_iter().any(|event| triggers(event) || is_evidence(event) || asks(dossier)) && may_decide(dossier)
}

/// Whether anything in a dossier raises the question at all, or has answered it.
pub(super) fn may_decide(dossier: &Dossier) -> bool {
    let decides = |event: &Event| triggers(event) || matches!(event, Event::Notice(Notice::NoticeDetermined(_)));
    dossier.recorded().iter().any(|recorded| decides(&recorded.envelope.event))
}

fn asks(dossier: &Dossier) -> bool {
    dossier.recorded().iter().any(|recorded| {
        matches!(recorded.envelope.event, Event::Authorization(Authorization::AuthorizationRequested(_)))
    })
}

/// Whether a determination can be about this event.
fn triggers(event: &Event) -> bool {
    match event {
        Event::Enrollment(event) => matches!(event, Enrollment::Disenrolled(_) | Enrollment::OptedOut(_)),
        Event::Authorization(_) => true,
        Event::Outreach(event) => matches!(event, Outreach::OutreachClosed(_)),
        Event::Referral(event) => matches!(event, Referral::PopulationAssessed(_) | Referral::ServiceAssessed(_)),
        Event::Who(_)
        | Event::Coverage(_)
        | Event::OtherPrograms(_)
        | Event::Notice(_)
        | Event::Rules(_)
        | Event::Correction(_) => false,
    }
}

/// Whether this event can change what another one comes to.
fn is_evidence(event: &Event) -> bool {
    match event {
        Event::Enrollment(event) => match event {
            Enrollment::Enrolled(_)
            | Enrollment::ServiceStarted(_)
            | Enrollment::LeadCareManagerAssigned(_)
            | Enrollment::StayRecorded(_)
            | Enrollment::UnitsRecorded(_)
            | Enrollment::Reinstated(_)
            | Enrollment::Reassessed(_) => true,
            Enrollment::ProviderAssigned(_)
            | Enrollment::OptedOut(_)
            | Enrollment::DiscontinuationRecommended(_)
            | Enrollment::Disenrolled(_) => false,
        },
        Event::Referral(event) => matches!(event, Referral::ReferralReceived(_) | Referral::MemberIdentified(_)),
        // An attempt can begin an episode, and what was determined in none is then told apart from the next.
        Event::Outreach(event) => matches!(event, Outreach::OutreachAttempted(_)),
        Event::Who(event) => matches!(event, Who::MemberDied(_)),
        Event::Correction(_) => true,
        Event::Coverage(_) | Event::OtherPrograms(_) | Event::Authorization(_) | Event::Notice(_) | Event::Rules(_) => {
            false
        }
    }
}
