//! What is done where another writer was first: whoever it concerns is decided anew alone, on
//! what the stream holds now; the others share a batch again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use rollbook_events::{Position, Subject};

use super::commit::Committer;
use super::draft::Draft;
use super::histories::stream_subject;
use super::{RecordError, Request};
use crate::failpoint;
use crate::log::AppendError;

/// How often a request is decided anew because another writer was first.
const MOST_ATTEMPTS: u32 = 5;
/// Subjects whose last position is asked for at once.
const ASKED_AT_ONCE: usize = 32;

impl Committer {
    /// Parts what was in flight, and what was decided after it, into those whom another writer was before, who are decided
    /// anew alone, and the others, which are given back.
    pub(super) async fn conflict(&mut self, batch: Vec<Draft>, later: Vec<Request>) -> Vec<Request> {
        failpoint!("recorder.after_conflict");
        let stale = self.stale(&batch).await;
        let batch: Vec<Request> = batch.into_iter().map(|draft| draft.request).collect();
        self.forget(batch.iter().chain(&later));
        // Where nobody is seen to be elsewhere, it may be anybody, or an id that the server remembers.
        let (concerned, others) = if stale.is_empty() {
            (batch, later)
        } else {
            self.concerned(batch.into_iter().chain(later).collect(), stale)
        };
        for request in concerned {
            self.alone(request).await;
        }
        others
    }

    /// The subjects of a batch that are not where it expected them.
    async fn stale(&mut self, batch: &[Draft]) -> BTreeSet<Subject> {
        let mut expected: BTreeMap<Subject, Position> = BTreeMap::new();
        for drafted in batch.iter().flat_map(|draft| &draft.events) {
            let kept = self.histories.of(drafted.subject);
            expected.entry(drafted.subject).or_insert_with(|| kept.last_position());
        }
        let log = self.log.0.clone();
        let asked = stream::iter(expected).map(move |(subject, expected)| {
            let log = log.clone();
            async move {
                let last = log.last(&stream_subject(subject)).await;
                let last = last.map(|last| last.map_or(Position(0), |last| last.position));
                // Of whom that cannot be found out, it may be so.
                (!matches!(last, Ok(last) if last == expected)).then_some(subject)
            }
        });
        asked.buffer_unordered(ASKED_AT_ONCE).filter_map(std::future::ready).collect().await
    }

    /// Parts the requests that are about some subjects, or about one that another of these is about, from the others. Each
    /// part keeps its order, and no member has requests in both.
    pub(super) fn concerned(
        &self,
        requests: Vec<Request>,
        mut subjects: BTreeSet<Subject>,
    ) -> (Vec<Request>, Vec<Request>) {
        let of: Vec<BTreeSet<Subject>> =
            requests.iter().map(|request| self.histories.may_be_linked.with_all(&request.work.subjects())).collect();
        loop {
            let before = subjects.len();
            for of in of.iter().filter(|of| !of.is_disjoint(&subjects)).cloned().collect::<Vec<_>>() {
                subjects.extend(of);
            }
            if subjects.len() == before {
                break;
            }
        }
        let (concerned, others): (Vec<_>, Vec<_>) =
            requests.into_iter().zip(of).partition(|(_, of)| !of.is_disjoint(&subjects));
        let requests = |part: Vec<(Request, _)>| part.into_iter().map(|(request, _)| request).collect();
        (requests(concerned), requests(others))
    }

    /// Decides and appends one request on dossiers fresh from the stream, as often as other writers are first.
    async fn alone(&mut self, mut request: Request) {
        for _ in 0..MOST_ATTEMPTS {
            let unreadable = match self.prepare_anew(&request).await {
                Ok(unreadable) => unreadable,
                Err(error) => {
                    // The dossiers may still hold what an earlier attempt decided and nobody stored.
                    self.forget([&request]);
                    return self.refuse(vec![request], error);
                }
            };
            let Some(readable) = self.readable(vec![request], &unreadable).pop() else { return };
            let Some(draft) = self.draft(readable) else { return };
            match self.append(std::slice::from_ref(&draft)).await {
                Ok(positions) => return self.answer(vec![draft], positions),
                Err(AppendError::Conflict { .. }) => request = draft.request,
                Err(error) => return self.failed(vec![draft.request], error),
            }
        }
        tracing::warn!(attempts = MOST_ATTEMPTS, "other writers were always first");
        self.forget([&request]);
        refuse_all(vec![request], Arc::new(std::io::Error::other("other writers were always first")));
    }

    /// Answers requests whose events were not appended, or not to anybody's knowledge.
    pub(super) fn failed(&mut self, requests: Vec<Request>, error: AppendError) {
        self.forget(&requests);
        let answer: Box<dyn Fn() -> RecordError> = match error {
            AppendError::Stayed { cause } => Box::new(move || RecordError::Stayed { cause: cause.clone() }),
            AppendError::Unknown { source } => {
                tracing::error!(error = %source, "could not find out whether events were appended");
                Box::new(|| RecordError::Unknown)
            }
            error @ (AppendError::Conflict { .. }
            | AppendError::TooLarge { .. }
            | AppendError::TooMany { .. }
            | AppendError::Malformed { .. }
            | AppendError::Unavailable { .. }
            | AppendError::Refused { .. }) => {
                tracing::error!(error = %error, "could not append");
                let source: Arc<dyn std::error::Error + Send + Sync> = Arc::new(error);
                Box::new(move || RecordError::Unavailable { source: source.clone() })
            }
        };
        for request in requests {
            _ = request.reply.send(Err(answer()));
        }
    }

    pub(super) fn forget<'a>(&mut self, requests: impl IntoIterator<Item = &'a Request>) {
        self.histories.forget(&requests.into_iter().flat_map(|request| request.work.subjects()).collect());
    }
}

pub(super) fn refuse_all(requests: Vec<Request>, source: Arc<dyn std::error::Error + Send + Sync>) {
    tracing::error!(error = %source, requests = requests.len(), "could not record");
    for request in requests {
        _ = request.reply.send(Err(RecordError::Unavailable { source: source.clone() }));
    }
}
