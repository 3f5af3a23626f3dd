//! How the ledger that is measured comes by its events: real files through the real import, and, beyond what files are
//! imported of, the same lives again under other pseudonyms, published as the encoded events they are.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, ensure};
use bytes::Bytes;
use futures_util::StreamExt;
use rollbook_events::{Hash, Position};
use serde_json::Value;
use tokio::process::Command;
use uuid::Uuid;

use super::Say;
use super::figure::Figure;
use super::ground::Ground;
use super::service::Service;
use crate::log::{Log, MOST_IN_A_BATCH, Message, NatsLog, Stored};
use crate::sample::{FileKind, write_county};

/// The most members whose files are imported; what a ledger has beyond them are copies of their events.
pub const MOST_BY_FILES: u32 = 100_000;

const KINDS: [FileKind; 4] =
    [FileKind::MemberInformation, FileKind::OutreachTracker, FileKind::ReturnTransmission, FileKind::Events];

/// A county of fewer members than this is imported from one plan's files alone: so few people are in so many files that what
/// a file costs would be all that is measured.
const FEW: u32 = 1_000;
/// That plan.
const ONE_PLAN: &str = "la-care";

/// The name of an event's chain link in its bytes.
const PREVIOUS: &str = "\"previoushash\":\"";

/// Writes a county's files and imports them, kind by kind, as a person would.
///
/// # Errors
/// Where a file cannot be written, or is not imported whole.
pub async fn import(
    ground: &Ground,
    recorder: &Service,
    members: u32,
    seed: u64,
    say: Say<'_>,
) -> anyhow::Result<Figure> {
    let county = ground.folder().join("county");
    say(&format!("import: writing the files of {members} members"));
    let settings = crate::sample::Settings { members, seed, out: county.clone() };
    tokio::task::spawn_blocking(move || write_county(&settings, &mut |_| {})).await??;
    let before = recorder.standing().await?.1;
    let (watched, nats, begun) =
        (recorder.watched(), super::process::Watched::from_now(ground.nats().pid()), Instant::now());
    let (mut rows, mut quarantined, mut imported) = (0, 0, 0);
    for kind in KINDS {
        say(&format!("import: {}", kind.name()));
        let mut files = files(&county, kind)?;
        if members < FEW {
            files.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(ONE_PLAN)));
        }
        for report in import_kind(ground, recorder, &files, kind).await? {
            let number = |name: &str| report.get(name).and_then(Value::as_u64).unwrap_or(0);
            rows += number("rows");
            quarantined += number("quarantined");
            imported += 1;
        }
    }
    let took = begun.elapsed();
    let events = recorder.standing().await?.1 - before;
    let figure = Figure::events("import", members, events, took).cost(watched.cost()).nats(nats.cost());
    std::fs::remove_dir_all(county)?;
    let figure = figure.and("rows", rows).and("rows_per_s", super::figure::rate(rows, took));
    Ok(figure
        .and("quarantined", quarantined)
        .and("files", imported)
        .and("seconds", super::figure::round(took.as_secs_f64())))
}

fn files(county: &Path, kind: FileKind) -> anyhow::Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(county)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().contains(kind.name())));
    files.sort();
    Ok(files)
}

