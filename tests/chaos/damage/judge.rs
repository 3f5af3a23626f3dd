//! What damage has truly done, decided without the program under test.

use std::path::Path;

use super::base::{Base, read_store};
use super::views;
use crate::chaos::tools::store_files::{Part, list};
use crate::chaos::tools::streams;

/// What is not as it was, in words; all empty where the damage has no effect.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effect {
    /// In the streams, as a server of our own serves them.
    pub streams: Vec<String>,
    /// In the views' database, as SQLite reads it.
    pub views: Vec<String>,
    /// Files of the archive whose bytes differ.
    pub archive: Vec<String>,
    /// The receipt's file differs.
    pub receipt: Vec<String>,
}

impl Effect {
    /// Whether there is none.
    pub fn none(&self) -> bool {
        self.all().next().is_none()
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &String> {
        self.streams.iter().chain(&self.views).chain(&self.archive).chain(&self.receipt)
    }
}

/// Reads a damaged data folder without changing it, and compares it with the truth.
///
/// # Errors
/// Where something other than the damage is in the way.
pub async fn effect(base: &Base, damaged: &Path, scratch: &Path) -> anyhow::Result<Effect> {
    let streams = match read_store(damaged, scratch).await {
        Ok(found) => streams::differences(&base.streams, &found),
        Err(error) => vec![format!("the store cannot be read: {error:#}")],
    };
    let views = match views::read(damaged) {
        Ok(found) => views::differences(&base.tables, &found),
        Err(error) => vec![format!("the views cannot be read: {error:#}")],
    };
    let mut effect = Effect { streams, views, ..Effect::default() };
    for place in list(&base.data)? {
        let same = std::fs::read(damaged.join(&place.path)).ok() == std::fs::read(base.data.join(&place.path)).ok();
        let differs = format!("{} differs", place.path.display());
        match place.part {
            Part::Archive if !same => effect.archive.push(differs),
            // Without one the ledger takes what the streams hold for acknowledged; and these are compared above.
            Part::Receipt if !same && says_other(damaged, base, &place.path) => effect.receipt.push(differs),
            Part::Archive | Part::Receipt | Part::Store | Part::Views => {}
        }
    }
    Ok(effect)
}

/// Whether a file of JSON that is still there says something else, or nothing that can be read.
fn says_other(damaged: &Path, base: &Base, file: &Path) -> bool {
    let Ok(text) = std::fs::read(damaged.join(file)) else { return false };
    let value = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).ok();
    value(&text).is_none() || value(&text) != value(&std::fs::read(base.data.join(file)).unwrap_or_default())
}
