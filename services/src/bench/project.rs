//! From the log to the views: the fold alone, then with each database, then all of it again.

use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, ensure};
use rollbook_projections::Dossier;
use rollbook_projections::fold::Fold;
use rollbook_projections::links::Links;
use rollbook_projections::store::Views;
use tokio::process::Command;

use super::corpus::Corpus;
use super::figure::Figure;
use super::ground::Ground;
use super::process::Watched;
use super::service::Service;

/// Events folded at once, as the projector does.
const IN_A_STEP: usize = 2_000;

/// The fold alone, in memory: from decoded events to rows that changed.
///
/// # Errors
/// Where an event cannot be read or folded.
pub fn fold(corpus: &Corpus, members: u32) -> anyhow::Result<Figure> {
    let events = corpus.decoded()?;
    let (begun, mine) = (Instant::now(), Watched::from_now(std::process::id()));
    let mut fold = Fold::new(None, Dossier::default(), Links::default());
    let mut rows = 0;
    for step in events.chunks(IN_A_STEP) {
        ensure!(fold.wanting(step).is_empty(), "a dossier was let go");
        for event in step {
            fold.apply(event.clone())?;
        }
        rows += fold.take_changes().rows();
    }
    let figure = Figure::events("fold", members, u64::try_from(events.len())?, begun.elapsed());
    Ok(figure.cost(mine.cost()).and("rows", rows))
}

/// The projector from an empty database to the head of the log, with every view on.
///
/// # Errors
/// Where it does not get there.
pub async fn project(name: &'static str, ground: &Ground, database: &str, members: u32) -> anyhow::Result<Figure> {
    // What a named database holds of an earlier ledger is no part of this one.
    let views = Views::open(database).await?;
    views.live().db().reset().await?;
    views.close().await;
    let projector = Service::start(ground, "projector", database).await?;
    let (begun, watched) = (Instant::now(), projector.watched());
    let (before, _) = projector.standing().await?;
    let position = projector.caught_up().await?;
    let took = begun.elapsed();
    let cost = watched.cost();
    projector.stop().await;
    let figure = Figure::events(name, members, position - before, took).cost(cost);
    Ok(figure.and("seconds", super::figure::round(took.as_secs_f64())))
}

/// `rollbook rebuild` of views that are whole, beside the projector that runs.
///
/// # Errors
/// Where the rebuild fails.
pub async fn rebuild(ground: &Ground, database: &str, members: u32) -> anyhow::Result<Figure> {
    let projector = Service::start(ground, "projector", database).await?;
    let head = projector.caught_up().await?;
    let (begun, watched) = (Instant::now(), projector.watched());
    let mut command = Command::new(ground.program());
    command.args(["rebuild", "--yes", "--quiet", "--url", projector.url(), "--data"]).arg(ground.data());
    command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
    let status = command.status().await.context("could not start `rollbook rebuild`")?;
    ensure!(status.success(), "`rollbook rebuild` ended with {status}");
    projector.caught_up().await?;
    let took = begun.elapsed();
    let figure = Figure::events("rebuild", members, head, took).cost(watched.cost());
    projector.stop().await;
    Ok(figure.and("seconds", super::figure::round(took.as_secs_f64())))
}
