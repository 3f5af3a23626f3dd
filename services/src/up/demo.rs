//! `up --demo`: a sample county loaded as its files come, and three questions asked of it by the commands that anybody would use.

use std::path::Path;

use anyhow::{Context, bail};
use tokio::process::Command;

use crate::sample::{self, FileKind};

/// One seed, so that everybody's demo is the same county.
const SEED: u64 = 1;

/// The questions, with the commands that ask them.
const QUESTIONS: [(&str, &[&str]); 3] = [
    (
        "Who is in two systems at once on 1 March 2025: in a plan's own housing services and in the county's?",
        &["conflicts", "--outcome", "conflict", "--effective-at", "2025-03-01", "--limit", "5"],
    ),
    ("How does outreach turn into enrollment, plan by plan?", &["outreach", "--by", "plan,program"]),
    (
        "Who was enrolled in Enhanced Care Management by L.A. Care on 1 January 2025?",
        &["enrollments", "--plan", "la-care", "--program", "ecm", "--effective-at", "2025-01-01", "--limit", "5"],
    ),
];

/// Writes the county, imports its files in the order plans send them, and asks.
pub(super) async fn show(data: &Path, members: u32) -> anyhow::Result<()> {
    let out = data.join("demo");
    let settings = sample::Settings { members, seed: SEED, out };
    let written = tokio::task::spawn_blocking(move || sample::write_county(&settings, &mut |_| {})).await??;
    eprintln!("wrote a sample county of {members} people: {} files", written.files.len());
    for kind in [FileKind::MemberInformation, FileKind::OutreachTracker, FileKind::ReturnTransmission, FileKind::Events]
    {
        let files: Vec<_> = written.files.iter().filter(|(of, _, _)| *of == kind).map(|(_, path, _)| path).collect();
        let mut command = rollbook(data)?;
        command.arg("import").arg(kind.name()).args(&files).stdout(std::process::Stdio::null());
        if !command.status().await.context("could not run the import")?.success() {
            bail!("the demo's {} files could not be imported", kind.name());
        }
    }
    for (question, arguments) in QUESTIONS {
        eprintln!("\n{question}\n$ rollbook {}", arguments.join(" "));
        let mut command = rollbook(data)?;
        if !command.args(arguments).status().await.context("could not ask")?.success() {
            bail!("a question of the demo went unanswered");
        }
    }
    eprintln!("\nthe ledger goes on running; end it with Ctrl-C");
    Ok(())
}

fn rollbook(data: &Path) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("could not find this program")?);
    command.env("ROLLBOOK_DATA", data).env_remove("ROLLBOOK_URL").env_remove("ROLLBOOK_TOKEN").kill_on_drop(true);
    Ok(command)
}
