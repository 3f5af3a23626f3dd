//! The Member Information File: once a month, each member the plan has identified, new or not.

use super::calendar::Month;
use super::cell::Cell;
use super::county::{POPULATIONS, Plan};
use super::life::{Defect, Episode, Life};
use super::{FileKind, spoilt};

/// The full layout.
pub const HEADERS: [&str; 29] = [
    "Primary Payer (MCP) Identifier",
    "MCP Name",
    "Member Information File Production Date",
    "MIF Reporting Period",
    "Member Client Index Number (CIN)",
    "Member Last Name",
    "Member First Name",
    "Member Date of Birth",
    "Member Gender Code",
    "Preferred Language (Spoken)",
    "Member Residential Address",
    "Member Residential City",
    "Member Residential State",
    "Member Residential Zip",
    "Member Phone Number",
    "Medi-Cal Coverage County",
    "Member Homelessness Indicator",
    "Member Assigned Date",
    POPULATIONS[0],
    POPULATIONS[1],
    POPULATIONS[2],
    POPULATIONS[3],
    POPULATIONS[4],
    POPULATIONS[5],
    POPULATIONS[6],
    POPULATIONS[7],
    POPULATIONS[8],
    "ECM Provider Name",
    "ECM Provider National Provider Identifier (NPI)",
];

/// The member's rows in a plan's file of that month.
pub fn rows(life: &Life, plan: Plan, month: Month) -> Vec<Vec<Cell>> {
    let listed =
        |episode: &&Episode| episode.plan == plan && (Month::of(episode.assigned)..=episode.listed_to).contains(&month);
    let mut rows: Vec<_> = life.episodes.iter().filter(listed).map(|episode| row(life, episode, month)).collect();
    if let (Some(defect), Some(first)) = (life.defect_in(plan, FileKind::MemberInformation, month), rows.first()) {
        rows.push(spoilt_copy(first.clone(), life, defect));
    }
    rows
}

fn row(life: &Life, episode: &Episode, month: Month) -> Vec<Cell> {
    let person = &life.person;
    let mut row = vec![
        Cell::text(episode.plan.code()),
        Cell::text(episode.plan.name()),
        Cell::Day(month.day(25)),
        Cell::Period(month),
        Cell::text(person.number(episode.plan.profile().card_numbers)),
        Cell::text(&person.last_name),
        Cell::text(person.first_name),
        Cell::Day(person.born_on),
        Cell::text(person.gender),
        Cell::text(person.language),
        Cell::text(&person.address),
        Cell::text(person.city),
        Cell::text("CA"),
        Cell::text(person.zip),
        Cell::text(&person.phone),
        Cell::text("Los Angeles"),
        Cell::Flag(episode.populations.contains(&0)),
        Cell::Day(episode.assigned),
    ];
    row.extend((0..POPULATIONS.len()).map(|population| Cell::Flag(episode.populations.contains(&population))));
    row.extend([Cell::text(episode.provider.name), Cell::text(episode.provider.npi())]);
    row
}

fn spoilt_copy(row: Vec<Cell>, life: &Life, defect: Defect) -> Vec<Cell> {
    let (header, cell) = match defect {
        Defect::ImpossibleDate | Defect::CarrierPigeon => ("Member Assigned Date", Cell::NoSuchDay),
        Defect::ShortCin => ("Member Client Index Number (CIN)", Cell::text(&life.person.cin[..7])),
        Defect::WrongNpi => {
            let npi = life.episodes.first().map(|episode| episode.provider.wrong_npi());
            ("ECM Provider National Provider Identifier (NPI)", Cell::text(npi.unwrap_or_default()))
        }
    };
    spoilt(row, &HEADERS, header, cell)
}
