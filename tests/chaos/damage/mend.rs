//! Following the runbook of deploy/README.md, "Archive and restore", to its words.

use std::path::Path;

use super::judge::Effect;
use crate::chaos::tools::ledger::Program;
use crate::chaos::tools::text;

/// Mends a data folder, with the copy of its keys that was made.
///
/// # Errors
/// Where a command of the runbook fails.
pub fn mend(program: &Program, data: &Path, keys: &Path, effect: &Effect) -> anyhow::Result<()> {
    if !effect.archive.is_empty() {
        // The log is whole: the archive is written anew from it, under the old one's name.
        std::fs::rename(data.join("archive"), data.join("archive.damaged"))?;
    }
    if !effect.streams.is_empty() {
        std::fs::rename(data.join("nats"), data.join("nats.damaged"))?;
        program.ok(data, &["restore", "--archive", text(&data.join("archive"))?, "--into", text(data)?])?;
        program.ok(data, &["identity", "restore-keys", text(keys)?, "--data", text(data)?])?;
    }
    if !effect.receipt.is_empty() && data.join("receipt.json").exists() {
        std::fs::rename(data.join("receipt.json"), data.join("receipt.json.damaged"))?;
    }
    for file in ["views.db", "views.db-wal", "views.db-shm"] {
        if data.join(file).exists() {
            std::fs::rename(data.join(file), data.join(format!("{file}.damaged")))?;
        }
    }
    Ok(())
}
