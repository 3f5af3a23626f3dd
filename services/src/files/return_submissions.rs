//! What a row of a Return Transmission File becomes, given what earlier files said of the same member.

use rollbook_events::codes::{Basis, Channel, DecidedBy, DisenrollmentReason, Party};
use rollbook_events::families::enrollment::{
    DiscontinuationRecommended, Disenrolled, Enrolled, Enrollment, LeadCareManagerAssigned, OptedOut,
};
use rollbook_events::families::referral::PopulationAssessed;
use rollbook_events::families::who::{HousingObserved, Who};
use rollbook_events::ids::EnrollmentId;
use rollbook_events::time::Day;
use rollbook_events::{Envelope, Event, Occurred, Population, Program, Submission};

use super::held::{self, Held};
use super::restated::{Claim, Desk, disagree, key};
use super::return_transmission::{Returned, Status, Term};
use super::{Quarantine, keys};

const ECM: Program = Program::Ecm;

pub(super) fn returned(desk: &Desk<'_>, facts: &Returned) -> Result<Vec<Submission>, Quarantine> {
    let mut out = Vec::new();
    match &facts.status {
        Status::Pending => {}
        Status::Declined(on) => declined(desk, facts, *on, &mut out)?,
        Status::Enrolled(term) => enrolled(desk, facts, term, &mut out)?,
    }
    if let Some(housed) = facts.housed {
        out.extend(housing(desk, facts, housed)?);
    }
    for population in &facts.populations {
        out.extend(assessed(desk, facts, *population)?);
    }
    Ok(out)
}

fn enrolled(desk: &Desk<'_>, facts: &Returned, term: &Term, out: &mut Vec<Submission>) -> Result<(), Quarantine> {
    let held = held::of(desk.dossier, desk.plan, ECM);
    let mut same_start: Vec<_> = held.iter().filter(|held| held.enrolled.from.0 == term.from).collect();
    same_start.sort_by_key(|held| *held.provider != term.provider);
    if let Some(held) = same_start.first() {
        if *held.provider != term.provider {
            return Err(disagree("the ledger has the same enrollment with another provider, and no day of a change"));
        }
        out.push(desk.again(held.envelope));
        return rest(desk, facts, term, held.enrolled.enrollment, Some(held), out);
    }
    let until = term.end.map(|(until, _)| until);
    let overlapping: Vec<_> =
        held.iter().filter(|held| *held.provider == term.provider && held.overlaps(term.from, until)).collect();
    match overlapping.as_slice() {
        [] => {
            let used = |id| held::has_other_start(desk.dossier, id, term.from);
            let enrollment = keys::enrollment(desk.plan, desk.member, ECM, term.from, used);
            let (basis, channel, authorization) = (Basis::OptIn, Channel::PlanDirect, None);
            let provider = term.provider.clone();
            let from = Day(term.from);
            let event = Enrolled { enrollment, program: ECM, basis, channel, provider, from, authorization };
            match desk.tell(start(desk, event))? {
                Some(told) => out.push(told),
                // A later file took this start back; what hangs on it went with it.
                None => return Ok(()),
            }
            rest(desk, facts, term, enrollment, None, out)
        }
        [held] => corrected(desk, facts, term, held, out),
        _ => Err(disagree("the enrollment overlaps several that the ledger has with other start dates")),
    }
}

/// The same enrollment with another start: the later file is right.
fn corrected(
    desk: &Desk<'_>,
    facts: &Returned,
    term: &Term,
    held: &Held<'_>,
    out: &mut Vec<Submission>,
) -> Result<(), Quarantine> {
    if !desk.is_later_than(held.envelope, "start date")? {
        return Ok(());
    }
    if held.ended.is_some() && term.end.is_none() {
        return Err(disagree("a start within an enrollment that the ledger has as ended: corrected, or begun again?"));
    }
    // It stays the same enrollment, so that what else hangs on it still does.
    let event = Enrolled { from: Day(term.from), ..held.enrolled.clone() };
    out.extend(desk.correct(held.envelope, start(desk, event))?);
    rest(desk, facts, term, held.enrolled.enrollment, Some(held), out)
}

