//! Every row of every view compared with what a clean fold of the whole log gives.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rollbook_events::Position;
use rollbook_projections::store::read::{Filter, Known, Page, Sight};
use rollbook_projections::store::{Db, StoreError};
use rollbook_projections::{Cell, Table, views};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::finding::{REBUILD, Report, Told};
use crate::error_chain::chain;
use crate::log::{NatsLog, ReadError};
use crate::projector::{Phase, Projector};

const ALL: Sight = Sight::everything_for_the_ledger_itself();
/// Rows read at once.
const ROWS_AT_ONCE: u32 = 4_000;

/// How long the fold may take for its next batch.
const NEXT_BATCH: Duration = Duration::from_secs(120);
/// How long what fails may be tried again.
const AGAIN: Duration = Duration::from_secs(15);

const PLACE: &str = "the views";

/// Whether the database finds its own file sound.
pub(super) async fn check_file(db: &Db, report: &mut Report) {
    match db.unsound().await {
        Ok(said) if said.is_empty() => report.checked(PLACE, "database whose own check finds nothing", 1),
        // What it says names pages and indexes, never a value.
        Ok(said) => said.iter().for_each(|line| report.found(PLACE, format!("the database says: {line}"), REBUILD)),
        Err(error) => report.found(PLACE, chain(&error), REBUILD),
    }
}

/// Folds the log anew beside the views, in a database of its own, and compares them row for row, `known_*` included.
pub(super) async fn compare(
    log: &NatsLog,
    db: &Db,
    folder: &Path,
    report: &mut Report,
    told: &mut Told<'_>,
) -> Result<(), ReadError> {
    let fresh = match Db::open(&format!("sqlite://{}", folder.join("fold.db").display())).await {
        Ok(fresh) => fresh,
        Err(error) => return Err(ReadError::unavailable(error)),
    };
    let compared = compare_with(log, db, &fresh, report, told).await;
    fresh.close().await;
    match compared {
        Ok(()) => Ok(()),
        Err(Stopped::Fold(cause)) => {
            report.found(
                PLACE,
                format!("could not be compared, for the log does not fold: {cause}"),
                super::finding::RESTORE,
            );
            Ok(())
        }
        Err(Stopped::Views(error)) => {
            report.found(PLACE, chain(&error), REBUILD);
            Ok(())
        }
    }
}

enum Stopped {
    Fold(String),
    Views(StoreError),
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Views(error)
    }
}

async fn compare_with(
    log: &NatsLog,
    db: &Db,
    fresh: &Db,
    report: &mut Report,
    told: &mut Told<'_>,
) -> Result<(), Stopped> {
    let at = db.checkpoint().await?.position;
    fold(log, fresh, at, told).await?;
    for view in views::ALL {
        let table = view.table();
        let rows = compare_table(table, db, fresh, at, report).await?;
        report.checked(table.name, "rows equal to a clean fold's", rows);
    }
    if db.links(at).await? != fresh.links(at).await? {
        report.found("member_link", "is not what a clean fold of the log gives", REBUILD);
    }
    Ok(())
}

/// Folds the log at least up to a position.
async fn fold(log: &NatsLog, fresh: &Db, at: Position, told: &mut Told<'_>) -> Result<(), Stopped> {
    let cancelled = CancellationToken::new();
    let (projector, mut status) = Projector::new(Arc::new(log.clone()), fresh.clone());
    let running = tokio::spawn(projector.run(cancelled.clone()));
    // What fails and is tried again changes its status for ever: only a position that moves is progress.
    let (mut moved, mut reached) = (Instant::now(), Position(0));
    let folded = loop {
        let now = status.borrow_and_update().clone();
        let patience = if matches!(now.phase, Phase::Waiting { .. }) { AGAIN } else { NEXT_BATCH };
        if now.position > reached || matches!(now.phase, Phase::Rederiving { .. }) {
            (moved, reached) = (Instant::now(), now.position);
        } else if moved.elapsed() > patience {
            break Err(Stopped::Fold(
                now.trouble().unwrap_or_else(|| format!("nothing came after position {reached}")),
            ));
        }
        told("clean fold", now.position.0.min(at.0), at.0);
        if now.position >= at {
            break Ok(());
        }
        match now.phase {
            Phase::Stopped { cause } => break Err(Stopped::Fold(cause)),
            Phase::Starting
            | Phase::Following
            | Phase::Standby { .. }
            | Phase::Rederiving { .. }
            | Phase::Waiting { .. } => {}
        }
        match timeout(NEXT_BATCH, status.changed()).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => break Err(Stopped::Fold("the fold ended".to_owned())),
            Err(_) => break Err(Stopped::Fold(format!("nothing came after position {}", now.position))),
        }
    };
    cancelled.cancel();
    _ = running.await;
    folded
}

