//! Stream, archive, chains, feed and views compared with one another: what was checked, with counts, and every damage found.
//!
//! Reading order: [`finding`] (what is told), [`walk`] (every position of a stream, also of a damaged one), [`shelf`] (every
//! segment of an archive, also of a damaged one), [`stream`] (both side by side, with decoding and chains), [`identities`]
//! (whether what is sealed opens, and what was destroyed does not), [`feed`] (the feed against the log), [`history`] and [`views`] (the views against the stream).

mod feed;
pub mod finding;
mod history;
mod identities;
mod looked;
pub mod receipt;
mod shelf;
mod stream;
mod views;
mod walk;

use std::path::PathBuf;
use std::sync::Arc;

use rollbook_events::Position;
use rollbook_projections::store::Db;

use crate::archive::place::Place;
use crate::identity_keys::KeyStore;
use crate::log::{Log, NatsLog, ReadError, SettingsError, StreamSpec};
use finding::{Report, Told};

/// What to compare.
#[derive(Debug)]
pub struct Wanted {
    /// The streams.
    pub streams: Vec<(StreamSpec, NatsLog)>,
    /// The feed, where it may be read.
    pub feed: Option<NatsLog>,
    /// The keys of identities, and the keys that they are wrapped with, where they can be read.
    pub keys: Option<KeyStore>,
    /// The archive, where there is one.
    pub archive: Option<Arc<dyn Place>>,
    /// The views, where they could be opened.
    pub views: Option<Db>,
    /// Where to fold the log anew to compare every row of every view, where that is wanted: a folder with room.
    pub fold_in: Option<PathBuf>,
}

/// Compares all of it, telling how far it has come.
///
/// # Errors
/// Where the server cannot be reached; what is damaged is no error but a finding.
pub async fn verify(wanted: &Wanted, told: &mut Told<'_>) -> Result<Report, ReadError> {
    let mut report = Report::default();
    for (spec, log) in &wanted.streams {
        // A stream that is not there ends before its first position.
        let there = check_settings(spec, log, &mut report).await?;
        let head = if there { log.head().await? } else { Position(0) };
        let views = wanted.views.as_ref().filter(|_| *spec == StreamSpec::ENROLLMENT);
        stream::verify(spec, (log, head), wanted.archive.clone(), views, &mut report, told).await?;
    }
    if let (Some(feed), Some((_, log))) =
        (&wanted.feed, wanted.streams.iter().find(|(spec, _)| *spec == StreamSpec::ENROLLMENT))
    {
        feed::verify(log, feed, &mut report, told).await?;
    }
    if let (Some(keys), Some((_, log))) =
        (&wanted.keys, wanted.streams.iter().find(|(spec, _)| *spec == StreamSpec::IDENTITY))
    {
        identities::verify(log, keys, &mut report, told).await?;
    } else {
        report.note("without wrapping keys nobody sees whether the identities open: --wrapping-keys names them");
    }
    if let Some(db) = &wanted.views {
        views::check_file(db, &mut report).await;
        if let (Some(folder), Some((_, log))) =
            (&wanted.fold_in, wanted.streams.iter().find(|(spec, _)| *spec == StreamSpec::ENROLLMENT))
        {
            views::compare(log, db, folder, &mut report, told).await?;
        } else {
            report.note("the rows of the views beside event_history were not compared: --views does it");
        }
    }
    Ok(report)
}

/// Whether server and stream are as the promises need them; false where the stream is not there.
async fn check_settings(spec: &StreamSpec, log: &NatsLog, report: &mut Report) -> Result<bool, ReadError> {
    match log.check().await {
        Ok(()) => report.checked(spec.name, "settings", 1),
        Err(SettingsError::NotChecked) => {
            report.note(format!("{}: without a monitoring address nobody sees whether the server flushes", spec.name));
        }
        Err(SettingsError::Unavailable { source }) => return Err(ReadError::Unavailable { source }),
        Err(SettingsError::Missing { messages, last, .. }) => report.found(
            spec.name,
            format!("holds {messages} messages, but gave out positions up to {last}: some are gone"),
            finding::RESTORE,
        ),
        Err(error @ SettingsError::NoStream { .. }) => {
            report.found(spec.name, error.to_string(), finding::RESTORE);
            return Ok(false);
        }
        Err(error @ (SettingsError::TooOld { .. } | SettingsError::Drift { .. })) => {
            report.found(spec.name, error.to_string(), "set it back as deploy/README.md says");
        }
    }
    Ok(true)
}
