//! A stream from its first position to its head, side by side with its archive and the rows of `event_history`.

use std::sync::Arc;

use rollbook_events::{Hash, Position};
use rollbook_projections::store::Db;
use tokio::sync::mpsc;

use super::finding::{RESTORE, Report, Told, positions};
use super::history::History;
use super::looked::{Looked, Seen, look};
use super::shelf::Archived;
use super::walk::walk;
use crate::archive::chain::Chain;
use crate::archive::place::Place;
use crate::archive::{Links, MemberChains, Shelf};
use crate::clock;
use crate::error_chain::chain;
use crate::log::{NatsLog, ReadError, StreamSpec};

/// How old a message may be that is not archived yet.
const MOST_BEHIND: chrono::TimeDelta = chrono::TimeDelta::seconds(120);

/// Chunks that are looked at ahead.
const AHEAD: usize = 2;

/// What is counted along the way.
#[derive(Default)]
struct Counts {
    read: u64,
    missing: u64,
    chained: u64,
    equal: u64,
    /// Where the first message stands that is not archived, and when it was stored.
    waits: Option<(u64, i64)>,
}

struct Comparison<'a> {
    spec: StreamSpec,
    report: &'a mut Report,
    counts: Counts,
    chain: Chain,
    members: MemberChains,
    archived: Option<Archived>,
    history: Option<History>,
}

/// Verifies one stream.
pub(super) async fn verify(
    spec: &StreamSpec,
    (log, head): (&NatsLog, Position),
    archive: Option<Arc<dyn Place>>,
    views: Option<&Db>,
    report: &mut Report,
    told: &mut Told<'_>,
) -> Result<(), ReadError> {
    let archived = match archive {
        None => None,
        Some(place) => match Archived::open(Shelf::new(place, spec.name), report).await {
            Ok(archived) => Some(archived),
            Err(error) => {
                report.found(format!("archive of {}", spec.name), chain(&error), "see to it that it can be read");
                None
            }
        },
    };
    let history = match views {
        None => None,
        Some(db) => History::open(db, head, report).await,
    };
    let mut comparison = Comparison {
        spec: *spec,
        report,
        counts: Counts::default(),
        chain: Chain::beginning(spec.name),
        members: MemberChains::default(),
        archived,
        history,
    };
    let mut seen = look_ahead(*spec, log.clone(), head);
    let mut at = 0;
    while let Some(chunk) = seen.recv().await {
        for one in chunk? {
            at = comparison.next(one).await;
        }
        told(spec.name, at, head.0);
    }
    if at < head.0 {
        return Err(ReadError::unavailable(format!("the reading of {} ended at position {at}", spec.name)));
    }
    comparison.finish(head.0).await;
    Ok(())
}

/// Reads and looks ahead of what is compared: hashing and decoding take most of the time, and there are other cores.
fn look_ahead(spec: StreamSpec, log: NatsLog, head: Position) -> mpsc::Receiver<Result<Vec<Seen>, ReadError>> {
    let mut steps = walk(log, head);
    let (send, seen) = mpsc::channel(AHEAD);
    tokio::spawn(async move {
        while let Some(chunk) = steps.recv().await {
            let looked = match chunk {
                Ok(chunk) => tokio::task::spawn_blocking(move || look(spec, chunk)).await,
                Err(error) => {
                    _ = send.send(Err(error)).await;
                    return;
                }
            };
            if send.send(looked.map_err(ReadError::unavailable)).await.is_err() {
                return;
            }
        }
    });
    seen
}

