//! Workbooks: the tab that holds the kind of file, its cells as text.
//!
//! calamine's cell reader borrows the workbook, and a reader that is handed around cannot own both; so a thread reads and
//! hands rows over, a few hundred ahead at most. The workbook's shared strings are the only thing that is held whole.

use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use calamine::{Cell, DataRef, DataType as _, ExcelDateTime, Reader as _, SheetType, Xlsx, XlsxError};
use rollbook_events::intake::FileKind;

use super::delimited::{Counted, joined};
use super::header::{Profile, SEARCHED, find};
use super::reader::{FileError, no_header};
use super::{BadRow, RawRow, zip_guard};

type Book = Xlsx<BufReader<Counted>>;

const AHEAD: usize = 256;
const BROKEN: &str = "malformed: the workbook cannot be read any further";

/// A workbook being read.
pub(super) struct Workbook {
    rows: Receiver<Handed>,
    hint: Option<u64>,
    ended: bool,
}

/// What the reading thread hands over. A thread that ends without `Done` broke off.
enum Handed {
    Row(u32, Vec<String>),
    Done,
}

/// A tab that has a header of the kind.
struct Tab {
    name: String,
    profile: Profile,
    header_row: u32,
    rows: u64,
}

impl Workbook {
    pub(super) fn open(
        path: &Path,
        name: &str,
        kind: FileKind,
        read: &Arc<AtomicU64>,
    ) -> Result<(Self, Profile), FileError> {
        let failed = |error| FileError::Io { name: name.to_owned(), error };
        let refused = |reason: String| FileError::Refused { name: name.to_owned(), reason };
        zip_guard::check(path).map_err(failed)?.map_or(Ok(()), |reason| Err(refused(reason.to_owned())))?;
        let file = Counted::open(path, Arc::clone(read)).map_err(failed)?;
        // The library's messages quote the file, which may hold persons.
        let mut book: Book =
            Xlsx::new(BufReader::new(file)).map_err(|_| refused("is no workbook that can be read".to_owned()))?;
        let tab = tab(&mut book, name, kind)?;
        let (hand, rows) = sync_channel(AHEAD);
        let Tab { name: sheet, profile, header_row, rows: hint } = tab;
        let reading = move || {
            // An error hands over nothing more: the missing `Done` tells it.
            if let Ok(true) = hand_over(&mut book, &sheet, header_row, &hand) {
                let _ = hand.send(Handed::Done);
            }
        };
        std::thread::Builder::new().name("workbook".to_owned()).spawn(reading).map_err(failed)?;
        // Some writers leave the size of a tab out.
        Ok((Self { rows, hint: (hint > 0).then_some(hint), ended: false }, profile))
    }

    pub(super) fn rows_hint(&self) -> Option<u64> {
        self.hint
    }

    pub(super) fn next(&mut self) -> Result<Option<Result<RawRow, BadRow>>, String> {
        if self.ended {
            return Ok(None);
        }
        match self.rows.recv() {
            Ok(Handed::Row(row, cells)) => {
                let raw = joined(&cells);
                Ok(Some(Ok(RawRow { row, cells, raw })))
            }
            Ok(Handed::Done) => {
                self.ended = true;
                Ok(None)
            }
            Err(_) => Err(BROKEN.to_owned()),
        }
    }
}

/// The tab's name in workbooks that hold several kinds.
const fn tab_name(kind: FileKind) -> &'static str {
    match kind {
        FileKind::MemberInformation => "mif",
        FileKind::OutreachTracker => "otf",
        FileKind::ReturnTransmission => "rtf",
        FileKind::Events => "",
    }
}

