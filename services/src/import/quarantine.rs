//! The quarantine file: the raw text of rows that wait for a person, for the ledger's own user alone.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

/// Who adds to a quarantine file, or takes a person out of one, holds this: the files are the process's own.
pub(super) static FILES: Mutex<()> = Mutex::new(());

/// A row that waits for a person.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) file: String,
    pub(super) row: u32,
    pub(super) column: Option<String>,
    pub(super) reason: String,
    pub(super) raw: String,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[phi]")
    }
}

/// The quarantine of one file.
#[derive(Debug)]
pub(super) struct Quarantine {
    path: PathBuf,
}

impl Quarantine {
    /// The quarantine of a file of which the rows up to `settled` are done: what was written past them is taken out, for
    /// those rows are read again. Gives what is in it.
    pub(super) fn resume(path: PathBuf, settled: u32) -> std::io::Result<(Self, Vec<Line>)> {
        let mut kept = Vec::new();
        let _alone = FILES.lock();
        if path.exists() {
            for text in BufReader::new(File::open(&path)?).split(b'\n') {
                // A line cut off by a kill is of a row that was not settled.
                if let Ok(line) = serde_json::from_slice::<Line>(&text?)
                    && line.row <= settled
                {
                    kept.push(line);
                }
            }
            let beside = path.with_extension("new");
            // One that a kill left behind would be added to.
            _ = fs::remove_file(&beside);
            let mut file = private(&beside)?;
            for line in &kept {
                serde_json::to_writer(&mut file, line)?;
                file.write_all(b"\n")?;
            }
            file.sync_all()?;
            fs::rename(&beside, &path)?;
        }
        Ok((Self { path }, kept))
    }

    /// Adds rows, on disk when it answers.
    pub(super) fn add(&self, lines: &[Line]) -> std::io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut bytes, line)?;
            bytes.push(b'\n');
        }
        let _alone = FILES.lock();
        // Opened each time: it may be another file since somebody was taken out of it.
        let mut file = private(&self.path)?;
        file.write_all(&bytes)?;
        file.sync_data()
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

pub(super) fn private(path: &Path) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(row: u32) -> Line {
        Line { file: "f.csv".into(), row, column: None, reason: "bad_date".into(), raw: "x,y".into() }
    }

    #[test]
    fn rows_past_the_last_settled_one_are_taken_out() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("quarantine").join("f.ndjson");
        let (quarantine, kept) = Quarantine::resume(path.clone(), 0).unwrap();
        assert!(kept.is_empty());
        quarantine.add(&[line(2), line(5)]).unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"{\"file\":\"f.c").unwrap();
        let (_, kept) = Quarantine::resume(path.clone(), 4).unwrap();
        assert_eq!(kept.iter().map(|line| line.row).collect::<Vec<_>>(), [2]);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
