//! A file as rows: CSV or a workbook by content, submissions by kind. Memory does not grow with the rows.

use std::fmt;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rollbook_events::intake::FileKind;

use super::delimited::{Counted, Delimited, LONGEST_LINE, Lines};
use super::header::{Profile, SEARCHED, find};
use super::workbook::Workbook;
use super::{BadRow, RawRow};

/// The longest cell; a longer one is not a cell but a file within it.
const LONGEST_CELL: usize = 4 * 1024;
const MOST_COLUMNS: usize = 200;

/// A file that cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be opened or read.
    #[error("{name} cannot be read: {error}")]
    Io {
        /// The file.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// It is of a form that is not read.
    #[error("{name} {reason}")]
    Refused {
        /// The file.
        name: String,
        /// What it is, and what to do about it.
        reason: String,
    },
    /// Nothing in the first rows looks like a header.
    #[error("{name} has no header of a {kind} file in its first {SEARCHED} rows")]
    NoHeader {
        /// The file.
        name: String,
        /// What it should be.
        kind: FileKind,
    },
    /// A column that no row can do without is not there.
    #[error("{name} has no column {}; it has: {}", listed(.missing), listed(.seen))]
    MissingColumns {
        /// The file.
        name: String,
        /// The headers it should have.
        missing: Vec<String>,
        /// The headers it has.
        seen: Vec<String>,
    },
}

fn listed(headers: &[String]) -> String {
    headers.iter().map(|header| format!("'{header}'")).collect::<Vec<_>>().join(", ")
}

/// A file being read, row by row.
pub struct FileReader {
    source: Source,
    profile: Profile,
    read: Arc<AtomicU64>,
    size: u64,
    last_row: u32,
    broken: bool,
}

enum Source {
    Text(Delimited),
    Workbook(Workbook),
    Lines(Lines),
}

impl fmt::Debug for FileReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileReader").field("last_row", &self.last_row).finish_non_exhaustive()
    }
}

/// Opens a file as rows of its kind. `name` is the file's own name, for messages.
///
/// # Errors
/// It cannot be read, or it lacks a column that no row can do without.
pub fn open(path: &Path, name: &str, kind: FileKind) -> Result<FileReader, FileError> {
    let failed = |error| FileError::Io { name: name.to_owned(), error };
    let read = Arc::new(AtomicU64::new(0));
    let size = std::fs::metadata(path).map_err(failed)?.len();
    let (source, profile) = match form(path).map_err(failed)? {
        Form::Refused(reason) => {
            return Err(FileError::Refused { name: name.to_owned(), reason: reason.to_owned() });
        }
        Form::Zip if kind == FileKind::Events => {
            let reason = "is a workbook; submissions are one JSON object a line".to_owned();
            return Err(FileError::Refused { name: name.to_owned(), reason });
        }
        Form::Zip => {
            let (workbook, profile) = Workbook::open(path, name, kind, &read)?;
            (Source::Workbook(workbook), profile)
        }
        Form::Text if kind == FileKind::Events => {
            let lines = Lines::of(Counted::open(path, Arc::clone(&read)).map_err(failed)?, LONGEST_LINE);
            (Source::Lines(lines), Profile::of_events())
        }
        Form::Text => {
            let (text, profile) = text(path, name, kind, &read)?;
            (Source::Text(text), profile)
        }
    };
    Ok(FileReader { source, profile, read, size, last_row: 0, broken: false })
}

enum Form {
    Text,
    Zip,
    Refused(&'static str),
}

fn form(path: &Path) -> io::Result<Form> {
    let mut magic = Vec::new();
    std::fs::File::open(path)?.take(8).read_to_end(&mut magic)?;
    Ok(match magic.as_slice() {
        [b'P', b'K', 3 | 5, 4 | 6, ..] => Form::Zip,
        [0xD0, 0xCF, 0x11, 0xE0, ..] => {
            Form::Refused("is an old or a password-protected workbook; save it as .xlsx without a password")
        }
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Form::Refused("is UTF-16 text; save it as CSV UTF-8"),
        [b'%', b'P', b'D', b'F', ..] => Form::Refused("is a PDF"),
        _ => Form::Text,
    })
}

/// A text file from below its header on, whatever parts its cells.
fn text(path: &Path, name: &str, kind: FileKind, read: &Arc<AtomicU64>) -> Result<(Delimited, Profile), FileError> {
    let failed = |error| FileError::Io { name: name.to_owned(), error };
    let mut best: Option<Profile> = None;
    for delimiter in [',', '\t', ';', '|'] {
        let opened =
            || -> io::Result<Delimited> { Ok(Delimited::of(Counted::open(path, Arc::clone(read))?, delimiter)) };
        let mut rows = opened().map_err(failed)?;
        let mut top = Vec::new();
        while top.len() < SEARCHED
            && let Some(row) = rows.next().map_err(failed)?
        {
            top.push(row.map(|row| row.cells).unwrap_or_default());
        }
        let Some((index, profile)) = find(kind, top.iter().map(Vec::as_slice)) else { continue };
        if profile.missing().is_empty() {
            // Once more from the start: only now is it known how many cells make a row.
            read.store(0, Ordering::Relaxed);
            let mut rows = opened().map_err(failed)?;
            for _ in 0..=index {
                rows.next().map_err(failed)?;
            }
            rows.expect(top.get(index).map_or(0, Vec::len));
            return Ok((rows, profile));
        }
        if best.as_ref().is_none_or(|best| best.understood() < profile.understood()) {
            best = Some(profile);
        }
    }
    Err(no_header(name, kind, best))
}

/// Why a file's first rows are no header of its kind.
pub(super) fn no_header(name: &str, kind: FileKind, best: Option<Profile>) -> FileError {
    let name = name.to_owned();
    match best {
        None => FileError::NoHeader { name, kind },
        Some(profile) => FileError::MissingColumns {
            name,
            missing: profile.missing().into_iter().map(str::to_owned).collect(),
            seen: profile.columns().iter().map(|column| column.header.clone()).collect(),
        },
    }
}

impl FileReader {
    /// The header as it was understood.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// How many rows there are, where the file says so; a workbook's own word, which may be too high.
    pub fn rows_hint(&self) -> Option<u64> {
        match &self.source {
            Source::Workbook(workbook) => workbook.rows_hint(),
            Source::Text(_) | Source::Lines(_) => None,
        }
    }

