//! The receipt: what was last acknowledged of each stream, in a small file beside the data, so that a stream that has lost
//! its end is known for it after any restart.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, bail};
use rollbook_events::{Hash, Position};
use serde::{Deserialize, Serialize};

use crate::log::StreamSpec;

/// The file's name in the data folder.
pub const FILE: &str = "receipt.json";

/// The last message of a stream that was acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Where it stands.
    pub position: Position,
    /// SHA-256 of its body.
    pub sha256: Hash,
}

/// Of each stream, by its name.
pub type Receipts = BTreeMap<String, Receipt>;

/// Reads the receipts of a data folder; none where it has no such file yet.
///
/// # Errors
/// Where the file cannot be read: it is not passed over, for it may be all that knows of a loss.
pub fn read(data: &Path) -> anyhow::Result<Receipts> {
    let path = data.join(FILE);
    let damaged =
        || format!("{} is damaged; see that the log is whole (rollbook verify), then remove it", path.display());
    match fs::read(&path) {
        Ok(text) => {
            let receipts: Receipts = serde_json::from_slice(&text).with_context(damaged)?;
            // A name that is no stream's was one's: what that one acknowledged would be forgotten without a word.
            let is_stream = |name: &String| StreamSpec::ALL.iter().any(|stream| stream.name == name);
            // This program alone writes it: whatever it would write otherwise, somebody or some disk has changed.
            let is_ours = serde_json::to_vec_pretty(&receipts).is_ok_and(|ours| ours == text);
            if !is_ours || !receipts.keys().all(is_stream) {
                bail!(damaged());
            }
            Ok(receipts)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Receipts::new()),
        Err(error) => Err(error).with_context(|| format!("could not read {}", path.display())),
    }
}

/// Writes the receipts, whole or not at all; of a stream that another recorder has brought further, the further one stays.
///
/// # Errors
/// Where the file cannot be written, or the one there cannot be read.
pub fn write(data: &Path, receipts: &Receipts) -> anyhow::Result<()> {
    let mut all = read(data)?;
    for (stream, receipt) in receipts {
        if all.get(stream).is_none_or(|there| there.position < receipt.position) {
            all.insert(stream.clone(), *receipt);
        }
    }
    let path = data.join(FILE);
    // Two recorders that share a folder must not write into one another's file.
    let written = data.join(format!("{FILE}.{}", std::process::id()));
    let doing = || format!("could not write {}", path.display());
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&written);
    let flush = |file: &mut fs::File| {
        file.write_all(&serde_json::to_vec_pretty(&all)?)?;
        file.sync_all()
    };
    let renamed = file.as_mut().map_err(|error| std::io::Error::new(error.kind(), error.to_string())).and_then(flush);
    renamed.and_then(|()| fs::rename(&written, &path)).with_context(doing)?;
    fs::File::open(data).and_then(|folder| folder.sync_all()).with_context(doing)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn receipts(position: u64) -> Receipts {
        let receipt = Receipt { position: Position(position), sha256: Hash::of(&position.to_le_bytes()) };
        Receipts::from([("ENROLLMENT".to_owned(), receipt)])
    }

    #[test]
    fn what_is_written_is_read_and_never_goes_back() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(folder.path()).unwrap(), Receipts::new());
        write(folder.path(), &receipts(7)).unwrap();
        write(folder.path(), &receipts(5)).unwrap();
        assert_eq!(read(folder.path()).unwrap(), receipts(7));
        assert_eq!(fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_damaged_one_is_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "{\"ENROLLMENT\":").unwrap();
        assert!(read(folder.path()).unwrap_err().to_string().contains("is damaged"));
        assert!(write(folder.path(), &receipts(1)).is_err());
        let whole = serde_json::to_string_pretty(&receipts(7)).unwrap();
        let hash = receipts(7)["ENROLLMENT"].sha256.to_string();
        let rotten = [whole.replace("ENROLLMENT", "ENROLLMENU"), whole.replace(&hash, &hash.to_uppercase())];
        for text in rotten {
            fs::write(folder.path().join(FILE), &text).unwrap();
            assert!(read(folder.path()).is_err_and(|error| error.to_string().contains("is damaged")), "{text}");
        }
        fs::write(folder.path().join(FILE), whole).unwrap();
        assert!(read(folder.path()).is_ok());
    }
}
