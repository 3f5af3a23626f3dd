//! Text files: lines, and rows of delimited cells (RFC 4180).
//!
//! The rows are taken apart here and not by a CSV library, because a quote that is opened and never closed must cost one
//! row: a library reads on and swallows the rest of the file into one cell.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{BadRow, RawRow};

/// The longest row of a table.
const LONGEST_ROW: usize = 64 * 1024;
/// The longest line with a submission; a whole rulebook fits.
pub(super) const LONGEST_LINE: usize = 1024 * 1024;
/// Lines that one quoted cell may span.
const MOST_LINES: usize = 50;

/// A file that counts the bytes read of it.
#[derive(Debug)]
pub(super) struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Counted {
    pub(super) fn open(path: &Path, read: Arc<AtomicU64>) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, read })
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        self.read.fetch_add(u64::try_from(count).unwrap_or(0), Ordering::Relaxed);
        Ok(count)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// The lines of a file, none longer than a limit in memory.
pub(super) struct Lines {
    input: BufReader<Counted>,
    longest: usize,
    first: bool,
}

/// One line without its end; `whole` unless it was cut.
pub(super) struct Line {
    pub(super) bytes: Vec<u8>,
    pub(super) whole: bool,
}

impl Lines {
    pub(super) fn of(file: Counted, longest: usize) -> Self {
        Self { input: BufReader::new(file), longest, first: true }
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        let mut line = Line { bytes: Vec::new(), whole: true };
        let mut ended = false;
        let mut any = false;
        while !ended {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                break;
            }
            any = true;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let taken = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
            if line.bytes.len() + taken.len() <= self.longest {
                line.bytes.extend_from_slice(taken);
            } else {
                line.whole = false;
            }
            ended = end.is_some();
            let used = taken.len() + usize::from(ended);
            self.input.consume(used);
        }
        if !any {
            return Ok(None);
        }
        if line.bytes.last() == Some(&b'\r') {
            line.bytes.pop();
        }
        if std::mem::take(&mut self.first) && line.bytes.starts_with(b"\xEF\xBB\xBF") {
            line.bytes.drain(..3);
        }
        Ok(Some(line))
    }
}

/// The rows of a delimited file.
pub(super) struct Delimited {
    lines: Lines,
    delimiter: char,
    /// How many cells a row should have, once the header is known.
    width: Option<usize>,
    /// Lines given back by a cell whose quote was never closed.
    again: VecDeque<Line>,
    row: u32,
}

impl Delimited {
    pub(super) fn of(file: Counted, delimiter: char) -> Self {
        Self { lines: Lines::of(file, LONGEST_ROW), delimiter, width: None, again: VecDeque::new(), row: 0 }
    }

    pub(super) fn expect(&mut self, width: usize) {
        self.width = Some(width);
    }

    fn line(&mut self) -> io::Result<Option<Line>> {
        match self.again.pop_front() {
            Some(line) => Ok(Some(line)),
            None => self.lines.next(),
        }
    }

    /// The next row; its cells are as they stand, however many.
    pub(super) fn next(&mut self) -> io::Result<Option<Result<RawRow, BadRow>>> {
        let Some(first) = self.line()? else { return Ok(None) };
        self.row = self.row.saturating_add(1);
        let row = self.row;
        Ok(Some(match self.row_from(&first)? {
            Ok((cells, raw)) => Ok(RawRow { row, cells, raw }),
            Err(reason) => {
                let raw = String::from_utf8_lossy(&first.bytes).into_owned();
                Err(BadRow { row, reason: reason.to_owned(), raw, breaks_off: false })
            }
        }))
    }

    /// The row that begins with a line, with the further lines its quoted cells take.
    fn row_from(&mut self, first: &Line) -> io::Result<Result<(Vec<String>, String), &'static str>> {
        if !first.whole {
            return Ok(Err("too_large: a row holds at most 64 KiB"));
        }
        let Ok(mut text) = String::from_utf8(first.bytes.clone()) else {
            return Ok(Err("malformed: is not UTF-8 text"));
        };
        let mut taken: Vec<Line> = Vec::new();
        let reason = loop {
            match cells(&text, self.delimiter) {
                // Several lines that make no whole row were joined by a quote that belongs to the first alone.
                Ok(cells) if taken.is_empty() || self.width.is_none_or(|width| cells.len() == width) => {
                    return Ok(Ok((cells, text)));
                }
                Err(Unquoted::Within) if taken.is_empty() => {
                    break "malformed: a quote within a quoted cell is not doubled";
                }
                Err(Unquoted::Open) if taken.len() < MOST_LINES && text.len() < LONGEST_ROW => {}
                Ok(_) | Err(_) => break NOT_CLOSED,
            }
            let Some(line) = self.line()? else { break NOT_CLOSED };
            let more = std::str::from_utf8(&line.bytes).ok().filter(|_| line.whole).map(|more| format!("\n{more}"));
            taken.push(line);
            match more {
                Some(more) => text.push_str(&more),
                None => break NOT_CLOSED,
            }
        };
        // What followed the open quote is rows of its own.
        for line in taken.into_iter().rev() {
            self.again.push_front(line);
        }
        Ok(Err(reason))
    }
}

const NOT_CLOSED: &str = "malformed: a quote is opened and not closed";

/// Why a text is no whole row.
#[derive(Debug, PartialEq, Eq)]
enum Unquoted {
    /// A quoted cell goes on in the next line.
    Open,
    /// Something follows a closing quote.
    Within,
}

fn cells(text: &str, delimiter: char) -> Result<Vec<String>, Unquoted> {
    let mut cells = Vec::new();
    let mut rest = text;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let (cell, after) = quoted_cell(quoted)?;
            cells.push(cell);
            match after.strip_prefix(delimiter) {
                Some(after) => rest = after,
                None if after.trim().is_empty() => return Ok(cells),
                None => return Err(Unquoted::Within),
            }
        } else {
            match rest.split_once(delimiter) {
                Some((cell, after)) => {
                    cells.push(cell.to_owned());
                    rest = after;
                }
                None => {
                    cells.push(rest.to_owned());
                    return Ok(cells);
                }
            }
        }
    }
}

/// The cell up to its closing quote, and what follows.
fn quoted_cell(text: &str) -> Result<(String, &str), Unquoted> {
    let mut cell = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('"').ok_or(Unquoted::Open)?;
        cell.push_str(before);
        match after.strip_prefix('"') {
            Some(after) => {
                cell.push('"');
                rest = after;
            }
            None => return Ok((cell, after)),
        }
    }
}

/// Cells as one line of CSV.
pub(super) fn joined(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| {
        if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() }
    });
    quoted.collect::<Vec<_>>().join(",")
}
