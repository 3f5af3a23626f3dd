//! What a workbook's table of contents says before anything of it is unpacked: its size, and whether it holds programs.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

const MOST_PACKED: u64 = 50 * 1024 * 1024;
const MOST_UNPACKED: u64 = 500 * 1024 * 1024;
/// The end record and the longest comment behind it.
const TAIL: u64 = 22 + 65_535;

/// Why a workbook is not opened, if so.
pub(super) fn check(path: &Path) -> io::Result<Option<&'static str>> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    if size > MOST_PACKED {
        return Ok(Some("is larger than a workbook may be (50 MB); send it as CSV"));
    }
    let tail = read_at(&mut file, size.saturating_sub(TAIL), TAIL.min(size))?;
    let Some(end) = tail.windows(4).rposition(|window| window == b"PK\x05\x06") else {
        return Ok(Some("is not a whole workbook"));
    };
    let (length, start) = (number(&tail, end + 12, 4), number(&tail, end + 16, 4));
    let (Some(length), Some(start)) = (length, start) else { return Ok(Some("is not a whole workbook")) };
    if start.saturating_add(length) > size {
        return Ok(Some("is not a whole workbook"));
    }
    let directory = read_at(&mut file, start, length)?;
    Ok(refused(&directory))
}

fn refused(directory: &[u8]) -> Option<&'static str> {
    let mut unpacked = 0_u64;
    let mut at = 0;
    while directory.get(at..at + 4) == Some(b"PK\x01\x02") {
        let lengths = [28, 30, 32].map(|offset| number(directory, at + offset, 2));
        let [Some(name), Some(extra), Some(comment)] = lengths.map(|n| n.and_then(|n| usize::try_from(n).ok())) else {
            return Some("is not a whole workbook");
        };
        // Four bytes of ones mean "too large for this field", which is too large for us.
        unpacked = unpacked.saturating_add(number(directory, at + 24, 4)?);
        let name_text = directory.get(at + 46..at + 46 + name).unwrap_or_default();
        if name_text.ends_with(b"vbaProject.bin") {
            return Some("holds macros; save it as .xlsx without them");
        }
        if name_text.ends_with(b"workbook.bin") {
            return Some("is a binary workbook; save it as .xlsx");
        }
        at += 46 + name + extra + comment;
    }
    (unpacked > MOST_UNPACKED).then_some("unpacks to more than a workbook may (500 MB); send it as CSV")
}

fn read_at(file: &mut File, start: u64, length: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// A little-endian number.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
