//! Taking a person out of the quarantine: rows that wait there hold what a file said of somebody, in clear.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::Path;

use rollbook_events::{Cin, MemberId};

use super::quarantine::{FILES, Line, private};
use crate::identity_index::destroying::Called;
use crate::ledger_key::LedgerKey;

/// Whom to take out.
pub(super) struct Whom<'a> {
    pub(super) members: &'a HashSet<MemberId>,
    pub(super) called: &'a Called,
    pub(super) key: &'a LedgerKey,
}

/// Takes what rows say of these members out of every quarantine file, and leaves that they were there, with their reason; how
/// many rows that were. Killed anywhere, the same again goes on.
pub(super) fn purge(folder: &Path, whom: &Whom<'_>) -> std::io::Result<u64> {
    let mut purged = 0;
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "ndjson") {
            // One file after another, so that an import waits for one alone.
            let _alone = FILES.lock();
            purged += purge_file(&path, whom)?;
        }
    }
    Ok(purged)
}

fn purge_file(path: &Path, whom: &Whom<'_>) -> std::io::Result<u64> {
    let mut old = fs::OpenOptions::new().read(true).write(true).open(path)?;
    let (mut kept, mut purged) = (Vec::new(), 0);
    for text in BufReader::new(&old).split(b'\n') {
        let text = text?;
        match serde_json::from_slice::<Line>(&text) {
            Ok(mut line) if whom.is_in(&line.raw) => {
                purged += 1;
                line.raw = String::new();
                serde_json::to_writer(&mut kept, &line)?;
                kept.push(b'\n');
            }
            Ok(_) => {
                kept.extend_from_slice(&text);
                kept.push(b'\n');
            }
            // Cut off by a kill; nobody will read it as a row, and it may hold anything.
            Err(_) => purged += u64::from(!text.is_empty()),
        }
    }
    if purged == 0 {
        return Ok(0);
    }
    let beside = path.with_extension("new");
    // One that a kill left behind would be added to.
    _ = fs::remove_file(&beside);
    let mut new = private(&beside)?;
    new.write_all(&kept)?;
    new.sync_all()?;
    fs::rename(&beside, path)?;
    wipe(&mut old)?;
    Ok(purged)
}

/// Writes zeros over a file that has no name any more, so that its blocks say nothing when they are given away.
fn wipe(file: &mut File) -> std::io::Result<()> {
    let mut left = file.metadata()?.len();
    file.seek(SeekFrom::Start(0))?;
    let zeros = [0; 64 * 1_024];
    while left > 0 {
        let some = left.min(zeros.len() as u64);
        file.write_all(zeros.get(..usize::try_from(some).unwrap_or(0)).unwrap_or_default())?;
        left -= some;
    }
    file.sync_all()
}

impl Whom<'_> {
    /// Whether a row speaks of one of them: by CIN, by pseudonym, or by first and last name.
    fn is_in(&self, raw: &str) -> bool {
        let lower = raw.to_lowercase();
        let words: HashSet<&str> = lower.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
        let parts = lower.split(|c: char| !c.is_alphanumeric()).filter_map(|part| part.parse::<Cin>().ok());
        let mut cins = parts.map(|cin| self.key.member(&cin));
        cins.any(|member| self.members.contains(&member))
            || words.iter().any(|word| word.parse().is_ok_and(|member| self.members.contains(&member)))
            || self.called.0.iter().any(|(first, last)| has_name(&lower, first) && has_name(&lower, last))
    }
}

/// Whether a name stands in a text as a word, or words, of its own.
fn has_name(lower: &str, name: &str) -> bool {
    let name = name.trim().to_lowercase();
    let is_part = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !name.is_empty()
        && lower.match_indices(&name).any(|(at, _)| {
            let before = lower.get(..at).and_then(|before| before.chars().next_back());
            let after = lower.get(at + name.len()..).and_then(|after| after.chars().next());
            !is_part(before) && !is_part(after)
        })
}

#[cfg(test)]
mod tests {
    use super::super::quarantine::Quarantine;
    use super::*;

    fn line(row: u32, raw: &str) -> Line {
        Line { file: "f.csv".into(), row, column: None, reason: "bad_date".into(), raw: raw.into() }
    }

    #[test]
    fn rows_about_a_person_are_emptied_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let (key, cin): (_, Cin) = (LedgerKey::new([1; 32]), "91234567A".parse().unwrap());
        let member = key.member(&cin);
        let path = folder.path().join("quarantine").join("f.ndjson");
        let (quarantine, _) = Quarantine::resume(path.clone(), 0).unwrap();
        let rows = [
            "91234567A,Fakename,no date".to_owned(),
            "91234567a29180;BIC".to_owned(),
            format!("{{\"member\":\"{member}\"}}"),
            "9123456?,FAKENAME,Robin,12/31".to_owned(),
            "91234568A,Fakename,Other".to_owned(),
            "91234569A,Fakenames,Robin".to_owned(),
        ];
        quarantine.add(&rows.iter().zip(2..).map(|(raw, row)| line(row, raw)).collect::<Vec<_>>()).unwrap();
        let (members, called) = (HashSet::from([member]), Called(vec![("Robin".into(), "Fakename".into())]));
        let whom = Whom { members: &members, called: &called, key: &key };
        assert_eq!(purge(&folder.path().join("quarantine"), &whom).unwrap(), 4);
        // An import that has the file at hand goes on in the new one.
        quarantine.add(&[line(9, "later")]).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let raws: Vec<(u32, String)> = text
            .lines()
            .map(|line| serde_json::from_str::<Line>(line).unwrap())
            .map(|line| (line.row, line.raw))
            .collect();
        let expected = [(2, ""), (3, ""), (4, ""), (5, ""), (6, rows[4].as_str()), (7, rows[5].as_str()), (9, "later")];
        assert_eq!(raws, expected.map(|(row, raw)| (row, raw.to_owned())));
        assert_eq!(purge(&folder.path().join("quarantine"), &whom).unwrap(), 0);
        assert_eq!(purge(&folder.path().join("none"), &whom).unwrap(), 0);
    }
}