async fn import_kind(
    ground: &Ground,
    recorder: &Service,
    files: &[PathBuf],
    kind: FileKind,
) -> anyhow::Result<Vec<Value>> {
    let mut command = Command::new(ground.program());
    command.args(["import", kind.name(), "--json", "--quiet", "--url", recorder.url(), "--data"]);
    command.arg(ground.data()).args(files).stdin(Stdio::null()).stderr(Stdio::inherit()).kill_on_drop(true);
    let output = command.output().await.context("could not start `rollbook import`")?;
    ensure!(output.status.success(), "`rollbook import` ended with {}", output.status);
    String::from_utf8_lossy(&output.stdout).lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// Adds copies of every event of the log but the rulebook's, each copy under ids of its own.
///
/// # Errors
/// Where the log cannot be read or written.
pub async fn copy(log: &NatsLog, copies: u32, say: Say<'_>) -> anyhow::Result<()> {
    let head = log.head().await?;
    say(&format!("filling: {copies} copies of {head} events, published as they are encoded"));
    let mut chains: HashMap<(u32, Uuid), Hash> = HashMap::new();
    let (mut waiting, mut read) = (Vec::with_capacity(MOST_IN_A_BATCH), Position(0));
    let mut messages = log.follow(Position(0)).await?;
    while read < head {
        let Some(message) = messages.next().await else { break };
        let message = message?;
        read = message.position;
        if uuid_at(message.subject.as_bytes(), message.subject.len().saturating_sub(36)).is_some() {
            waiting.push(message);
        }
        if waiting.len() == MOST_IN_A_BATCH || read == head {
            for copy in 1..=copies {
                let batch: anyhow::Result<Vec<Message>> =
                    waiting.iter().map(|stored| copied(stored, copy, &mut chains)).collect();
                log.append(&batch?).await?;
            }
            waiting.clear();
        }
    }
    Ok(())
}

/// An event as another member's: every id in it another one, the same everywhere, and the chain made anew.
fn copied(stored: &Stored, copy: u32, chains: &mut HashMap<(u32, Uuid), Hash>) -> anyhow::Result<Message> {
    let subject = String::from_utf8(with_other_ids(stored.subject.as_bytes(), copy))?;
    let mut body = String::from_utf8(with_other_ids(&stored.body, copy))?;
    let member = (copy, subject.rsplit('.').next().unwrap_or_default().parse::<Uuid>()?);
    if let (Some(at), Some(previous)) = (body.find(PREVIOUS), chains.get(&member)) {
        let from = at + PREVIOUS.len();
        body.replace_range(from..from + 64, &previous.to_string());
    }
    chains.insert(member, Hash::of(body.as_bytes()));
    let id = format!("{copy}-{}", stored.position);
    Ok(Message { subject, id, expected: None, headers: Vec::new(), body: Bytes::from(body) })
}

/// The text with every UUID in it changed, so that one id is changed in one way.
fn with_other_ids(text: &[u8], copy: u32) -> Vec<u8> {
    let mut other = text.to_vec();
    let mut at = 0;
    while at + 36 <= other.len() {
        let Some(id) = uuid_at(&other, at) else {
            at += 1;
            continue;
        };
        // The last twelve digits: version and variant stay what they are.
        let id = Uuid::from_u128(id.as_u128() ^ (u128::from(copy) << 8));
        if let Some(place) = other.get_mut(at..at + 36) {
            place.copy_from_slice(id.hyphenated().to_string().as_bytes());
        }
        at += 36;
    }
    other
}

/// The id that begins here, where one does.
fn uuid_at(text: &[u8], at: usize) -> Option<Uuid> {
    let text = text.get(at..at + 36)?;
    let dashes = [8, 13, 18, 23].iter().all(|dash| text.get(*dash) == Some(&b'-'));
    dashes.then(|| Uuid::try_parse_ascii(text).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMBER: &str = "0b0b0b0b-0b0b-8b0b-8b0b-0b0b0b0b0b0b";

    fn stored(position: u64, body: String) -> Stored {
        Stored { position: Position(position), subject: format!("enrollment.{MEMBER}"), body: body.into() }
    }

    #[test]
    fn a_copy_is_another_members_and_its_chain_holds() {
        let first = stored(2, format!(r#"{{"id":"018f3c1e-7a10-7c3d-9b4e-000000000001","subject":"{MEMBER}"}}"#));
        let hash = Hash::of(&first.body);
        let second = stored(
            3,
            format!(r#"{{"subject":"{MEMBER}",{PREVIOUS}{hash}","of":"018f3c1e-7a10-7c3d-9b4e-000000000001"}}"#),
        );
        let mut chains = HashMap::new();
        let [one, two] = [&first, &second].map(|stored| copied(stored, 3, &mut chains).unwrap());
        assert_eq!(one.subject, two.subject);
        assert_ne!(one.subject, first.subject);
        let text = String::from_utf8(two.body.to_vec()).unwrap();
        assert!(text.contains(&Hash::of(&one.body).to_string()) && !text.contains(MEMBER));
        let id = "018f3c1e-7a10-7c3d-9b4e-000000000301";
        assert!(text.contains(id) && String::from_utf8(one.body.to_vec()).unwrap().contains(id));
        assert_ne!(copied(&first, 4, &mut HashMap::new()).unwrap().subject, one.subject);
    }
}