fn start(desk: &Desk<'_>, event: Enrolled) -> Claim {
    let (plan, member, provider, from) = (desk.plan, desk.member, &event.provider, event.from);
    let key = format!("enrolled|{plan}|{member}|{ECM}|{provider}|{from}");
    Claim { key, occurred_at: Occurred::Day(from.0), event: event.into() }
}

/// All that a row says of an enrollment besides its start.
fn rest(
    desk: &Desk<'_>,
    facts: &Returned,
    term: &Term,
    enrollment: EnrollmentId,
    held: Option<&Held<'_>>,
    out: &mut Vec<Submission>,
) -> Result<(), Quarantine> {
    manager(desk, facts, term, enrollment, held, out)?;
    end(desk, facts, term, enrollment, held.and_then(|held| held.ended), out)?;
    recommended(desk, term, enrollment, out)
}

fn end(
    desk: &Desk<'_>,
    facts: &Returned,
    term: &Term,
    enrollment: EnrollmentId,
    ended: Option<(&Envelope, &Disenrolled)>,
    out: &mut Vec<Submission>,
) -> Result<(), Quarantine> {
    let claim = |until: chrono::NaiveDate, reason: DisenrollmentReason| {
        let agreed_by = vec![Party::Provider];
        let event = Disenrolled { enrollment, until: Day(until), reason, agreed_by, alternative: None };
        // An end that lies ahead is reported today.
        let occurred_at = Occurred::Day(until.min(facts.produced_on));
        Claim { key: format!("disenrolled|{enrollment}|{until}|{reason}"), occurred_at, event: event.into() }
    };
    match (ended, term.end) {
        (None, None) => {}
        (None, Some((until, reason))) => out.extend(desk.tell(claim(until, reason))?),
        (Some((envelope, held)), Some((until, reason))) => {
            let same_reason = held.reason == reason || reason == DisenrollmentReason::Unknown;
            if held.until.0 == until && same_reason {
                out.push(desk.again(envelope));
            } else if desk.is_later_than(envelope, "end date or reason")? {
                out.extend(desk.correct(envelope, claim(until, reason))?);
            }
        }
        (Some((envelope, held)), None) => {
            match desk.is_later_than(envelope, "end date") {
                Ok(true) => out.push(desk.void(envelope)?),
                Ok(false) => {}
                // Another source's end after the day the file was made: on that day the member was enrolled.
                Err(_) if facts.produced_on < held.until.0 => {}
                Err(quarantine) => return Err(quarantine),
            }
        }
    }
    Ok(())
}

fn manager(
    desk: &Desk<'_>,
    facts: &Returned,
    term: &Term,
    enrollment: EnrollmentId,
    held: Option<&Held<'_>>,
    out: &mut Vec<Submission>,
) -> Result<(), Quarantine> {
    let Some(name) = &term.manager else { return Ok(()) };
    let claim = |from: chrono::NaiveDate| -> Result<Claim, Quarantine> {
        let event = LeadCareManagerAssigned { enrollment, manager: key(name)?, from: Day(from), until: None };
        let key = format!("lead_care_manager_assigned|{enrollment}|{name}|{from}");
        Ok(Claim { key, occurred_at: Occurred::Day(from), event: event.into() })
    };
    let Some((envelope, last)) = held.and_then(|held| held.managers.last()) else {
        out.extend(desk.tell(claim(term.from)?)?);
        return Ok(());
    };
    let since_start = held.is_some_and(|held| held.enrolled.from == last.from) && last.from.0 != term.from;
    if last.manager.as_str() == name && since_start && desk.is_later_than(envelope, "lead care manager")? {
        // The start was corrected, and with it the day since when the manager leads.
        out.extend(desk.correct(envelope, claim(term.from)?)?);
    } else if last.manager.as_str() == name {
        out.push(desk.again(envelope));
    } else if desk.is_later_than(envelope, "lead care manager")? {
        // The file does not say since when: what is sure is that it is so on the day the file was made.
        out.extend(desk.tell(claim(facts.produced_on.max(term.from))?)?);
    }
    Ok(())
}

