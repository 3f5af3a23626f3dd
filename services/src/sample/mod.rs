//! An obviously made-up county, written down as plans and providers send it, with the truth beside it.
//!
//! Every member's life is worked out from the seed and the member's number alone, as often as a file needs it, so the
//! memory it takes does not grow with the county. `truth.json` is counted from the same lives, never from the files and
//! never with the ledger's own rules: it is what a ledger that read every file, in the order of their names, must say.
//!
//! What a reader of the files has to know:
//!
//! - A Return Transmission File's `ECM Enrollment End Date` is the last day covered; `until` is the next day.
//! - Where two Return Transmission Files disagree on a day, the one produced later is right; a member has at most one
//!   ECM enrollment with a plan, so a changed start date is a correction and not a second enrollment.
//! - A declined member's day is in `Discontinuation Date`, with the status `Declined`.
//! - A tracker may hold attempts of earlier months, and a `_corrected` tracker holds all rows of the first and more.
//! - `Mail` is no attempt, and an attempt after the enrollment does not count.

mod calendar;
mod cell;
mod county;
mod ecm;
mod layout;
mod life;
mod member_information;
mod outreach_tracker;
mod person;
mod return_transmission;
mod sheet;
mod submissions;
mod supports;
#[cfg(test)]
mod tests;
mod truth;

use anyhow::{Context, ensure};
use chrono::Datelike;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

use calendar::Month;
use cell::Cell;
use county::{COUNTY_AGENCY, Plan};
use life::Life;
use sheet::Sheet;

pub use person::{FIRST_NAMES, LAST_NAMES};

/// Which county, and where to.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many people live in it.
    pub members: u32,
    /// What makes it this county and no other.
    pub seed: u64,
    /// The folder to write to; it is created.
    pub out: PathBuf,
}

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// Member Information File.
    MemberInformation,
    /// ECM Provider Initial Outreach Tracker File.
    OutreachTracker,
    /// ECM Provider Return Transmission File.
    ReturnTransmission,
    /// Submissions in the ledger's own vocabulary.
    Events,
}

impl FileKind {
    /// The kinds that are tables.
    pub const TABLES: [Self; 3] = [Self::MemberInformation, Self::OutreachTracker, Self::ReturnTransmission];

    /// The kind's name, as it stands in file names and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::MemberInformation => "member-information",
            Self::OutreachTracker => "outreach-tracker",
            Self::ReturnTransmission => "return-transmission",
            Self::Events => "events",
        }
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Every file, its kind, and its rows without the header, in the order of their names.
    pub files: Vec<(FileKind, PathBuf, u64)>,
    /// The truth.
    pub truth: PathBuf,
}

/// The most members whose CINs are sure to differ.
const MOST_MEMBERS: u32 = 10_000_000;

/// Writes a county's files and its truth; says each file's name when it is done.
pub fn write_county(settings: &Settings, progress: &mut dyn FnMut(&str)) -> anyhow::Result<Written> {
    ensure!(settings.members <= MOST_MEMBERS, "a sample county has at most {MOST_MEMBERS} members");
    fs::create_dir_all(&settings.out).with_context(|| format!("creating {}", settings.out.display()))?;
    let mut files = Vec::new();
    for plan in Plan::ALL {
        for batch in batches(plan) {
            files.extend(write_tables(settings, plan, &batch, progress)?);
        }
    }
    for agency in Plan::ALL.map(Plan::code).into_iter().chain([COUNTY_AGENCY]) {
        files.extend(write_submissions(settings, agency, progress)?);
    }
    files.sort_by(|(_, one, _), (_, other, _)| one.cmp(other));
    let truth = write_truth(settings)?;
    progress("truth.json");
    Ok(Written { files, truth })
}

/// One table a plan sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Table {
    plan: Plan,
    kind: FileKind,
    month: Month,
    corrected: bool,
}

impl Table {
    /// The file's name; a corrected file's sorts just after the first one's.
    fn file_name(self) -> String {
        let Self { plan, kind, month, corrected } = self;
        let corrected = if corrected { "_corrected" } else { "" };
        let extension = if plan.profile().workbook { "xlsx" } else { "csv" };
        format!("{}-{}-{}{corrected}.{extension}", plan.code(), kind.name(), month.day(1).format("%Y-%m"))
    }

