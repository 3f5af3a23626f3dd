//! `rollbook dump`: a whole view, every row there ever was.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::builder::PossibleValuesParser;
use reqwest::header::ACCEPT;
use rollbook_projections::views;

use super::client::{Connection, copy};
use super::exit::Exit;
use super::output::Output;

const EXAMPLES: &str = "\
Examples:
  rollbook dump current_enrollment --out enrollment.ndjson
  rollbook dump duplication_conflict | sha256sum

Two ledgers with the same log dump the same bytes, `known_from` and `known_until` included, on SQLite and on PostgreSQL.";

/// Writes a whole view as NDJSON, rows of the past included
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Dump {
    /// Which view
    #[arg(value_parser = PossibleValuesParser::new(views::ALL.iter().map(|view| view.table().name)))]
    view: String,
    /// A file to write to, readable by its owner alone [default: stdout]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
}

/// Dumps a view.
///
/// # Errors
/// Where the ledger cannot answer, or the file cannot be written.
pub async fn run(dump: &Dump, output: &mut Output) -> anyhow::Result<Exit> {
    let client = dump.connection.client()?;
    let request = client.get(&["v1", "views", &dump.view], &[]).header(ACCEPT, "application/x-ndjson");
    let answer = client.send(request).await?;
    let Some(out) = &dump.out else {
        copy(answer, output, None).await?;
        return Ok(Exit::Done);
    };
    // Under its own name only when it is whole; and in the same folder, where a rename is no copy.
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile_in(folder, out)?;
    copy(answer, &mut Output::to(file.0), None).await.inspect_err(|_| _ = std::fs::remove_file(&file.1))?;
    std::fs::rename(&file.1, out).with_context(|| format!("could not write {}", out.display()))?;
    output.note(format_args!("wrote {}", out.display()));
    Ok(Exit::Done)
}

/// A new file beside the one that is wanted, for its owner alone: the rows are about people.
fn tempfile_in(folder: &Path, out: &Path) -> anyhow::Result<(std::fs::File, PathBuf)> {
    use std::os::unix::fs::OpenOptionsExt;
    let name = out.file_name().unwrap_or_default().to_string_lossy();
    let path = folder.join(format!(".{name}.{}", std::process::id()));
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    Ok((file.with_context(|| format!("could not write {}", path.display()))?, path))
}
