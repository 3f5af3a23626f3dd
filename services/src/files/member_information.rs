//! The Member Information File: whom the plan has identified for ECM (domain rules C3).

use chrono::NaiveDate;
use rollbook_events::identity::Identity;
use rollbook_events::{Population, Provider};

use super::aliases::Field;
use super::cells::Cells;
use super::{Quarantine, populations};

/// The plan identified the member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// The day of the assignment, or the day the file was made.
    pub on: NaiveDate,
    pub populations: Vec<Population>,
    /// Age on that day.
    pub age_years: Option<u8>,
    pub provider: Option<Provider>,
    pub produced_on: Option<NaiveDate>,
}

pub(super) fn read(
    cells: Cells<'_>,
    identity: &Identity,
    produced_on: Option<NaiveDate>,
) -> Result<Identified, Quarantine> {
    let on = match cells.day(Field::AssignedOn)?.or(produced_on) {
        Some(on) => on,
        None => return Err(cells.missing(Field::AssignedOn)),
    };
    if let Some(born) = identity.born_on
        && born.0 > on
        && let Some(cell) = cells.one(Field::BornOn)?
    {
        return Err(cell.refused("bad_date: lies after the day of the assignment"));
    }
    Ok(Identified {
        on,
        populations: populations::of(cells)?,
        age_years: identity.age_on(on),
        provider: cells.provider()?,
        produced_on,
    })
}
