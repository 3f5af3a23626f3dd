//! The ECM Provider Return Transmission File: once a month, each assigned member's status in that month.
//!
//! Conventions: `ECM Enrollment End Date` is the last day covered, so a span's `until` is the next day; a disenrolled
//! member is listed for the month of the end (or the next, where the end came late) and two more; a declined one has
//! the day of the no in `Discontinuation Date`; where two files disagree, the later production date is right.

use chrono::NaiveDate;

use super::calendar::Month;
use super::cell::Cell;
use super::county::{DISCONTINUATION_REASONS, POPULATIONS, Plan};
use super::life::{Defect, Ending, Enrollment, Episode, Life, Misstated, Outcome};
use super::{FileKind, spoilt};

/// The full layout.
pub const HEADERS: [&str; 38] = [
    "Primary Payer (MCP) Identifier",
    "MCP Name",
    "Member Client Index Number (CIN)",
    "Member Last Name",
    "Member First Name",
    "Member New Address Indicator",
    "Member Homelessness Indicator",
    "Member Residential Address",
    "Member Residential City",
    "Member Residential State",
    "Member Residential Zip",
    "Member New Phone Number Indicator",
    "Member Phone Number",
    "Member POF Indicator",
    "Member POF",
    "Member ECM Status",
    "Member Acuity Level",
    "ECM Enrollment Start Date",
    "ECM Enrollment End Date",
    "Date of Latest Care Plan Revision",
    "Date of Most Recent Care Conference",
    "Date Assessment Started",
    "Date of Most Recent Completed Assessment",
    "Date of Most Recent Encounter with Member",
    "ECM Lead Care Manager Name",
    "ECM Lead Care Manager Name Phone Number",
    "ECM Lead Care Manager Email",
    "Discontinuation Date",
    "Discontinuation Reason Code",
    "Discontinuation Reason",
    "In Person",
    "Telephonic/Video",
    "Member Information Return Transmission File Production Date",
    "Member Information File Reporting Period",
    "ECM Provider Name",
    "ECM Provider National Provider Identifier (NPI)",
    "ECM Provider Tax ID Number (TIN)",
    "ECM Provider Phone Number",
];

const LEAD_CARE_MANAGERS: [&str; 4] = ["Casey Placeholder", "Robin Invented", "Sam O'Sample", "Ana Ejemplo"];

/// What a file says of a member in one month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Status {
    word: &'static str,
    from: Option<NaiveDate>,
    last_day: Option<NaiveDate>,
    discontinued: Option<NaiveDate>,
    reason: Option<u32>,
}

/// The member's rows in a plan's file of that month.
pub fn rows(life: &Life, plan: Plan, month: Month) -> Vec<Vec<Cell>> {
    let episodes = life.episodes.iter().filter(|episode| episode.plan == plan);
    let told = episodes.filter_map(|episode| Some(row(life, episode, &status(episode, month)?, month)));
    let mut rows: Vec<_> = told.collect();
    if let (Some(defect), Some(first)) = (life.defect_in(plan, FileKind::ReturnTransmission, month), rows.first()) {
        rows.push(spoilt_copy(first.clone(), life, defect));
    }
    rows
}

fn status(episode: &Episode, month: Month) -> Option<Status> {
    if month < Month::of(episode.assigned) {
        return None;
    }
    let outreach = Status { word: "Outreach", ..Status::default() };
    match &episode.outcome {
        Outcome::Pending => (month <= episode.listed_to).then_some(outreach),
        Outcome::Declined(on) if month < Month::of(*on) => Some(outreach),
        Outcome::Declined(on) => (month <= Month::of(*on).plus(1)).then_some(Status {
            word: "Declined",
            discontinued: Some(*on),
            ..Status::default()
        }),
        Outcome::Enrolled(enrollment) if month < Month::of(enrollment.from) => Some(outreach),
        Outcome::Enrolled(enrollment) => enrolled(enrollment, month),
    }
}

