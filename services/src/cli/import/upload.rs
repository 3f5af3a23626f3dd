//! One file on its way: streamed from the disk, then watched until its last row is settled.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use futures_util::StreamExt;
use indicatif::HumanCount;
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Method, RequestBuilder, Response};
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::Import;
use crate::cli::client::{Client, Parameter, lines};
use crate::cli::exit::{Exit, Stop};
use crate::cli::meter::Meter;
use crate::cli::output::Output;
use crate::import::{Progress, State};

/// Read from the disk at once.
const CHUNK: usize = 256 * 1_024;

/// How often the way of a file to the ledger is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// A file that was sent, and what became of it.
#[derive(Debug)]
pub struct Sent {
    /// The ledger's report.
    pub report: Progress,
    /// How long it took.
    pub took: Duration,
}

/// Imports one file.
///
/// # Errors
/// Where it cannot be read, is refused, or the ledger is not there any more.
pub async fn import(client: &Client, import: &Import, path: &Path, output: &Output) -> anyhow::Result<Sent> {
    let start = Instant::now();
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let (request, sent, bytes) = request(client, import, path, &name).await?;
    let answer =
        uploaded(client, request, &sent, Meter::new(output, format!("sending {name}"), "bytes", bytes)).await?;
    let report = watched(answer, &name, Meter::new(output, &name, "rows", bytes)).await?;
    Ok(Sent { report, took: start.elapsed() })
}

/// The request, how many bytes of it have left, and how many there are.
async fn request(
    client: &Client,
    import: &Import,
    path: &Path,
    name: &str,
) -> anyhow::Result<(RequestBuilder, Arc<AtomicU64>, u64)> {
    let doing = || Stop::usage(format!("could not read {}", path.display()));
    let file = File::open(path).await.with_context(doing)?;
    let bytes = file.metadata().await.with_context(doing)?.len();
    let sent = Arc::new(AtomicU64::new(0));
    let counted = sent.clone();
    // As long as it was when its length was told: one that grows is imported again when it is whole.
    let stream = ReaderStream::with_capacity(file.take(bytes), CHUNK).inspect(move |chunk| {
        let length = chunk.as_ref().map_or(0, |chunk| chunk.len());
        counted.fetch_add(u64::try_from(length).unwrap_or(0), Ordering::Relaxed);
    });
    let given = [
        ("name", Some(name.to_owned())),
        ("plan", import.plan.as_ref().map(ToString::to_string)),
        ("county", import.county.map(|county| county.to_string())),
        ("produced_on", import.produced_on.map(|day| day.to_string())),
    ];
    let query: Vec<Parameter> = given.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let request = client.request(Method::POST, &["v1", "intake", import.kind.as_str()], &query);
    let request = request.header(CONTENT_LENGTH, bytes).header(CONTENT_TYPE, "application/octet-stream");
    Ok((request.header(ACCEPT, "application/x-ndjson").body(Body::wrap_stream(stream)), sent, bytes))
}

async fn uploaded(
    client: &Client,
    request: RequestBuilder,
    sent: &AtomicU64,
    mut meter: Meter,
) -> anyhow::Result<Response> {
    let mut answer = std::pin::pin!(client.send(request));
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    let answer = loop {
        tokio::select! {
            answer = &mut answer => break answer,
            _ = ticks.tick() => {
                let sent = sent.load(Ordering::Relaxed);
                meter.at(sent, sent);
            }
        }
    };
    meter.finish();
    answer.map_err(|error| {
        let begun = sent.load(Ordering::Relaxed) > 0;
        if begun && Exit::of(&error) == Exit::Unavailable {
            error.context(stopped("the file was not sent whole"))
        } else {
            error
        }
    })
}

fn stopped(what: impl Into<String>) -> Stop {
    Stop::unavailable(what).next("run the same command again: it goes on after the last settled row")
}

/// Follows the rows until the last report; a stream that ends before it was cut off.
async fn watched(answer: Response, name: &str, mut meter: Meter) -> anyhow::Result<Progress> {
    let mut last: Option<Progress> = None;
    let mut lines = lines(answer);
    let broke = loop {
        match lines.next_line().await {
            Ok(Some(line)) if line.trim().is_empty() => {}
            Ok(Some(line)) => {
                let progress: Progress = serde_json::from_str(&line)
                    .context(Stop::unavailable("the ledger's report could not be read; is it of this version?"))?;
                meter.at(progress.bytes_read, progress.rows);
                last = Some(progress);
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    meter.finish();
    match last {
        Some(report) if report.state != State::Running => Ok(report),
        last => Err(cut_off(name, last.map_or(0, |progress| progress.rows), broke)),
    }
}

fn cut_off(name: &str, rows: u64, broke: Option<std::io::Error>) -> anyhow::Error {
    let what =
        format!("the connection to the ledger broke while it imported {name}; {} rows were settled", HumanCount(rows));
    match broke {
        Some(error) => anyhow::Error::new(error).context(stopped(what)),
        None => stopped(what).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_off_import_says_that_it_can_be_resumed() {
        let error = cut_off("a.csv", 1_200, None);
        assert_eq!(Exit::of(&error), Exit::Unavailable);
        assert!(error.to_string().contains("1,200 rows"));
    }
}
