//! What becomes of a determination that is about nothing any more: its trigger was voided, or later facts overtook it.

use rollbook_events::families::enrollment::Enrollment;
use rollbook_events::{Envelope, Event};

use super::ended::goes_on;
use super::standing::Standing;
use super::{Answer, Case, Determined, Obligation, evidence};

/// The limb of a determination whose trigger was voided.
pub(super) const TRIGGER_VOIDED: &str = "trigger_voided";

/// That no notice is required after all; none where this dossier does not hold what it was about.
pub(super) fn withdrawn<'a>(case: &Case<'_, 'a>, standing: &Standing<'a>) -> Option<Determined<'a>> {
    let trigger = standing.trigger?;
    let (limb, because) = match case.facts.dossier.voided_by(trigger.id) {
        Some(voiding) => (TRIGGER_VOIDED, &*voiding.envelope),
        None => overtaken(case, standing, trigger),
    };
    let other = Obligation::Unrequested { plan: &trigger.plan, program: standing.told.program, episode: 0 };
    Some(Determined {
        obligation: standing.obligation.unwrap_or(other),
        program: standing.told.program,
        answer: Answer::not_required(limb),
        trigger,
        because: evidence([because]),
        on: trigger.occurred_at.day(),
    })
}

fn overtaken<'a>(case: &Case<'_, 'a>, standing: &Standing<'a>, trigger: &'a Envelope) -> (&'static str, &'a Envelope) {
    let program = standing.told.program;
    if let Event::Enrollment(Enrollment::Disenrolled(end)) = &trigger.event
        && let Some(next) = goes_on(case.facts, &trigger.plan, program, end.until.0)
    {
        return ("service_continues", next.opened_by);
    }
    let request = case.requests.iter().find(|request| Some(request.obligation()) == standing.obligation);
    match request.and_then(|request| request.enrolled) {
        Some((report, _)) => ("granted", report),
        None => ("overtaken", trigger),
    }
}