fn enrolled(enrollment: &Enrollment, month: Month) -> Option<Status> {
    let from = Some(stated(enrollment.from, enrollment.misstated_from, month));
    let known = enrollment.end.as_ref().filter(|end| end.known_in <= month);
    let Some(&Ending { last_day, known_in, misstated, reason }) = known else {
        return Some(Status { word: "Enrolled", from, ..Status::default() });
    };
    let last_day = Some(stated(last_day, misstated, month));
    (month <= known_in.plus(2)).then_some(Status {
        word: "Disenrolled",
        from,
        last_day,
        discontinued: last_day,
        reason,
    })
}

fn stated(right: NaiveDate, misstated: Option<Misstated>, month: Month) -> NaiveDate {
    misstated.filter(|misstated| month < misstated.right_from).map_or(right, |misstated| misstated.day)
}

fn row(life: &Life, episode: &Episode, status: &Status, month: Month) -> Vec<Cell> {
    let mut row = member_cells(life, episode);
    row.extend(status_cells(life, status, month));
    row.extend([
        Cell::Day(month.plus(1).day(5)),
        Cell::Period(month),
        Cell::text(episode.provider.name),
        Cell::text(episode.provider.npi()),
        Cell::text(episode.provider.tin),
        Cell::text("(213) 555-0100"),
    ]);
    row
}

fn member_cells(life: &Life, episode: &Episode) -> Vec<Cell> {
    let person = &life.person;
    let populations: Vec<_> = episode.populations.iter().map(|population| POPULATIONS[*population]).collect();
    vec![
        Cell::text(episode.plan.code()),
        Cell::text(episode.plan.name()),
        Cell::text(person.number(episode.plan.profile().card_numbers)),
        Cell::text(&person.last_name),
        Cell::text(person.first_name),
        Cell::Flag(false),
        Cell::Flag(episode.populations.contains(&0)),
        Cell::text(&person.address),
        Cell::text(person.city),
        Cell::text("CA"),
        Cell::text(person.zip),
        Cell::Flag(false),
        Cell::text(&person.phone),
        Cell::Flag(true),
        Cell::text(populations.join("; ")),
    ]
}

fn status_cells(life: &Life, status: &Status, month: Month) -> Vec<Cell> {
    let serving = status.word == "Enrolled";
    let met_on = status.from.map(|from| month.day(26).max(from)).filter(|_| serving);
    let assessed_on = status.from.map(|from| Month::of(from).last_day()).filter(|_| serving);
    let manager = |words: &str| if status.from.is_some() { Cell::text(words) } else { Cell::Empty };
    let name = LEAD_CARE_MANAGERS[(life.index % 4) as usize];
    let acuity = ["Low", "Medium", "High"][(life.index % 3) as usize];
    let reason = status.reason.and_then(|code| DISCONTINUATION_REASONS.get(code as usize - 1));
    vec![
        Cell::text(status.word),
        if serving { Cell::text(acuity) } else { Cell::Empty },
        Cell::maybe_day(status.from),
        Cell::maybe_day(status.last_day),
        Cell::maybe_day(assessed_on),
        Cell::Empty,
        Cell::maybe_day(status.from.filter(|_| serving)),
        Cell::maybe_day(assessed_on),
        Cell::maybe_day(met_on),
        manager(name),
        manager("(213) 555-0199"),
        manager("lead@example.org"),
        Cell::maybe_day(status.discontinued),
        status.reason.map_or(Cell::Empty, Cell::Count),
        reason.map_or(Cell::Empty, |words| Cell::text(*words)),
        Cell::Count(u32::from(serving) * (life.index % 3)),
        Cell::Count(u32::from(serving) * (life.index % 5)),
    ]
}

fn spoilt_copy(row: Vec<Cell>, life: &Life, defect: Defect) -> Vec<Cell> {
    let (header, cell) = match defect {
        Defect::ImpossibleDate | Defect::CarrierPigeon => ("ECM Enrollment Start Date", Cell::NoSuchDay),
        Defect::ShortCin => ("Member Client Index Number (CIN)", Cell::text(&life.person.cin[..7])),
        Defect::WrongNpi => {
            let npi = life.episodes.first().map(|episode| episode.provider.wrong_npi());
            ("ECM Provider National Provider Identifier (NPI)", Cell::text(npi.unwrap_or_default()))
        }
    };
    spoilt(row, &HEADERS, header, cell)
}
