//! What the rows of a Member Information File and of an outreach tracker become.

use rollbook_events::codes::{IdentificationPathway, OutreachChannel};
use rollbook_events::families::outreach::OutreachAttempted;
use rollbook_events::families::referral::MemberIdentified;
use rollbook_events::{Occurred, Program, Submission};

use super::outreach_tracker::{Attempt, Tracked};
use super::restated::{Claim, Desk};
use super::{Identified, Quarantine};

pub(super) fn identified(desk: &Desk<'_>, facts: &Identified) -> Result<Vec<Submission>, Quarantine> {
    let populations = facts.populations.iter().map(|population| population.as_str()).collect::<Vec<_>>().join(",");
    let provider = facts.provider.as_ref().map(ToString::to_string).unwrap_or_default();
    let event = MemberIdentified {
        program: Program::Ecm,
        populations: facts.populations.clone(),
        age_years: facts.age_years,
        pathway: IdentificationPathway::AssignedList,
        provider: facts.provider.clone(),
    };
    let claim = Claim {
        key: format!(
            "member_identified|{}|{}|{}|{}|{populations}|{provider}",
            desk.plan,
            desk.member,
            Program::Ecm,
            facts.on
        ),
        occurred_at: Occurred::Day(facts.on),
        event: event.into(),
    };
    Ok(desk.tell(claim)?.into_iter().collect())
}

pub(super) fn attempted(desk: &Desk<'_>, facts: &Tracked) -> Result<Vec<Submission>, Quarantine> {
    let told = facts.attempts.iter().map(|attempt| desk.tell(claim(desk, facts, attempt)));
    Ok(told.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

fn claim(desk: &Desk<'_>, facts: &Tracked, attempt: &Attempt) -> Claim {
    let &Attempt { occurred_at, channel, reached, minutes, nth } = attempt;
    let program = Program::Ecm;
    let (plan, member, provider) = (desk.plan, desk.member, &facts.provider);
    let mut key = format!("outreach_attempted|{plan}|{member}|{program}|{provider}|{occurred_at}|{channel}|{reached}");
    if nth > 1 {
        key.push_str(&format!("|{nth}"));
    }
    let event = OutreachAttempted {
        program,
        channel,
        individualized: channel != OutreachChannel::Robocall,
        response_invited: true,
        live_staff: matches!(channel, OutreachChannel::InPerson | OutreachChannel::Phone),
        callback: false,
        reached,
        staff: facts.staff,
        minutes,
        provider: provider.clone(),
    };
    Claim { key, occurred_at, event: event.into() }
}
