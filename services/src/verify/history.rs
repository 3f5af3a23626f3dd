//! The rows of `event_history` side by side with the stream's events.

use rollbook_events::{EventId, Hash, Position};
use rollbook_projections::store::Db;
use rollbook_projections::store::read::{Filed, Sight};
use tokio::sync::mpsc;

use super::finding::{REBUILD, Report};
use crate::error_chain::chain;

const PLACE: &str = "event_history";
const ALL: Sight = Sight::everything_for_the_ledger_itself();

/// Rows read at once.
const ROWS_AT_ONCE: u32 = 2_000;
const AHEAD: usize = 2;

/// The rows in order of position, up to the views' checkpoint.
pub(super) struct History {
    pages: mpsc::Receiver<Result<Vec<Filed>, String>>,
    rows: std::iter::Peekable<std::vec::IntoIter<Filed>>,
    checkpoint: u64,
    /// Members whose views stand still, who lack their later events rightly.
    stuck: bool,
    equal: u64,
    done: bool,
}

impl History {
    /// Begins to read the rows; nothing where the views cannot be read, which is then found.
    pub(super) async fn open(db: &Db, head: Position, report: &mut Report) -> Option<Self> {
        let looked = async {
            Ok::<_, rollbook_projections::store::StoreError>((db.checkpoint().await?, db.stuck_from().await?))
        };
        let (checkpoint, stuck) = match looked.await {
            Ok(looked) => looked,
            Err(error) => {
                report.found("the views", chain(&error), REBUILD);
                return None;
            }
        };
        if checkpoint.position > head {
            let what = format!("were made from a log up to position {}, which ends at {head} now", checkpoint.position);
            report.found("the views", what, "restore the log from the archive, or build the views anew if it is whole");
        } else if checkpoint.position == Position(0) && head > Position(0) {
            report.found("the views", "are empty", "rollbook up makes them anew from the log");
        } else if checkpoint.position < head {
            report.note(format!("the views stand at position {} of {head}", checkpoint.position));
        }
        for (_, position) in stuck.iter().take(20) {
            report.found("the views", format!("a member's views stand still from position {position} on"), REBUILD);
        }
        let (send, pages) = mpsc::channel(AHEAD);
        let db = db.clone();
        tokio::spawn(async move {
            let mut after = Position(0);
            loop {
                let page = db.filed_after(&ALL, after, ROWS_AT_ONCE).await;
                let last = page.as_ref().ok().and_then(|page| page.last()).map(|row| row.position);
                if send.send(page.map_err(|error| chain(&error))).await.is_err() {
                    return;
                }
                let Some(last) = last else { return };
                after = last;
            }
        });
        let (rows, stuck) = (Vec::new().into_iter().peekable(), !stuck.is_empty());
        Some(Self { pages, rows, checkpoint: checkpoint.position.0, stuck, equal: 0, done: false })
    }

    /// Compares an event of the stream with its row.
    pub(super) async fn compare(
        &mut self,
        position: u64,
        id: Option<EventId>,
        hash: Hash,
        body: &[u8],
        report: &mut Report,
    ) {
        if position > self.checkpoint {
            return;
        }
        loop {
            if self.rows.peek().is_none() && !self.done {
                self.read_on(report).await;
                continue;
            }
            let Some(row) = self.rows.next_if(|row| row.position.0 <= position) else { break };
            if row.position.0 < position {
                let what = format!("has a second row, or one too many, at position {}", row.position);
                report.found(PLACE, what, REBUILD);
                continue;
            }
            let differs = if id.is_some_and(|id| id.0 != row.id) {
                Some("id")
            } else if row.hash != hash.to_string() {
                Some("hash")
            } else if row.event.as_bytes() != body {
                Some("event")
            } else {
                None
            };
            match differs {
                Some(what) => {
                    report.found(
                        PLACE,
                        format!("the {what} of the row at position {position} is not the stream's"),
                        REBUILD,
                    );
                }
                None => self.equal += 1,
            }
            return;
        }
        // A member that stands still is found by itself, and so is an event that cannot be read.
        if !self.stuck && position <= self.checkpoint {
            report.found(PLACE, format!("has no row for the event at position {position}"), REBUILD);
        }
    }

    async fn read_on(&mut self, report: &mut Report) {
        match self.pages.recv().await {
            Some(Ok(page)) => self.rows = page.into_iter().peekable(),
            Some(Err(cause)) => {
                report.found(PLACE, cause, REBUILD);
                // What cannot be read cannot be compared, and one word about it is enough.
                (self.done, self.checkpoint) = (true, 0);
            }
            None => self.done = true,
        }
    }

    /// Tells of rows that no event of the stream has.
    pub(super) async fn finish(mut self, report: &mut Report) {
        report.checked(PLACE, "rows equal to the stream's events", self.equal);
        let mut more = 0;
        loop {
            more +=
                u64::try_from(self.rows.by_ref().filter(|row| row.position.0 <= self.checkpoint).count()).unwrap_or(0);
            if self.done {
                break;
            }
            self.read_on(report).await;
        }
        if more > 0 {
            report.found(PLACE, format!("has {more} rows more than the stream has events"), REBUILD);
        }
    }
}