impl Comparison<'_> {
    /// Compares the next of the stream, and gives the position that was come to.
    async fn next(&mut self, seen: Seen) -> u64 {
        match seen {
            Seen::Message(looked) => {
                let position = looked.record.position.0;
                self.message(*looked).await;
                position
            }
            Seen::Missing(from, to) => {
                let what = format!("{} cannot be read: gone, or damaged", positions(from, to));
                self.report.found(self.spec.name, what, RESTORE);
                self.counts.missing += to + 1 - from;
                for position in from..=to {
                    self.missing(position).await;
                }
                to
            }
        }
    }

    async fn message(&mut self, looked: Looked) {
        let Looked { record, hash, read } = looked;
        let position = record.position;
        self.counts.read += 1;
        self.chain = self.chain.then(position, &record.subject, hash);
        if let Err(what) = &read {
            self.report.found(self.spec.name, format!("the message at position {position} {what}"), RESTORE);
        }
        if self.spec == StreamSpec::ENROLLMENT {
            self.link(&record.subject, &record.body, hash, position.0);
        }
        if let Some(archived) = &mut self.archived {
            match archived.at(position.0, self.report).await {
                Some(copy) if copy.says_the_same_as(&record) => self.counts.equal += 1,
                Some(_) => self.report.found(
                    self.spec.name,
                    format!("the message at position {position} is not the one that the archive holds"),
                    "find out which of the two is right: see whether the member's chain is whole in the stream, and in the archive",
                ),
                None => {
                    self.counts.waits = self.counts.waits.or(Some((position.0, record.stored_at)));
                }
            }
        }
        if let Some(history) = &mut self.history {
            let id = read.ok().and_then(|(id, _)| id);
            history.compare(position.0, id, hash, &record.body, self.report).await;
        }
    }

    fn link(&mut self, subject: &str, body: &[u8], hash: Hash, position: u64) {
        match self.members.next(subject, body, hash) {
            Links::Yes => self.counts.chained += 1,
            // That it cannot be read is found already.
            Links::Unreadable => {}
            Links::No | Links::Unknown(_) => self.report.found(
                self.spec.name,
                format!(
                    "the event at position {position} does not name its member's event before it: the chain is broken"
                ),
                RESTORE,
            ),
        }
    }

    /// A position that the stream does not give: chains and views go on from what the archive holds there.
    async fn missing(&mut self, position: u64) {
        let copy = match &mut self.archived {
            Some(archived) => archived.at(position, self.report).await,
            None => None,
        };
        let Some(copy) = copy else { return };
        let hash = Hash::of(&copy.body);
        if self.spec == StreamSpec::ENROLLMENT {
            self.link(&copy.subject, &copy.body, hash, position);
        }
        if let Some(history) = &mut self.history {
            history.compare(position, None, hash, &copy.body, self.report).await;
        }
    }

    async fn finish(mut self, head: u64) {
        let name = self.spec.name;
        self.report.checked(name, "messages read, in one run from position 1", self.counts.read);
        if self.spec == StreamSpec::ENROLLMENT {
            self.report.checked(name, "events that name their member's event before", self.counts.chained);
            let members = u64::try_from(self.members.members()).unwrap_or(u64::MAX);
            self.report.checked(name, "members' chains", members);
        }
        if self.counts.missing == 0 && head > 0 {
            self.report.note(format!("{name}: running hash {} at position {head}", self.chain.hash()));
        }
        if let Some(mut archived) = self.archived.take() {
            archived.finish(self.report).await;
            self.finish_archive(&archived, head);
        }
        if let Some(history) = self.history.take() {
            history.finish(self.report).await;
        }
    }

    fn finish_archive(&mut self, archived: &Archived, head: u64) {
        let name = self.spec.name;
        let (segments, messages) = archived.read;
        let place = format!("archive of {name}");
        self.report.checked(&place, "segments", segments);
        self.report.checked(&place, "messages", messages);
        self.report.checked(&place, "messages equal to the stream's", self.counts.equal);
        if archived.last.0 > head {
            let what = format!("ends at position {head}, but its archive at {}: it has lost its end", archived.last);
            self.report.found(name, what, RESTORE);
        }
        let Some((position, stored_at)) = self.counts.waits else { return };
        let since = chrono::DateTime::from_timestamp_nanos(stored_at);
        let behind = head.saturating_sub(archived.last.0);
        if position <= archived.last.0 || clock::now() - since > MOST_BEHIND {
            let what = format!(
                "does not hold position {position}, stored at {}; it ends at {}, the stream at {head}",
                since.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
                archived.last
            );
            self.report.found(place, what, "let the archiver run: rollbook up, or rollbook serve archiver");
        } else {
            self.report.note(format!("{place}: {behind} messages are not archived yet"));
        }
    }
}