/// The tab that holds the kind: the one named for it, else the only one with such a header.
fn tab(book: &mut Book, name: &str, kind: FileKind) -> Result<Tab, FileError> {
    let sheets: Vec<String> = book
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet)
        .map(|sheet| sheet.name.clone())
        .collect();
    let mut best: Option<Profile> = None;
    let mut fit: Vec<Tab> = Vec::new();
    for sheet in sheets {
        let (rows, hint) = first_rows(book, &sheet).map_err(|_| FileError::Refused {
            name: name.to_owned(),
            reason: format!("has a tab that cannot be read: '{sheet}'"),
        })?;
        let Some((index, profile)) = find(kind, rows.iter().map(|(_, cells)| cells.as_slice())) else { continue };
        if profile.missing().is_empty() {
            let header_row = rows.get(index).map_or(0, |(row, _)| *row);
            fit.push(Tab { name: sheet, profile, header_row, rows: hint.saturating_sub(u64::from(header_row)) });
        } else if best.as_ref().is_none_or(|best| best.understood() < profile.understood()) {
            best = Some(profile);
        }
    }
    if let Some(named) = fit.iter().position(|tab| tab.name.trim().to_lowercase() == tab_name(kind)) {
        return Ok(fit.swap_remove(named));
    }
    match fit.len() {
        0 => Err(no_header(name, kind, best)),
        1 => Ok(fit.swap_remove(0)),
        _ => {
            let tabs = fit.iter().map(|tab| format!("'{}'", tab.name)).collect::<Vec<_>>().join(", ");
            let wanted = tab_name(kind).to_uppercase();
            let reason = format!("has several tabs of this kind: {tabs}; name the one that counts {wanted}");
            Err(FileError::Refused { name: name.to_owned(), reason })
        }
    }
}

type FirstRows = (Vec<(u32, Vec<String>)>, u64);

fn first_rows(book: &mut Book, sheet: &str) -> Result<FirstRows, XlsxError> {
    let mut rows = Vec::new();
    let mut hint = 0;
    each_row(book, sheet, &mut hint, &mut |row, cells| {
        rows.push((row, cells));
        rows.len() < SEARCHED
    })?;
    Ok((rows, hint))
}

/// Hands the rows below the header over; false where nobody takes them any more.
fn hand_over(book: &mut Book, sheet: &str, header_row: u32, to: &SyncSender<Handed>) -> Result<bool, XlsxError> {
    each_row(book, sheet, &mut 0, &mut |row, cells| row <= header_row || to.send(Handed::Row(row, cells)).is_ok())
}

/// Calls `take` with every row that has cells, until it wants no more.
fn each_row(
    book: &mut Book,
    sheet: &str,
    hint: &mut u64,
    take: &mut dyn FnMut(u32, Vec<String>) -> bool,
) -> Result<bool, XlsxError> {
    let mut reader = book.worksheet_cells_reader(sheet)?;
    *hint = u64::from(reader.dimensions().end.0) + 1;
    let mut current: Option<(u32, Vec<String>)> = None;
    while let Some(cell) = reader.next_cell()? {
        let (row, column) = cell.get_position();
        if let Some((last, cells)) = current.take_if(|(last, _)| *last != row)
            && !take(last.saturating_add(1), cells)
        {
            return Ok(false);
        }
        let (_, cells) = current.get_or_insert_with(|| (row, Vec::new()));
        put(cells, column, &cell);
    }
    Ok(current.is_none_or(|(last, cells)| take(last.saturating_add(1), cells)))
}

/// Columns in which cells are kept; one more than a row may have, so that too many are seen.
const KEPT_COLUMNS: usize = 201;

fn put(cells: &mut Vec<String>, column: u32, cell: &Cell<DataRef<'_>>) {
    let column = usize::try_from(column).unwrap_or(usize::MAX).min(KEPT_COLUMNS - 1);
    let text = text(cell.get_value());
    if text.is_empty() {
        return;
    }
    if cells.len() <= column {
        cells.resize(column + 1, String::new());
    }
    if let Some(place) = cells.get_mut(column) {
        *place = text;
    }
}

fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::Int(number) => number.to_string(),
        // The shortest form that is the same number: an identifier of ten digits stays what it is.
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(flag) => (if *flag { "TRUE" } else { "FALSE" }).to_owned(),
        DataRef::DateTime(stamp) => stamp_text(stamp),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(_) => value.get_error().map_or_else(|| "#ERROR".to_owned(), ToString::to_string),
    }
}

/// A day, a day with its time, or a length of time, in a form that cells are read in.
fn stamp_text(stamp: &ExcelDateTime) -> String {
    let serial = stamp.as_f64();
    if stamp.is_duration() || (0.0..1.0).contains(&serial) {
        let minutes = (serial * 1440.0).round();
        return format!("{} h {} mins", (minutes / 60.0).floor(), minutes % 60.0);
    }
    // Rounded to the millisecond by the library, so that 10:00 kept as 9:59:59.999999 is 10:00.
    let (year, month, day, hour, minute, second, _) = stamp.to_ymd_hms_milli();
    if (hour, minute, second) == (0, 0, 0) {
        return format!("{year:04}-{month:02}-{day:02}");
    }
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}
