//! `rollbook verify`: every message of every stream read, every chain followed, the whole log folded anew beside the views.

use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, ensure};
use tokio::process::Command;

use super::figure::{Figure, round};
use super::ground::Ground;
use super::process::Watched;
use crate::log::{Log, StreamSpec};

/// The verification of streams and views; the measurement keeps no archive.
///
/// # Errors
/// Where it finds anything, or does not come to its end.
pub async fn verify(ground: &Ground, database: &str, members: u32) -> anyhow::Result<Figure> {
    let head = ground.log(StreamSpec::ENROLLMENT).await?.head().await?;
    let mut command = Command::new(ground.program());
    command.args(["verify", "--views", "--quiet", "--nats", ground.nats().url(), "--database", database]);
    command.arg("--data").arg(ground.data());
    if let Some(token) = &ground.nats().access().token {
        command.env("ROLLBOOK_NATS_TOKEN", token);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    let begun = Instant::now();
    let mut child = command.spawn().context("could not start `rollbook verify`")?;
    let watched = child.id().map(Watched::from_now);
    let mut cost = None;
    let status = loop {
        // What a process cost is gone with it, so it is looked at until it ends.
        tokio::select! {
            status = child.wait() => break status.context("`rollbook verify` was lost")?,
            () = tokio::time::sleep(super::LOOK_EVERY) => cost = watched.and_then(|watched| watched.cost()).or(cost),
        }
    };
    ensure!(status.success(), "`rollbook verify` ended with {status}");
    let took = begun.elapsed();
    let figure = Figure::events("verify", members, head.0, took).cost(cost);
    Ok(figure.and("seconds", round(took.as_secs_f64())))
}
