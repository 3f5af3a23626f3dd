//! The limits: what this disk, this server and these databases do without a ledger on top, with bodies as real events have.

use std::io::Write;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use async_nats::HeaderMap;
use rollbook_projections::store::Db;
use serde_json::Value;

use super::corpus::Corpus;
use super::figure::{Figure, Latencies};
use super::ground::Ground;
use super::process::Watched;
use crate::log::{MOST_IN_A_BATCH, Stored, StreamSpec};

/// A stream with the very settings of the ledger's own.
const RAW: StreamSpec = StreamSpec { name: "RAW", subjects: "raw.*" };
/// Bytes of one flush: an event's.
const FLUSHED: [u8; 700] = [b'x'; 700];

/// One fsync of what an event is long, again and again.
///
/// # Errors
/// Where the folder cannot be written.
pub fn flush(ground: &Ground, members: u32, most: u64, time: Duration) -> anyhow::Result<Figure> {
    let path = ground.folder().join("flushed");
    let mut file = std::fs::File::create(&path).context("could not make a file to flush")?;
    let (mut latencies, begun, watched) = (Latencies::new()?, Instant::now(), Watched::from_now(std::process::id()));
    while latencies.len() < most && begun.elapsed() < time {
        let one = Instant::now();
        file.write_all(&FLUSHED)?;
        file.sync_data()?;
        latencies.record(one.elapsed());
    }
    let took = begun.elapsed();
    std::fs::remove_file(path)?;
    Ok(Figure::times("flush", members, latencies.len(), took).with(&latencies).cost(watched.cost()))
}

/// A stream of the server for raw messages, and the connection to it.
#[derive(Debug)]
pub struct RawStream {
    client: async_nats::Client,
}

impl RawStream {
    /// Makes the stream.
    ///
    /// # Errors
    /// Where the server cannot be reached.
    pub async fn make(ground: &Ground) -> anyhow::Result<Self> {
        ground.log(RAW).await?;
        Ok(Self { client: ground.client().clone() })
    }

    /// One message after the other, each awaited.
    ///
    /// # Errors
    /// Where one is not stored.
    pub async fn publish(
        &self,
        ground: &Ground,
        corpus: &Corpus,
        members: u32,
        time: Duration,
    ) -> anyhow::Result<Figure> {
        let (mine, nats) = (Watched::from_now(std::process::id()), Watched::from_now(ground.nats().pid()));
        let (mut latencies, begun) = (Latencies::new()?, Instant::now());
        for stored in corpus.stored().iter().skip(1).cycle() {
            if begun.elapsed() >= time {
                break;
            }
            let one = Instant::now();
            self.stored(stored, HeaderMap::new()).await?;
            latencies.record(one.elapsed());
        }
        let figure = Figure::events("raw_publish", members, latencies.len(), begun.elapsed()).with(&latencies);
        Ok(figure.cost(mine.cost()).nats(nats.cost()))
    }

    /// Atomic batches of as many as one holds, one after the other.
    ///
    /// # Errors
    /// Where one is not stored.
    pub async fn batches(
        &self,
        ground: &Ground,
        corpus: &Corpus,
        members: u32,
        time: Duration,
    ) -> anyhow::Result<Figure> {
        let (mine, nats) = (Watched::from_now(std::process::id()), Watched::from_now(ground.nats().pid()));
        let (mut latencies, begun, mut events) = (Latencies::new()?, Instant::now(), 0);
        let batches = corpus.stored().get(1..).unwrap_or_default().chunks(MOST_IN_A_BATCH);
        for (number, batch) in batches.cycle().enumerate() {
            if begun.elapsed() >= time {
                break;
            }
            let one = Instant::now();
            self.batch(&number.to_string(), batch).await?;
            latencies.record(one.elapsed());
            events += u64::try_from(batch.len())?;
        }
        let figure = Figure::events("raw_batch", members, events, begun.elapsed()).with(&latencies);
        Ok(figure.cost(mine.cost()).nats(nats.cost()).and("in_a_batch", MOST_IN_A_BATCH))
    }

    async fn batch(&self, id: &str, batch: &[Stored]) -> anyhow::Result<()> {
        let Some((last, rest)) = batch.split_last() else { return Ok(()) };
        let headers = |number: usize| {
            let mut headers = HeaderMap::new();
            headers.insert("Nats-Batch-Id", id);
            headers.insert("Nats-Batch-Sequence", number.to_string());
            headers
        };
        for (i, stored) in rest.iter().enumerate() {
            self.client.publish_with_headers(subject(stored), headers(i + 1), stored.body.clone()).await?;
        }
        let mut commit = headers(batch.len());
        commit.insert("Nats-Batch-Commit", "1");
        self.stored(last, commit).await
    }

    async fn stored(&self, stored: &Stored, headers: HeaderMap) -> anyhow::Result<()> {
        let request = async_nats::Request::new().headers(headers).payload(stored.body.clone());
        let answer = self.client.send_request(subject(stored), request).await?;
        let answer: Value = serde_json::from_slice(&answer.payload)?;
        ensure!(answer.get("seq").is_some(), "a raw message was refused");
        Ok(())
    }

    /// Deletes the stream, so that it costs the server nothing from now on.
    ///
    /// # Errors
    /// Where the server cannot be reached.
    pub async fn forget(self) -> anyhow::Result<()> {
        async_nats::jetstream::new(self.client).delete_stream(RAW.name).await?;
        Ok(())
    }
}

fn subject(stored: &Stored) -> String {
    format!("raw.{}", stored.subject.rsplit('.').next().unwrap_or_default())
}

/// Whole events into one plain table, a transaction a thousand.
///
/// # Errors
/// Where the database cannot be written.
pub async fn table(name: &'static str, database: &str, corpus: &Corpus, members: u32) -> anyhow::Result<Figure> {
    let db = Db::open(database).await?;
    let events = corpus.decoded()?;
    db.make_plain().await?;
    let (mut latencies, begun, mine) = (Latencies::new()?, Instant::now(), Watched::from_now(std::process::id()));
    for batch in events.chunks(MOST_IN_A_BATCH) {
        let one = Instant::now();
        db.insert_plain(batch).await?;
        latencies.record(one.elapsed());
    }
    let figure = Figure::events(name, members, u64::try_from(events.len())?, begun.elapsed()).with(&latencies);
    let figure = figure.cost(mine.cost()).and("in_a_batch", MOST_IN_A_BATCH);
    db.drop_plain().await?;
    db.close().await;
    Ok(figure)
}
