//! The ECM Provider Initial Outreach Tracker File (domain rules C1): one row an attempt, or several attempts in one row.
//!
//! A row of a tracker is by the file's definition an individualized communication that the person can answer; a robocall
//! is not individualized.

use rollbook_events::codes::{OutreachChannel, Reached, Staff};
use rollbook_events::identity::Identity;
use rollbook_events::{Occurred, Provider};

use super::aliases::Field;
use super::cells::{Cells, Filled, yes_or_no};
use super::header::normalized;
use super::{Quarantine, when};

/// Who tried to reach the member, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tracked {
    pub provider: Provider,
    pub staff: Staff,
    pub attempts: Vec<Attempt>,
    /// Several attempts stood in one row.
    pub collapsed: bool,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    pub occurred_at: Occurred,
    pub channel: OutreachChannel,
    pub reached: Reached,
    pub minutes: Option<u32>,
    /// The how many-th attempt it is of those the file cannot tell apart: same day, channel and outcome, no hour.
    pub nth: u32,
}

/// More attempts than anyone makes on one member in a month: the cell is something else.
const MOST_ATTEMPTS: usize = 200;

pub(super) fn read(cells: Cells<'_>, identity: &mut Identity) -> Result<Tracked, Quarantine> {
    let provider = cells.provider()?.ok_or_else(|| cells.missing(Field::ProviderNpi))?;
    let staff = staff(cells.needed(Field::StaffClass)?)?;
    let dates = cells.needed(Field::AttemptedAt)?;
    let times = list(dates.text)
        .into_iter()
        .map(|text| when::attempt(text).map_err(|reason| dates.refused(reason)))
        .collect::<Result<Vec<_>, _>>()?;
    if times.len() > MOST_ATTEMPTS {
        return Err(dates.refused("too_large: more attempts than one row can hold"));
    }
    let methods = cells.needed(Field::Method)?;
    let channels = spread(methods, channel, times.len(), |_, channel| channel)?;
    let outcomes = cells.needed(Field::Successful)?;
    // One yes over several attempts is at least one contact; that it was the last is the smallest claim that is true.
    let last = times.len();
    let reached = spread(outcomes, outcome, times.len(), |nth, reached| nth == last && reached)?;
    let lasted = match times.as_slice() {
        [(_, lasted)] => *lasted,
        _ => None,
    };
    let spent = minutes(cells, times.len(), lasted, identity)?;
    let mut attempts: Vec<Attempt> = Vec::new();
    for (((occurred_at, lasted), channel), reached) in times.into_iter().zip(channels).zip(reached) {
        let reached = if reached { Reached::Member } else { Reached::Nobody };
        let attempt = Attempt { occurred_at, channel, reached, minutes: lasted.or(spent), nth: 1 };
        push(&mut attempts, attempt);
    }
    Ok(Tracked { provider, staff, collapsed: last > 1, attempts })
}

/// Files one more attempt. Without an hour, two that look the same are two; with it, they are one written twice.
fn push(attempts: &mut Vec<Attempt>, mut attempt: Attempt) {
    let same = |other: &&Attempt| other.is_like(&attempt);
    let before = attempts.iter().filter(same).count();
    match attempt.occurred_at {
        Occurred::At(_) if before > 0 => {}
        Occurred::At(_) => attempts.push(attempt),
        Occurred::Day(_) => {
            attempt.nth = u32::try_from(before + 1).unwrap_or(u32::MAX);
            attempts.push(attempt);
        }
    }
}

impl Attempt {
    /// Whether the file cannot tell the two apart.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.occurred_at == other.occurred_at && self.channel == other.channel && self.reached == other.reached
    }
}

/// The items of a cell; a comma at the end ends nothing.
fn list(text: &str) -> Vec<&str> {
    text.trim_end_matches([',', ';']).split([',', ';', '\n']).map(str::trim).collect()
}

/// One value for each attempt: as many as there are attempts, or one for all of them, as `shared` makes of it.
fn spread<T: Copy>(
    cell: Filled<'_>,
    read: fn(Filled<'_>, &str) -> Result<T, Quarantine>,
    attempts: usize,
    shared: impl Fn(usize, T) -> T,
) -> Result<Vec<T>, Quarantine> {
    let values = list(cell.text).into_iter().map(|text| read(cell, text)).collect::<Result<Vec<_>, _>>()?;
    match values.as_slice() {
        [one] if attempts > 1 => Ok((1..=attempts).map(|nth| shared(nth, *one)).collect()),
        values if values.len() == attempts => Ok(values.to_vec()),
        _ => Err(cell.refused("malformed: expected one value, or as many as there are attempts in the row")),
    }
}

/// The row's minutes, where it holds one attempt. The sum over several belongs to none of them; it is kept, as are minutes
/// that differ from a start and an end.
fn minutes(
    cells: Cells<'_>,
    attempts: usize,
    lasted: Option<u32>,
    identity: &mut Identity,
) -> Result<Option<u32>, Quarantine> {
    let Some(cell) = cells.one(Field::TimeSpent)? else { return Ok(None) };
    let minutes = when::minutes(cell.text)
        .ok_or_else(|| cell.refused("malformed: expected minutes, as in 15 or 1 h 5 mins, of one day at most"))?;
    if attempts > 1 || lasted.is_some_and(|lasted| lasted != minutes) {
        cells.keep(Field::TimeSpent, identity);
    }
    Ok((attempts == 1).then_some(minutes))
}

fn outcome(cell: Filled<'_>, text: &str) -> Result<bool, Quarantine> {
    yes_or_no(text).ok_or_else(|| cell.refused("unknown_code: expected Y or N, Yes or No, 1 or 0, TRUE or FALSE"))
}

fn staff(cell: Filled<'_>) -> Result<Staff, Quarantine> {
    match normalized(cell.text).as_str() {
        "clinical" | "clinicalstaff" | "clinicalprovider" => Ok(Staff::Clinical),
        "nonclinical" | "nonclinicalstaff" | "nonclinicalprovider" => Ok(Staff::NonClinical),
        _ => Err(cell.refused("unknown_code: expected Clinical or Non-clinical")),
    }
}

fn channel(cell: Filled<'_>, text: &str) -> Result<OutreachChannel, Quarantine> {
    match normalized(text).as_str() {
        "inperson" => Ok(OutreachChannel::InPerson),
        "telephonic" | "phone" | "telephone" | "phonecall" => Ok(OutreachChannel::Phone),
        "text" | "sms" | "textmessage" => Ok(OutreachChannel::Text),
        "email" => Ok(OutreachChannel::Email),
        "mail" | "letter" => Ok(OutreachChannel::Mail),
        "portal" => Ok(OutreachChannel::Portal),
        "robocall" | "automatedcall" => Ok(OutreachChannel::Robocall),
        _ => Err(cell.refused("unknown_code: expected In-person, Telephonic, Text, Email, Mail, Portal or Robocall")),
    }
}