    /// How much of the file was read so far.
    pub fn bytes_read(&self) -> u64 {
        // A workbook's parts are read more than once.
        self.read.load(Ordering::Relaxed).min(self.size)
    }

    /// The file's size.
    pub fn bytes(&self) -> u64 {
        self.size
    }

    /// The next row that holds anything; a row that is none comes as an error, and reading goes on after it.
    pub fn next_row(&mut self) -> Option<Result<RawRow, BadRow>> {
        loop {
            if self.broken {
                return None;
            }
            let row = match self.read_on() {
                Ok(row) => row?,
                Err(reason) => {
                    self.broken = true;
                    let row = self.last_row.saturating_add(1);
                    return Some(Err(BadRow { row, reason, raw: String::new(), breaks_off: true }));
                }
            };
            self.last_row = row.as_ref().map_or_else(|bad| bad.row, |row| row.row);
            match row {
                Ok(row) if row.cells.iter().all(|cell| cell.trim().is_empty()) => {}
                Ok(row) => return Some(self.fit(row)),
                Err(bad) => return Some(Err(bad)),
            }
        }
    }

    fn read_on(&mut self) -> Result<Option<Result<RawRow, BadRow>>, String> {
        let broken = |_: io::Error| "malformed: the file cannot be read any further".to_owned();
        match &mut self.source {
            Source::Text(text) => text.next().map_err(broken),
            Source::Workbook(workbook) => workbook.next(),
            Source::Lines(lines) => {
                let Some(line) = lines.next().map_err(broken)? else { return Ok(None) };
                let row = self.last_row.saturating_add(1);
                let bad = |reason: &str, bytes: &[u8]| {
                    let raw = String::from_utf8_lossy(bytes).into_owned();
                    Ok(Some(Err(BadRow { row, reason: reason.to_owned(), raw, breaks_off: false })))
                };
                if !line.whole {
                    return bad("too_large: a line holds at most 1 MiB", &line.bytes);
                }
                match String::from_utf8(line.bytes) {
                    Ok(raw) => Ok(Some(Ok(RawRow { row, cells: vec![raw.clone()], raw }))),
                    Err(error) => bad("malformed: is not UTF-8 text", error.as_bytes()),
                }
            }
        }
    }

    /// Gives a row as many cells as the header has, or says why it has not.
    fn fit(&self, mut row: RawRow) -> Result<RawRow, BadRow> {
        let width = self.profile.columns().len();
        let refused = |reason: &str, row: &RawRow| {
            Err(BadRow { row: row.row, reason: reason.to_owned(), raw: row.raw.clone(), breaks_off: false })
        };
        if matches!(self.source, Source::Lines(_)) {
            return Ok(row);
        }
        if row.cells.len() > MOST_COLUMNS {
            return refused("too_large: a row has at most 200 columns", &row);
        }
        if row.cells.iter().skip(width).any(|cell| !cell.trim().is_empty()) {
            return refused("malformed: a cell stands to the right of the last header", &row);
        }
        if row.cells.len() < width && matches!(self.source, Source::Text(_)) {
            return refused("malformed: the row has fewer cells than the header", &row);
        }
        if row.cells.iter().any(|cell| cell.len() > LONGEST_CELL) {
            return refused("too_large: a cell holds at most 4 KiB", &row);
        }
        if row.cells.iter().any(|cell| cell.contains('\0')) {
            return refused("malformed: a cell holds a NUL character", &row);
        }
        row.cells.resize(width, String::new());
        Ok(row)
    }
}