    fn rows(self, life: &Life) -> Vec<Vec<Cell>> {
        match self.kind {
            FileKind::MemberInformation => member_information::rows(life, self.plan, self.month),
            FileKind::OutreachTracker => outreach_tracker::rows(life, self.plan, self.month, self.corrected),
            FileKind::ReturnTransmission => return_transmission::rows(life, self.plan, self.month),
            FileKind::Events => Vec::new(),
        }
    }
}

/// A plan's tables, grouped by what is written in one pass over the members: text streams to disk, so all of it at
/// once, but a workbook is held in memory until it is done, so a month at a time.
fn batches(plan: Plan) -> Vec<Vec<Table>> {
    let tables_of = |month| {
        let table = move |kind| Table { plan, kind, month, corrected: false };
        let resent = plan.resent_trackers().contains(&month);
        let corrected = Table { corrected: true, ..table(FileKind::OutreachTracker) };
        FileKind::TABLES.map(table).into_iter().chain(resent.then_some(corrected))
    };
    if plan.profile().workbook {
        return Month::all().map(|month| tables_of(month).collect()).collect();
    }
    vec![Month::all().flat_map(tables_of).collect()]
}

fn write_tables(
    settings: &Settings,
    plan: Plan,
    tables: &[Table],
    progress: &mut dyn FnMut(&str),
) -> anyhow::Result<Vec<(FileKind, PathBuf, u64)>> {
    let profile = plan.profile();
    let begin = |table: &Table| {
        let path = settings.out.join(table.file_name());
        let columns = layout::columns(plan, table.kind);
        Ok((*table, Sheet::begun(path, columns, profile.style, profile.workbook)?))
    };
    let mut sheets = tables.iter().map(begin).collect::<anyhow::Result<Vec<_>>>()?;
    for life in lives(settings) {
        if !life.concerns(plan) {
            continue;
        }
        for (table, sheet) in &mut sheets {
            for row in table.rows(&life) {
                sheet.push(&row)?;
            }
        }
    }
    let finish = |(table, sheet): (Table, Sheet)| {
        let (path, rows) = sheet.finished()?;
        progress(&table.file_name());
        Ok((table.kind, path, rows))
    };
    sheets.into_iter().map(finish).collect()
}

fn write_submissions(
    settings: &Settings,
    agency: &str,
    progress: &mut dyn FnMut(&str),
) -> anyhow::Result<Vec<(FileKind, PathBuf, u64)>> {
    let mut lines: Vec<_> = lives(settings)
        .flat_map(|life| submissions::lines(&life, agency))
        .map(|line| (line.on, line.submission.to_string()))
        .collect();
    // Stable, so that what a member's lines say of each other stays in order.
    lines.sort_by_key(|(on, _)| *on);
    let mut files = Vec::new();
    for year in [2024, 2025] {
        let name = format!("{agency}-{}-{year}.ndjson", FileKind::Events.name());
        let path = settings.out.join(&name);
        let mut text = Vec::new();
        let mut rows = 0;
        for (_, line) in lines.iter().filter(|(on, _)| on.year() == year) {
            writeln!(text, "{line}")?;
            rows += 1;
        }
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        progress(&name);
        files.push((FileKind::Events, path, rows));
    }
    Ok(files)
}

fn write_truth(settings: &Settings) -> anyhow::Result<PathBuf> {
    let mut tally = truth::Tally::new();
    for life in lives(settings) {
        tally.add(&life);
    }
    let file_name = |plan, kind, month| Table { plan, kind, month, corrected: false }.file_name();
    let truth = tally.truth(settings.seed, file_name);
    let path = settings.out.join("truth.json");
    let text = serde_json::to_string_pretty(&truth)? + "\n";
    fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
    Ok(path)
}

fn lives(settings: &Settings) -> impl Iterator<Item = Life> {
    let seed = settings.seed;
    (0..settings.members).map(move |index| Life::simulated(seed, index))
}

/// The row with another cell under that header.
fn spoilt(mut row: Vec<Cell>, headers: &[&str], header: &str, cell: Cell) -> Vec<Cell> {
    if let Some(place) = headers.iter().position(|candidate| *candidate == header)
        && let Some(old) = row.get_mut(place)
    {
        *old = cell;
    }
    row
}
