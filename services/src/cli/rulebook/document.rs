//! The rulebook as a document: family by family, each rule in words, with its source and what the edition says under it.

use std::fmt::Write;

use rollbook_projections::Rulebook;
use rollbook_projections::catalogue::{self, HeldAs, Rule};
use rollbook_projections::rules::finding::CODES;

use super::super::exit::Exit;
use super::super::output::Output;
use super::text;

/// Characters of a line, where a text is broken.
const WIDTH: usize = 100;

/// Prints a rulebook's text as it is.
///
/// # Errors
/// Where the output fails.
pub fn as_adopted(text: &str, output: &mut Output) -> anyhow::Result<Exit> {
    output.write(text.as_bytes())?;
    output.flush()?;
    Ok(Exit::Done)
}

/// Prints the codes of findings.
///
/// # Errors
/// Where the output fails.
pub fn findings(output: &mut Output) -> anyhow::Result<Exit> {
    let longest = CODES.iter().map(|code| code.code.len()).max().unwrap_or(0);
    for code in CODES {
        output.line(format_args!("{:longest$}  {}", code.code, code.says))?;
    }
    output.flush()?;
    Ok(Exit::Done)
}

/// Prints a rulebook for people.
///
/// # Errors
/// Where the text is no rulebook, or the output fails.
pub fn run(text: &str, output: &mut Output) -> anyhow::Result<Exit> {
    let rulebook = text::parse(text)?;
    output.line(format_args!("Rulebook {}\nSHA-256 {}", rulebook.id(), rulebook.hash()))?;
    for overlay in rulebook.overlays() {
        output.line(format_args!("with {}, {}", overlay.file, scope(&overlay.header)))?;
    }
    let mut family = "";
    for rule in catalogue::rules() {
        if rule.family != family {
            family = &rule.family;
            output.line(format_args!("\n{}\n{}", heading(family), "=".repeat(family.len())))?;
        }
        output.line(format_args!("\n{}", told(rule, &rulebook)))?;
    }
    output.flush()?;
    Ok(Exit::Done)
}

/// For whom and when a file is in force, in words.
fn scope(header: &rollbook_projections::rulebook::Header) -> String {
    let plan = header.plan.as_ref().map_or_else(|| "every plan".to_owned(), ToString::to_string);
    let county = header.county.map(|county| format!(" in {county}")).unwrap_or_default();
    let from = header.from.map(|day| format!(" from {day}")).unwrap_or_default();
    let until = header.until.map(|day| format!(" until {day}")).unwrap_or_default();
    format!("for {plan}{county}{from}{until}")
}

fn heading(family: &str) -> String {
    let mut words = family.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// A rule in words, with its source and the edition's numbers.
pub fn told(rule: &Rule, rulebook: &Rulebook) -> String {
    let mut told = wrapped(&format!("{:<10} ", rule.id), &rule.says);
    let mark = if rule.verified { "" } else { " (not verified)" };
    _ = write!(told, "\n{}", wrapped("           source  ", &format!("{}{mark}", rule.cite.join("; "))));
    let held = match rule.held_as {
        HeldAs::None => format!("no effect on the ledger: {}", rule.held_at),
        HeldAs::Rule | HeldAs::Parameter | HeldAs::Vocabulary => format!("{} {}", rule.held_as.as_str(), rule.held_at),
    };
    _ = write!(told, "\n{}", wrapped("           held    ", &held));
    if !rule.disputed.is_empty() {
        _ = write!(told, "\n           disputed {}", rule.disputed.join(", "));
    }
    for entry in rulebook.entries(rule) {
        let file = entry.file.map(|file| format!("{file}: ")).unwrap_or_default();
        _ = write!(told, "\n{}", wrapped("           says    ", &format!("{file}{}: {}", entry.key, entry.says)));
    }
    told
}

/// A text broken into lines under a first line's head.
pub fn wrapped(head: &str, text: &str) -> String {
    let mut lines = head.to_owned();
    let mut column = head.chars().count();
    let indent = " ".repeat(column);
    for (index, word) in text.split_whitespace().enumerate() {
        let length = word.chars().count();
        if index > 0 && column + 1 + length > WIDTH {
            lines.push('\n');
            lines.push_str(&indent);
            column = indent.len();
        } else if index > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += length;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_broken_between_words() {
        let text = "word ".repeat(40);
        let lines = wrapped("A-1  ", &text);
        assert!(lines.lines().count() > 1);
        assert!(lines.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(lines.lines().skip(1).all(|line| line.starts_with("     word")));
    }

    #[test]
    fn a_rule_is_told_with_its_source_and_the_numbers_under_it() {
        let rulebook = Rulebook::parse(Rulebook::built_in_text()).unwrap();
        let told = told(catalogue::find("EXC-6").unwrap(), &rulebook);
        assert!(told.contains("000_a2e4f2d354e0859d.txt Q6"), "{told}");
        assert!(told.contains("pair: ") && told.contains("outcome = \"exclude\""), "{told}");
    }
}
