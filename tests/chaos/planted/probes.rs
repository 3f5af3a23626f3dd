//! One promise each, tried on a program that may have a fault planted in it.

use std::time::{Duration, Instant};

use anyhow::Context;
use rollbook_events::identity::Identity;
use serde_json::{Value, json};

use super::lab::{county, event, largest, options, part, record, sqlite};
use super::watch::Probed;
use crate::chaos::tools::ledger::{Program, Start};
use crate::chaos::tools::nats::{Nats, Sync};
use crate::chaos::tools::store_files::{Part, Place, Rot, Wound};
use crate::chaos::tools::{copy_folder, streams, text};
use crate::identities::Read;
use crate::leaks;

/// How long views may take to pass a hole, where nothing stops them.
const PROJECTED: Duration = Duration::from_secs(10);

/// A hole in the log stops the views before it.
///
/// # Errors
/// Where something else than the fault is in the way.
pub async fn hole(program: &Program) -> anyhow::Result<Probed> {
    let folder = tempfile::tempdir()?;
    let (store, server) = (folder.path().join("store"), folder.path().join("server"));
    let mut nats = Nats::start(&store, &server, Sync::Always)?;
    let data = folder.path().join("recorder");
    let recorder = part(program, &data, "recorder", &options(&nats, &sqlite(folder.path(), "first.db"), true))?;
    let last = record(&recorder, 1..30).await?.last().copied().context("nothing was recorded")?;
    recorder.stop()?;
    nats.stop()?;
    // One byte in the middle of the messages, which the server's checksum then refuses.
    let block = largest(&store.join("jetstream/$G/streams/ENROLLMENT"), ".blk")?;
    let bytes = std::fs::metadata(&block)?.len();
    let path = block.strip_prefix(folder.path())?.to_owned();
    let place = Place { part: Part::Store, path, bytes };
    Wound { place, rot: Rot::Flip { at: bytes - 6_000, bit: 3 } }.inflict(folder.path())?;
    nats = Nats::start(&store, &server, Sync::Always)?;
    let views = options(&nats, &sqlite(folder.path(), "views.db"), true);
    let views: Vec<&str> = views.iter().map(String::as_str).collect();
    let started = program.start(&folder.path().join("projector"), &["serve", "projector"], &views)?;
    let Start::Up(projector) = started else { return Ok(Probed::Kept) };
    let begun = Instant::now();
    while begun.elapsed() < PROJECTED {
        let (_, status) = projector.get("/v1/status").await?;
        let position = status.pointer("/data/position").and_then(Value::as_u64).unwrap_or(0);
        if position >= last {
            return Ok(Probed::Broken(format!("the views stand at {position}, past the hole")));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(Probed::Kept)
}

/// Nothing that a person is called stands in any log.
///
/// # Errors
/// Where something else than the fault is in the way.
pub async fn names(program: &Program) -> anyhow::Result<Probed> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let ledger = program.up(&data, &[])?.ledger()?;
    county(program, &ledger, folder.path()).await?;
    let mut canaries = std::collections::BTreeSet::new();
    for (_, read) in crate::identities::read(&data).await? {
        let Read::Opened(said) = read else { continue };
        let Identity { cin, last_name, first_name, address, email, .. } = said.identity;
        let said = [Some(cin.expose().to_owned()), last_name, first_name, address, email];
        canaries.extend(said.into_iter().flatten().filter(|said| said.len() > 4));
    }
    canaries.iter().for_each(|canary| leaks::person(canary));
    let found = ledger.leaks()?;
    let length = std::fs::metadata(data.join("up.log"))?.len();
    anyhow::ensure!(canaries.len() > 20 && length > 1_000, "there is nothing to look for, or nothing to look in");
    Ok(match found.first() {
        Some(first) => Probed::Broken(format!("{} places in the logs; {first}", found.len())),
        None => Probed::Kept,
    })
}

/// A denial stands in the log beside its determination.
///
/// # Errors
/// Where something else than the fault is in the way.
pub async fn determined(program: &Program) -> anyhow::Result<Probed> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let ledger = program.up(&data, &[])?.ledger()?;
    let said = |kind: &str, at: &str, data: Value| {
        json!({ "kind": kind, "member": "0b0b0b0b-0b0b-8b0b-8b0b-00000000da3a", "plan": "la-care", "county": "los-angeles",
                "occurred_at": at, "data": data })
    };
    let authorization = "018f3c1e-7a10-7c3d-9b4e-000000000900";
    let requested = json!({ "authorization": authorization, "program": "ecm", "urgency": "standard",
        "received_at": "2024-05-01T09:00:00-07:00", "requested_by": "provider" });
    let denied = json!({ "authorization": authorization, "program": "ecm", "outcome": "denied",
        "decided_at": "2024-05-03T09:00:00-07:00", "reasons": ["no_population_of_focus"] });
    let (code, answer) = ledger.post("/v1/events", &said("authorization_requested", "2024-05-01", requested)).await?;
    anyhow::ensure!(code == 201, "a request was answered {code}: {answer}");
    let (code, answer) = ledger.post("/v1/events", &said("authorization_decided", "2024-05-03", denied)).await?;
    anyhow::ensure!(code == 201, "a denial was answered {code}: {answer}");
    let client = streams::connect_private(&data).await?;
    let stream = async_nats::jetstream::new(client).get_stream("ENROLLMENT").await?;
    let last = stream.get_raw_message(stream.cached_info().state.last_sequence).await?;
    let kind = last.headers.get("Rollbook-Kind").map(ToString::to_string);
    ledger.stop()?;
    Ok(if kind.as_deref() == Some("notice_determined") {
        Probed::Kept
    } else {
        Probed::Broken("the denial stands in the log alone".to_owned())
    })
}

