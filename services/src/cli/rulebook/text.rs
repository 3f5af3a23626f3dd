//! Where the text of a rulebook comes from: this program, or a ledger.

use anyhow::Context;
use rollbook_projections::Rulebook;
use serde_json::Value;

use super::super::client::Connection;
use super::super::exit::Stop;

/// The built-in text; the one in force in a ledger, where one is named.
///
/// # Errors
/// Where the ledger cannot answer.
pub async fn in_force(ledger: Option<&Connection>) -> anyhow::Result<String> {
    let Some(connection) = ledger else { return Ok(Rulebook::built_in_text().to_owned()) };
    let client = connection.client()?;
    let answer = client.json(client.get(&["v1", "rulebook"], &[])).await?;
    let text = answer.pointer("/data/text").and_then(Value::as_str);
    Ok(text.context("the ledger's answer holds no rulebook")?.to_owned())
}

/// Understands a text.
///
/// # Errors
/// Where it is no rulebook.
pub fn parse(text: &str) -> anyhow::Result<Rulebook> {
    Rulebook::parse(text).context(
        Stop::usage("the rulebook cannot be read by this program")
            .next("a ledger of a newer program may have adopted it: use that program"),
    )
}

/// The built-in text with the plans' files that it does not hold itself.
///
/// # Errors
/// Where a file does not go with it.
pub fn with_built_in(former: &Rulebook) -> anyhow::Result<String> {
    let mut rulebook = parse(Rulebook::built_in_text())?;
    let own: Vec<String> = rulebook.overlays().iter().map(|overlay| overlay.file.clone()).collect();
    for overlay in former.overlays().iter().filter(|overlay| !own.contains(&overlay.file)) {
        rulebook = parse(&rulebook.text_with(overlay))?;
    }
    Ok(rulebook.text().to_owned())
}