/// Compares one view, and tells how many of its rows are equal.
async fn compare_table(
    table: &'static Table,
    db: &Db,
    fresh: &Db,
    at: Position,
    report: &mut Report,
) -> Result<u64, StoreError> {
    let (mut there, mut right) = (Rows::new(table, db, at), Rows::new(table, fresh, at));
    let (mut a, mut b) = (there.next().await?, right.next().await?);
    let mut equal = 0;
    loop {
        let order = match (&a, &b) {
            (None, None) => return Ok(equal),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(a), Some(b)) => (&a.row.key, a.known_from).cmp(&(&b.row.key, b.known_from)),
        };
        match order {
            std::cmp::Ordering::Equal if a == b => equal += 1,
            std::cmp::Ordering::Equal => {
                let from = a.as_ref().map_or(0, |row| row.known_from.0);
                let what = format!("a row known from position {from} on is not what a clean fold gives");
                report.found(table.name, what, REBUILD);
            }
            std::cmp::Ordering::Less => {
                let from = a.as_ref().map_or(0, |row| row.known_from.0);
                report.found(table.name, format!("a row known from position {from} on is one too many"), REBUILD);
            }
            std::cmp::Ordering::Greater => {
                let from = b.as_ref().map_or(0, |row| row.known_from.0);
                report.found(table.name, format!("a row known from position {from} on is missing"), REBUILD);
            }
        }
        if order.is_le() {
            a = there.next().await?;
        }
        if order.is_ge() {
            b = right.next().await?;
        }
    }
}

/// Every row there ever was up to a position, by key and then by when it was known.
struct Rows<'a> {
    table: &'static Table,
    db: &'a Db,
    at: Position,
    filter: Filter,
    after: Option<String>,
    page: std::vec::IntoIter<Known>,
    done: bool,
}

impl<'a> Rows<'a> {
    fn new(table: &'static Table, db: &'a Db, at: Position) -> Self {
        let next = Cell::Integer(i64::try_from(at.0).map_or(i64::MAX, |at| at.saturating_add(1)));
        let filter = Filter { ever: true, less_than: vec![("known_from", next)], ..Filter::default() };
        Self { table, db, at, filter, after: None, page: Vec::new().into_iter(), done: false }
    }

    async fn next(&mut self) -> Result<Option<Known>, StoreError> {
        loop {
            if let Some(mut known) = self.page.next() {
                // What was closed later was open then.
                known.known_until = known.known_until.filter(|until| *until <= self.at);
                return Ok(Some(known));
            }
            if self.done {
                return Ok(None);
            }
            self.read_on().await?;
        }
    }

    async fn read_on(&mut self) -> Result<(), StoreError> {
        let mut most = ROWS_AT_ONCE;
        loop {
            let page = Page { order: None, after: self.after.clone().map(|key| (None, key)), most };
            let mut rows = self.db.page(&ALL, self.table, &self.filter, &page).await?;
            self.done = rows.len() < usize::try_from(most).unwrap_or(usize::MAX);
            if !self.done {
                // The last key may have more rows on the next page.
                let last = rows.last().map(|known| known.row.key.clone());
                rows.truncate(
                    rows.iter().rposition(|known| Some(&known.row.key) != last.as_ref()).map_or(0, |at| at + 1),
                );
                if rows.is_empty() {
                    most = most.saturating_mul(2);
                    continue;
                }
            }
            self.after = rows.last().map(|known| known.row.key.clone());
            self.page = rows.into_iter();
            return Ok(());
        }
    }
}
