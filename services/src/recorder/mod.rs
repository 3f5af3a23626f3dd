//! The recorder: read, decide, append. The only writer of the enrollment stream.
//!
//! Requests that wait at the same moment share one atomic batch; nobody waits for a timer. A request is recorded whole or
//! not at all. Two recorders may run at once: the expected position makes a stale dossier harmless.

mod commit;
mod conflict;
mod decide;
mod determinations;
mod draft;
mod findings;
mod flight;
mod histories;
mod history_error;
mod ids_ahead;
mod kept;
mod pace;
mod people;
mod reserved;
mod sweep;
mod tail;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use rollbook_events::{Actor, EventId, MemberId, Position, Rejection, Source, Subject, Submission};
use rollbook_projections::Dossier;
use tokio::sync::{mpsc, oneshot};

use crate::failpoint;

pub use commit::Committer;
pub use decide::{Circumstances, Decision, decide};
pub(crate) use determinations::determination;
pub use histories::Histories;
pub use history_error::HistoryError;
pub use sweep::{SWEEP_EVERY, Sweep, SweepError};

/// Requests that may wait; past it a caller waits with its request in hand.
const MOST_WAITING: usize = 4_096;

/// Events that one request may become: what one atomic batch holds.
pub const MOST_EVENTS: usize = crate::log::MOST_IN_A_BATCH;

/// Makes submissions of what a member's dossier holds, or says why it cannot.
pub type FromDossier = dyn Fn(&Dossier) -> Result<Vec<Submission>, NotSubmitted> + Send + Sync;

/// Why a row gave no submissions: the column, and the reason without the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotSubmitted {
    /// The column.
    pub column: Option<String>,
    /// Why.
    pub reason: String,
}

/// What is to be recorded.
pub enum Work {
    /// These submissions, each with the member it is about; recorded together or not at all.
    Given(Vec<(Subject, Submission)>),
    /// What a row says, given what the ledger holds of its member.
    Row {
        /// The member.
        member: MemberId,
        /// The pure function from a dossier to submissions.
        make: Box<FromDossier>,
    },
    /// Nothing new: what time alone has brought about for a member.
    Again {
        /// The member.
        member: MemberId,
    },
}

impl Work {
    fn subjects(&self) -> BTreeSet<Subject> {
        match self {
            Self::Given(given) => given.iter().map(|(subject, _)| *subject).collect(),
            Self::Row { member, .. } | Self::Again { member } => BTreeSet::from([Subject::Member(*member)]),
        }
    }

    fn given(&self) -> &[(Subject, Submission)] {
        match self {
            Self::Given(given) => given,
            // The id of a row's event is made of its member, so it can name no other member's event; and no row links.
            Self::Row { .. } | Self::Again { .. } => &[],
        }
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(submissions) => write!(f, "Given({})", submissions.len()),
            Self::Row { .. } => f.write_str("Row"),
            Self::Again { .. } => f.write_str("Again"),
        }
    }
}

/// Where an event stands.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// Its id.
    pub id: EventId,
    /// Its member; none for the rulebook.
    pub member: Option<MemberId>,
    /// Its place in the log.
    pub position: Position,
    /// Whether the ledger held it before this request.
    pub known: bool,
    /// Where it was read, which for a known event may be another file.
    pub source: Option<Source>,
}

/// Something a reader must look at, that the recorded events brought about.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Finding {
    /// What it is: the outcome of the rule.
    pub code: String,
    /// The rule; none where it would tell of another organization's program.
    pub rule: Option<String>,
    /// The two programs; of another organization's only the kind.
    pub programs: Vec<String>,
    /// Whose records the two are.
    #[serde(skip)]
    pub plans: Vec<String>,
    /// First day.
    pub from: Option<String>,
    /// First day no longer.
    pub until: Option<String>,
}

/// What became of a request.
#[derive(Debug, Clone, Default)]
pub struct Recording {
    /// A receipt for each event.
    pub receipts: Vec<Receipt>,
    /// A receipt for each determination that followed from them, in the same batch.
    pub determined: Vec<Receipt>,
    /// What the new events brought about.
    pub findings: Vec<Finding>,
}

/// Why nothing of a request was recorded, or why that is not known.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A submission is refused; its place in the request, from 0.
    #[error("submission {index} is refused")]
    Rejected {
        /// Which submission.
        index: usize,
        /// Why.
        #[source]
        rejection: Rejection,
    },
    /// A row cannot be read without a guess.
    #[error("the row cannot be recorded")]
    NotSubmitted(NotSubmitted),
    /// More events than one batch holds.
    #[error("a request may become at most {MOST_EVENTS} events")]
    TooMany,
    /// Whether it was recorded is not known; ask again with the same ids.
    #[error("could not find out whether the events were recorded; send the same events with the same ids again")]
    Unknown,
    /// The log or the views could not be reached, or other writers were always first.
    #[error("the ledger cannot record now")]
    Unavailable {
        /// What went wrong.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// Something is wrong that nothing may be recorded on top of; see `/readyz`.
    #[error("nothing may be recorded now: {cause}")]
    Stayed {
        /// What is wrong.
        cause: String,
    },
    /// The recorder has stopped.
    #[error("the recorder has stopped")]
    Stopped,
}

/// A request on its way.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) work: Work,
    pub(crate) actor: Actor,
    pub(crate) reply: oneshot::Sender<Result<Recording, RecordError>>,
}

/// The callers' end of the recorder.
#[derive(Debug, Clone)]
pub struct Recorder {
    queue: mpsc::Sender<Request>,
}

impl Recorder {
    /// A recorder and the queue that a [`Committer`] empties.
    pub fn new() -> (Self, RequestQueue) {
        let (queue, waiting) = mpsc::channel(MOST_WAITING);
        (Self { queue }, RequestQueue(waiting))
    }

    /// Records a request and answers when its events are on disk.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub async fn record(&self, work: Work, actor: Actor) -> Result<Recording, RecordError> {
        let (reply, answer) = oneshot::channel();
        failpoint!("recorder.before_queue");
        self.queue.send(Request { work, actor, reply }).await.map_err(|_| RecordError::Stopped)?;
        let answer = answer.await;
        failpoint!("recorder.before_answer");
        answer.map_err(|_| RecordError::Stopped)?
    }

    /// Puts many requests in the queue, in order, where they share batches; the answers are waited for apart.
    pub async fn enqueue(&self, works: Vec<Work>, actor: &Actor) -> Answers {
        let mut answers = Vec::with_capacity(works.len());
        for work in works {
            let (reply, answer) = oneshot::channel();
            // A closed queue drops the request and with it the reply, which the answer then tells.
            _ = self.queue.send(Request { work, actor: actor.clone(), reply }).await;
            answers.push(answer);
        }
        Answers(answers)
    }
}

/// The answers to requests that were put in the queue.
#[derive(Debug)]
pub struct Answers(Vec<oneshot::Receiver<Result<Recording, RecordError>>>);

impl Answers {
    /// Waits for all of them; they come in the order of the requests.
    pub async fn all(self) -> Vec<Result<Recording, RecordError>> {
        let mut results = Vec::with_capacity(self.0.len());
        for answer in self.0 {
            results.push(answer.await.unwrap_or(Err(RecordError::Stopped)));
        }
        results
    }
}

/// The requests that wait.
#[derive(Debug)]
pub struct RequestQueue(pub(crate) mpsc::Receiver<Request>);
