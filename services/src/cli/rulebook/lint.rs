//! `rollbook rulebook lint`: what a plan's file may not say, before anybody adopts it.

use std::path::{Path, PathBuf};

use anyhow::Context;
use rollbook_projections::Rulebook;
use rollbook_projections::rulebook::{Overlay, RulebookError};
use serde_json::json;

use super::super::exit::{Exit, Stop};
use super::super::output::Output;
use super::text;

const EXAMPLES: &str = "\
Examples:
  rollbook rulebook lint la-care-2026.toml
  rollbook rulebook lint --json plans/*.toml

A plan's file may not narrow a Population of Focus (ELIG-7), keep a Community Support for members of another program \
(ELIG-14), offer part of a service (ELIG-16), or speak of one day twice.";

/// Checks plans' files without adopting them: file, line and reason of everything they may not say
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Lint {
    /// The files, TOML
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// One JSON object a refusal
    #[arg(long)]
    json: bool,
}

/// Checks.
///
/// # Errors
/// Where a file cannot be opened.
pub fn run(lint: &Lint, output: &mut Output) -> anyhow::Result<Exit> {
    let rulebook = text::parse(Rulebook::built_in_text())?;
    let mut exit = Exit::Done;
    for file in &lint.files {
        let refused = refusals(&rulebook, file)?;
        if refused.is_empty() && !lint.json {
            output.line(format_args!("{}: nothing to refuse", file.display()))?;
        }
        for (at, rule) in refused {
            exit = Exit::No;
            if lint.json {
                let file = file.display().to_string();
                output.line(json!({ "file": file, "line": at.line, "rule": rule, "reason": at.problem }))?;
            } else {
                let rule = rule.map(|rule| format!(" ({rule})")).unwrap_or_default();
                output.line(format_args!("{}:{}: {}{rule}", file.display(), at.line, at.problem))?;
            }
        }
    }
    output.flush()?;
    Ok(exit)
}

/// Everything a file says that it may not; what cannot be read at all is the one thing said of it.
pub fn refusals(rulebook: &Rulebook, file: &Path) -> anyhow::Result<Vec<(RulebookError, Option<&'static str>)>> {
    let text = read(file)?;
    let refused = match Overlay::parse(&name(file), &text) {
        Ok(overlay) => rulebook.refusals(&overlay).into_iter().map(|refusal| (refusal.at, refusal.rule)).collect(),
        Err(error) => vec![(error, None)],
    };
    Ok(refused)
}

/// A file's text.
pub fn read(file: &Path) -> anyhow::Result<String> {
    let what = || Stop::usage(format!("{} cannot be read", file.display())).about_input();
    std::fs::read_to_string(file).with_context(what)
}

/// A file's name in a rulebook: without its folder, which is this machine's alone.
pub fn name(file: &Path) -> String {
    file.file_name().map_or_else(|| file.display().to_string(), |name| name.to_string_lossy().into_owned())
}