/// What is archived is the stream.
///
/// # Errors
/// Where something else than the fault is in the way.
pub async fn archive(program: &Program, verifier: &Program) -> anyhow::Result<Probed> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let ledger = program.up(&data, &["--archive-within", "1"])?.ledger()?;
    county(program, &ledger, folder.path()).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    ledger.stop()?;
    let verified = verifier.run(&data, &["verify", "--data", text(&data)?, "--json"])?;
    Ok(if verified.status.success() {
        Probed::Kept
    } else {
        Probed::Broken("verify finds that the archive is not the stream".to_owned())
    })
}

/// Nothing is recorded on a stream that is shorter than what was acknowledged, though nothing but the receipt knows.
///
/// # Errors
/// Where something else than the fault is in the way.
pub async fn shorter(program: &Program) -> anyhow::Result<Probed> {
    let folder = tempfile::tempdir()?;
    let (store, older) = (folder.path().join("store"), folder.path().join("older"));
    let (server, data) = (folder.path().join("server"), folder.path().join("recorder"));
    for (round, numbers) in [1..6, 6..12].into_iter().enumerate() {
        let nats = Nats::start(&store, &server, Sync::Always)?;
        let recorder = part(program, &data, "recorder", &options(&nats, &sqlite(folder.path(), "first.db"), true))?;
        record(&recorder, numbers).await?;
        recorder.stop()?;
        nats.stop()?;
        if round == 0 {
            copy_folder(&store, &older)?;
        }
    }
    std::fs::remove_dir_all(&store)?;
    copy_folder(&older, &store)?;
    let nats = Nats::start(&store, &server, Sync::Always)?;
    // Views of their own, so that they cannot tell either.
    let fresh = options(&nats, &sqlite(folder.path(), "fresh.db"), true);
    let fresh: Vec<&str> = fresh.iter().map(String::as_str).collect();
    let Start::Up(recorder) = program.start(&data, &["serve", "recorder"], &fresh)? else { return Ok(Probed::Kept) };
    let (code, _) = recorder.post("/v1/events", &event(99)).await?;
    Ok(if code == 201 {
        Probed::Broken("an event was acknowledged on a stream that has lost its end".to_owned())
    } else {
        Probed::Kept
    })
}

/// A segment that has rotted is reported.
///
/// # Errors
/// Where something else than the fault is in the way.
pub async fn rotten(verifier: &Program, sound: &Program) -> anyhow::Result<Probed> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let ledger = sound.up(&data, &["--archive-within", "1"])?.ledger()?;
    county(sound, &ledger, folder.path()).await?;
    tokio::time::sleep(Duration::from_secs(3)).await;
    ledger.stop()?;
    let segment = largest(&data.join("archive"), "ENROLLMENT")?;
    let bytes = std::fs::metadata(&segment)?.len();
    let place = Place { part: Part::Archive, path: segment.strip_prefix(&data)?.to_owned(), bytes };
    Wound { place, rot: Rot::Flip { at: bytes / 2, bit: 5 } }.inflict(&data)?;
    let verified = verifier.run(&data, &["verify", "--data", text(&data)?])?;
    Ok(if verified.status.success() {
        Probed::Broken("verify finds all well with a rotten segment".to_owned())
    } else {
        Probed::Kept
    })
}
