//! The ECM Provider Return Transmission File (domain rules C2): once a month, what became of each member.
//!
//! `ECM Enrollment End Date` is the last day covered, so a span's `until` is the day after it.

use chrono::NaiveDate;
use rollbook_events::codes::DisenrollmentReason;
use rollbook_events::identity::Identity;
use rollbook_events::{Population, Provider};

use super::aliases::Field;
use super::cells::Cells;
use super::header::normalized;
use super::{Quarantine, keys, populations};

/// What a provider reports of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// The day the file was made: where two files disagree, the later one is right.
    pub produced_on: NaiveDate,
    pub provider: Option<Provider>,
    pub status: Status,
    /// Whether the member is housed, where the file says so.
    pub housed: Option<bool>,
    pub populations: Vec<Population>,
}

/// What became of the member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// Nothing that an enrollment event could say.
    Pending,
    /// The member said no; the day, where the file gives it.
    Declined(Option<NaiveDate>),
    /// Enrolled, or enrolled and ended.
    Enrolled(Term),
}

/// An enrollment as one file states it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    pub provider: Provider,
    pub from: NaiveDate,
    /// First day no longer covered, and why.
    pub end: Option<(NaiveDate, DisenrollmentReason)>,
    /// The day on which the provider recommends to end it, and why.
    pub recommended: Option<(NaiveDate, DisenrollmentReason)>,
    /// The lead care manager's key.
    pub manager: Option<String>,
}

pub(super) fn read(
    cells: Cells<'_>,
    identity: &mut Identity,
    produced_on: Option<NaiveDate>,
) -> Result<Returned, Quarantine> {
    let produced_on = produced_on.ok_or_else(|| cells.missing(Field::ProducedOn))?;
    let provider = cells.provider()?;
    // Read whatever the status, so that a wrong day or code is never passed over.
    let (from, last_day) = (cells.day(Field::StartedOn)?, last_day(cells)?);
    let (discontinued, recommended) = (cells.day(Field::DiscontinuedOn)?, cells.day(Field::RecommendedOn)?);
    let reason = reason(cells)?;
    let manager = cells.one(Field::Manager)?.map(|cell| keys::manager(cell.text));
    cells.keep(Field::Manager, identity);
    let cell = cells.needed(Field::Status)?;
    let term = |end, recommended| -> Result<Status, Quarantine> {
        let provider = provider.clone().ok_or_else(|| cells.missing(Field::ProviderNpi))?;
        let from = from.ok_or_else(|| cells.missing(Field::StartedOn))?;
        Ok(Status::Enrolled(Term { provider, from, end, recommended, manager }))
    };
    let status_word = normalized(cell.text);
    let status = match status_word.as_str() {
        "enrolled" | "active" | "ecmenrolled" => {
            if last_day.is_some_and(|last_day| last_day < produced_on) {
                return Err(cell.refused("sources_disagree: enrolled, but with an end before the file was made"));
            }
            // A planned end is no end; it is kept as it stands.
            cells.keep(Field::EndedOn, identity);
            term(None, recommended.or(discontinued).map(|on| (on, reason)))?
        }
        "disenrolled" | "discontinued" => {
            let last_day = last_day.ok_or_else(|| cells.missing(Field::EndedOn))?;
            let until = last_day.succ_opt().ok_or_else(|| cell.refused("bad_date: the end lies out of all time"))?;
            if from.is_some_and(|from| until <= from) {
                let end = cells.needed(Field::EndedOn)?;
                return Err(end.refused("bad_span: the last day covered lies before the first"));
            }
            if discontinued.is_some_and(|on| on != last_day && on != until) {
                cells.keep(Field::DiscontinuedOn, identity);
            }
            term(Some((until, reason)), recommended.map(|on| (on, reason)))?
        }
        "declined" | "optedout" | "optout" => {
            keep(cells, &[Field::StartedOn, Field::EndedOn, Field::RecommendedOn, Field::ReasonCode], identity);
            Status::Declined(discontinued)
        }
        "outreach" | "pending" | "inoutreach" | "pendingoutreach" => {
            let unsaid = [Field::Status, Field::StartedOn, Field::EndedOn];
            keep(cells, &unsaid, identity);
            keep(cells, &[Field::DiscontinuedOn, Field::RecommendedOn, Field::ReasonCode], identity);
            Status::Pending
        }
        _ => return Err(cell.refused("unknown_code: expected Enrolled, Disenrolled, Declined, Outreach or Pending")),
    };
    let housed = cells.flag(Field::Homeless)?.map(|homeless| !homeless);
    Ok(Returned { produced_on, provider, status, housed, populations: populations::of(cells)? })
}

/// Keeps what stands in the row and no event says.
fn keep(cells: Cells<'_>, fields: &[Field], identity: &mut Identity) {
    for field in fields {
        cells.keep(*field, identity);
    }
}

/// The last day covered; files write "no end" as a day that never comes (domain rules E-4).
fn last_day(cells: Cells<'_>) -> Result<Option<NaiveDate>, Quarantine> {
    let never = |text: &str| matches!(text, "12/31/9999" | "9999-12-31" | "12/31/2078" | "2078-12-31");
    match cells.one(Field::EndedOn)? {
        Some(cell) if never(cell.text) => Ok(None),
        Some(_) | None => cells.day(Field::EndedOn),
    }
}

/// The codes of the quarterly report (C6). No code is no reason, which is never turned into `other`.
fn reason(cells: Cells<'_>) -> Result<DisenrollmentReason, Quarantine> {
    let Some(cell) = cells.one(Field::ReasonCode)? else { return Ok(DisenrollmentReason::Unknown) };
    let digits = cell.text.strip_prefix('0').unwrap_or(cell.text);
    match digits {
        "1" => Ok(DisenrollmentReason::GoalsMet),
        "2" => Ok(DisenrollmentReason::LowerLevelOfCare),
        // 3 is "no longer wishes, unresponsive or unwilling" in one; 6 "declined to participate".
        "3" | "6" => Ok(DisenrollmentReason::NoLongerWishes),
        "4" => Ok(DisenrollmentReason::UnableToContact),
        "5" => Ok(DisenrollmentReason::Incarcerated),
        "7" => Ok(DisenrollmentReason::ChoseOtherProgram),
        "8" => Ok(DisenrollmentReason::CoverageLost),
        "9" => Ok(DisenrollmentReason::PlanChanged),
        "10" => Ok(DisenrollmentReason::MovedOutOfCountry),
        "11" => Ok(DisenrollmentReason::MovedOutOfCounty),
        "12" => Ok(DisenrollmentReason::UnsafeEnvironment),
        "13" => Ok(DisenrollmentReason::NotReauthorized),
        "14" => Ok(DisenrollmentReason::Died),
        "15" => Ok(DisenrollmentReason::Other),
        _ => Err(cell.refused("unknown_code: expected a discontinuation reason code, 1 to 15")),
    }
}