fn recommended(
    desk: &Desk<'_>,
    term: &Term,
    enrollment: EnrollmentId,
    out: &mut Vec<Submission>,
) -> Result<(), Quarantine> {
    let Some((on, reason)) = term.recommended else { return Ok(()) };
    let event = DiscontinuationRecommended { enrollment, reason, by: key(&term.provider.to_string())? };
    let key = format!("discontinuation_recommended|{enrollment}|{on}|{reason}");
    out.extend(desk.tell(Claim { key, occurred_at: Occurred::Day(on), event: event.into() })?);
    Ok(())
}

/// A no. Without a day it is the day of the report, and then only the first report of it.
fn declined(
    desk: &Desk<'_>,
    facts: &Returned,
    on: Option<chrono::NaiveDate>,
    out: &mut Vec<Submission>,
) -> Result<(), Quarantine> {
    let claim = |on: chrono::NaiveDate| {
        let event = OptedOut { program: ECM, by: DecidedBy::Member, signed: false };
        let key = format!("opted_out|{}|{}|{ECM}|{on}", desk.plan, desk.member);
        Claim { key, occurred_at: Occurred::Day(on), event: event.into() }
    };
    let last = last_no(desk);
    let told = match (last, on) {
        (None, on) => desk.tell(claim(on.unwrap_or(facts.produced_on)))?.into_iter().collect(),
        (Some(last), None) => vec![desk.again(last)],
        (Some(last), Some(on)) if last.occurred_at.day() == on => vec![desk.again(last)],
        (Some(last), Some(on)) if desk.is_later_than(last, "day of the no")? => desk.correct(last, claim(on))?.into(),
        (Some(_), Some(_)) => Vec::new(),
    };
    out.extend(told);
    Ok(())
}

/// The plan's last standing no that no enrollment followed.
fn last_no<'a>(desk: &Desk<'a>) -> Option<&'a Envelope> {
    let mut last = None;
    for envelope in desk.dossier.standing().into_iter().filter(|envelope| envelope.plan == *desk.plan) {
        if envelope.event.program() != Some(ECM) {
            continue;
        }
        if matches!(envelope.event, Event::Enrollment(Enrollment::OptedOut(_))) {
            last = Some(envelope);
        } else if matches!(envelope.event, Event::Enrollment(Enrollment::Enrolled(_))) {
            last = None;
        }
    }
    last
}

/// Whether the member is housed, where it differs from what the plan last observed by then.
fn housing(desk: &Desk<'_>, facts: &Returned, housed: bool) -> Result<Option<Submission>, Quarantine> {
    let on = facts.produced_on;
    let standing = desk.dossier.standing();
    let observed = standing.into_iter().filter(|envelope| envelope.plan == *desk.plan);
    let observed = observed.filter_map(|envelope| {
        let Event::Who(Who::HousingObserved(observed)) = &envelope.event else { return None };
        Some((envelope, observed))
    });
    match observed.filter(|(_, observed)| observed.on.0 <= on).max_by_key(|(_, observed)| observed.on) {
        Some((envelope, last)) if last.housed == housed && last.on.0 == on => return Ok(Some(desk.again(envelope))),
        Some((_, last)) if last.housed == housed => return Ok(None),
        Some((_, last)) if last.on.0 == on => {
            return Err(disagree("the plan observed the same day that the member is housed, and that they are not"));
        }
        Some(_) | None => {}
    }
    let key = format!("housing_observed|{}|{}|{housed}|{on}", desk.plan, desk.member);
    let event = HousingObserved { housed, on: Day(on) };
    desk.tell(Claim { key, occurred_at: Occurred::Day(on), event: event.into() })
}

/// A Population of Focus, once a plan; a person who voids it has the last word.
fn assessed(desk: &Desk<'_>, facts: &Returned, population: Population) -> Result<Option<Submission>, Quarantine> {
    let key = format!("population_assessed|{}|{}|{population}", desk.plan, desk.member);
    if desk.dossier.voided_by(keys::event(&key)).is_some() {
        return Ok(None);
    }
    let event = PopulationAssessed { population, age_years: None, met: true, discretionary: false, evidence: None };
    desk.tell(Claim { key, occurred_at: Occurred::Day(facts.produced_on), event: event.into() })
}
