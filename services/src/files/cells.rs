//! One row through its profile: what its cells say, by field.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rollbook_events::identity::Identity;
use rollbook_events::time::Day;
use rollbook_events::{Cin, County, Npi, PlanCode, Provider};

use super::aliases::Field;
use super::header::{Column, Profile};
use super::{Quarantine, RawRow, when};

const TWO_VALUES: &str = "sources_disagree: the column stands more than once, with different values";

/// A row with its header.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a> {
    profile: &'a Profile,
    row: &'a RawRow,
}

/// A cell that holds something.
#[derive(Clone, Copy)]
pub(super) struct Filled<'a> {
    pub(super) header: &'a str,
    pub(super) text: &'a str,
}

impl Filled<'_> {
    /// A refusal of this cell.
    pub(super) fn refused(self, reason: &str) -> Quarantine {
        Quarantine::of(self.header, reason)
    }
}

impl<'a> Cells<'a> {
    pub(super) fn of(profile: &'a Profile, row: &'a RawRow) -> Self {
        Self { profile, row }
    }

    fn columns(self) -> impl Iterator<Item = (usize, &'a Column, &'a str)> {
        let pairs = self.profile.columns().iter().zip(&self.row.cells);
        (1..).zip(pairs).map(|(number, (column, cell))| (number, column, cell.as_str()))
    }

    /// Every cell of the field that holds something.
    pub(super) fn all(self, field: Field) -> impl Iterator<Item = Filled<'a>> {
        self.columns()
            .filter(move |(_, column, cell)| column.field == Some(field) && !cell.trim().is_empty())
            .map(|(_, column, cell)| Filled { header: &column.header, text: cell.trim() })
    }

    /// What the field says: a column that stands twice says it once, if it does not contradict itself.
    pub(super) fn one(self, field: Field) -> Result<Option<Filled<'a>>, Quarantine> {
        let mut filled = self.all(field);
        let Some(first) = filled.next() else { return Ok(None) };
        // A CIN and the card's whole number are one person's.
        let one_cin = |other: &str| {
            field == Field::Cin && matches!((first.text.parse::<Cin>(), other.parse::<Cin>()), (Ok(a), Ok(b)) if a == b)
        };
        match filled.find(|other| !first.text.eq_ignore_ascii_case(other.text) && !one_cin(other.text)) {
            Some(other) => Err(other.refused(TWO_VALUES)),
            None => Ok(Some(first)),
        }
    }

    /// What the field says, which must say something.
    pub(super) fn needed(self, field: Field) -> Result<Filled<'a>, Quarantine> {
        self.one(field)?.ok_or_else(|| self.missing(field))
    }

    /// That the field says nothing.
    pub(super) fn missing(self, field: Field) -> Quarantine {
        let column = self.profile.columns().iter().find(|column| column.field == Some(field));
        let reason = "missing_field: is required here";
        match column {
            Some(column) => Quarantine::of(&column.header, reason),
            None => {
                Quarantine::row(format!("missing_field: the file has no {}, and it is required here", field.name()))
            }
        }
    }

    pub(super) fn day(self, field: Field) -> Result<Option<NaiveDate>, Quarantine> {
        let Some(cell) = self.one(field)? else { return Ok(None) };
        when::day(cell.text).map(Some).map_err(|reason| cell.refused(reason))
    }

    pub(super) fn flag(self, field: Field) -> Result<Option<bool>, Quarantine> {
        let Some(cell) = self.one(field)? else { return Ok(None) };
        yes_or_no(cell.text)
            .map(Some)
            .ok_or_else(|| cell.refused("unknown_code: expected Y or N, Yes or No, 1 or 0, TRUE or FALSE"))
    }

    pub(super) fn cin(self) -> Result<Cin, Quarantine> {
        let cell = self.needed(Field::Cin)?;
        cell.text.parse().map_err(|error| cell.refused(&format!("bad_identifier: {error}")))
    }

    pub(super) fn provider(self) -> Result<Option<Provider>, Quarantine> {
        let Some(cell) = self.one(Field::ProviderNpi)? else { return Ok(None) };
        let npi: Result<Npi, _> = cell.text.parse();
        npi.map(|npi| Some(npi.into())).map_err(|error| cell.refused(&format!("bad_identifier: {error}")))
    }

    pub(super) fn county(self) -> Result<Option<County>, Quarantine> {
        let Some(cell) = self.one(Field::County)? else { return Ok(None) };
        County::from_name(cell.text)
            .map(Some)
            .ok_or_else(|| cell.refused("unknown_code: expected one of California's 58 counties"))
    }

    /// Whose record it is: the plan's identifier, else its name. An identifier nobody knows is no contradiction of a
    /// name that is known.
    pub(super) fn plan(self, plans: &dyn Fn(&str) -> Option<PlanCode>) -> Result<Option<PlanCode>, Quarantine> {
        let (code, name) = (self.one(Field::Plan)?, self.one(Field::PlanName)?);
        let known = |cell: Option<Filled<'_>>| cell.and_then(|cell| plans(cell.text));
        match (known(code), known(name), code.or(name)) {
            (Some(code), Some(named), Some(cell)) if code != named => {
                Err(cell.refused("sources_disagree: the plan's identifier and its name mean different plans"))
            }
            (Some(plan), _, _) | (None, Some(plan), _) => Ok(Some(plan)),
            (None, None, Some(cell)) => Err(cell.refused("unknown_code: is no plan that the ledger knows")),
            (None, None, None) => Ok(None),
        }
    }

    /// Who it is, with every column that maps to nothing.
    pub(super) fn identity(self, cin: Cin) -> Result<Identity, Quarantine> {
        let text = |field| self.one(field).map(|cell| cell.map(|cell| cell.text.to_owned()));
        let mut identity = Identity::of(cin);
        identity.last_name = text(Field::LastName)?;
        identity.first_name = text(Field::FirstName)?;
        identity.born_on = self.day(Field::BornOn)?.map(Day);
        identity.gender = text(Field::Gender)?;
        identity.languages = self.distinct(Field::Language);
        identity.phones = self.distinct(Field::Phone);
        identity.email = text(Field::Email)?;
        let parts = [text(Field::Street)?, text(Field::City)?, text(Field::State)?, text(Field::Zip)?];
        let address = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        identity.address = (!address.is_empty()).then_some(address);
        identity.extra = self.unmapped();
        Ok(identity)
    }

    fn distinct(self, field: Field) -> Vec<String> {
        let mut values: Vec<String> = Vec::new();
        for cell in self.all(field) {
            if !values.iter().any(|value| value == cell.text) {
                values.push(cell.text.to_owned());
            }
        }
        values
    }

    fn unmapped(self) -> BTreeMap<String, String> {
        let mut extra = BTreeMap::new();
        for (number, column, cell) in self.columns() {
            if column.field.is_none() && !cell.trim().is_empty() {
                keep(&mut extra, number, &column.header, cell);
            }
        }
        extra
    }

    /// Keeps the text of a mapped field verbatim, where no event can say it.
    pub(super) fn keep(self, field: Field, identity: &mut Identity) {
        for (number, column, cell) in self.columns() {
            if column.field == Some(field) && !cell.trim().is_empty() {
                keep(&mut identity.extra, number, &column.header, cell);
            }
        }
    }
}

fn keep(extra: &mut BTreeMap<String, String>, number: usize, header: &str, cell: &str) {
    let mut key = if header.is_empty() { format!("column {number}") } else { header.to_owned() };
    if extra.get(&key).is_some_and(|kept| kept != cell) {
        key = format!("{key} (column {number})");
    }
    extra.insert(key, cell.to_owned());
}

/// What a flag says.
pub(super) fn yes_or_no(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" | "1" | "true" => Some(true),
        "n" | "no" | "0" | "false" => Some(false),
        _ => None,
    }
}
