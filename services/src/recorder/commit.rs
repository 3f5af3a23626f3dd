//! Deciding: what the ledger holds of the members that some requests are about, and what the requests become on top of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rollbook_events::{EventId, Rejection, RejectionCode, Subject, Submission};

use super::conflict::refuse_all;
use super::determinations::{Since, determine, subjects};
use super::draft::{Draft, file, receipt};
use super::findings;
use super::flight::Flight;
use super::history_error::{HistoryError, Unreadable};
use super::kept::{Before, NOT_YET};
use super::pace::Pace;
use super::{Circumstances, Decision, Histories, MOST_EVENTS, RecordError, Request, Work, decide};
use crate::guards::LastRecorded;
use crate::health::{Forbids, Health};
use crate::identity_index::IdentityIndex;
use crate::log::Log;
use crate::{clock, failpoint, measures};

/// A log that was seen to be damaged while a history was read; it stands until the program is started again.
const HOLE: &str = "hole";
/// Members whose history cannot be read.
const MEMBER: &str = "member";

/// Empties the queue of requests: the one task that decides and appends.
#[derive(Debug)]
pub struct Committer {
    pub(super) histories: Histories,
    pub(super) log: LogHandle,
    pub(super) health: Health,
    /// The clock of the last event, which no later one may lie before.
    last_recorded: LastRecorded,
    /// Whether the log was asked for it.
    knows_last: bool,
    /// The clock when the round began: what is decided together is recorded at one time, whichever of it is stored first.
    round: Option<DateTime<Utc>>,
    /// Who knows ages that submissions leave out.
    ages: Option<IdentityIndex>,
    /// The batch on its way to the log.
    pub(super) flight: Option<Flight>,
    /// What is decided and takes off next.
    pub(super) ready: Vec<Draft>,
    /// Requests that wait for the flight to land, because they are about whom it is about.
    pub(super) held: Vec<Request>,
    /// How flights fared.
    pub(super) pace: Pace,
}

pub(super) struct LogHandle(pub(super) Arc<dyn Log>);

impl std::fmt::Debug for LogHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("log")
    }
}

impl Committer {
    /// A committer over the log, with the dossiers to decide on.
    pub fn new(log: Arc<dyn Log>, histories: Histories, health: Health) -> Self {
        let (log, last_recorded) = (LogHandle(log), LastRecorded::default());
        let (ready, held) = (Vec::new(), Vec::new());
        let (knows_last, round, ages, flight, pace) = (false, None, None, None, Pace::default());
        Self { histories, log, health, last_recorded, knows_last, round, ages, flight, ready, held, pace }
    }

    /// One that shares with others when the log's last event was recorded.
    #[must_use]
    pub fn not_before(self, last_recorded: LastRecorded) -> Self {
        Self { last_recorded, ..self }
    }

    /// One that fills in the ages that submissions leave out.
    #[must_use]
    pub fn deriving_ages(self, identities: IdentityIndex) -> Self {
        Self { ages: Some(identities), ..self }
    }

    /// Whether anything may be recorded now; else the requests are answered why not.
    async fn may_record(&mut self, requests: Vec<Request>) -> Option<Vec<Request>> {
        if !self.knows_last {
            match self.last_recorded.read(&*self.log.0).await {
                Ok(()) => self.knows_last = true,
                Err(error) => {
                    refuse_all(requests, Arc::new(error));
                    return None;
                }
            }
        }
        self.last_recorded.judge(&self.health, clock::now());
        let Some(cause) = self.health.refusal() else { return Some(requests) };
        stay_all(requests, &cause);
        None
    }

    /// Decides requests, in order, on what is known of those they are about; what there is to append is then ready.
    pub(super) async fn decide_on(&mut self, requests: Vec<Request>) {
        let Some(requests) = self.may_record(requests).await else { return };
        failpoint!("recorder.before_round");
        let subjects = requests.iter().flat_map(|request| request.work.subjects()).collect();
        let unreadable = match self.prepare(&subjects, &requests, false).await {
            Ok(unreadable) => unreadable,
            Err(error) => return self.refuse(requests, error),
        };
        self.round = Some(clock::now());
        for request in self.readable(requests, &unreadable) {
            let draft = self.draft(request);
            self.ready.extend(draft);
        }
        self.round = None;
    }

    /// The clock; one that was set back a little must not put an event before the one it follows.
    fn now(&mut self) -> DateTime<Utc> {
        self.last_recorded.saw(self.round.unwrap_or_else(clock::now));
        self.last_recorded.at()
    }

    async fn prepare(
        &mut self,
        subjects: &BTreeSet<Subject>,
        requests: &[Request],
        now: bool,
    ) -> Result<Unreadable, HistoryError> {
        let given = requests.iter().flat_map(|request| request.work.given());
        let mut ids: Vec<EventId> = Vec::new();
        for (subject, submission) in given {
            self.histories.may_be_linked.note(*subject, &submission.event);
            ids.extend(submission.id);
        }
        self.want_ages(requests).await?;
        let unreadable =
            if now { self.histories.reload_all(subjects).await? } else { self.histories.want(subjects).await? };
        match self.histories.unreadable() {
            Some((members, first)) => {
                let cause = format!("the histories of {members} members cannot be read, the first at position {first}");
                self.health.red(MEMBER, cause, Forbids::Nothing, clock::now());
            }
            None => self.health.green(MEMBER),
        }
        // A given id may already name an event of another member, which this member's dossier cannot know.
        for (id, subject) in self.histories.by_id(&ids, now).await? {
            self.histories.reserved.note(id, subject);
        }
        Ok(unreadable)
    }

    /// Sees to it that the ages are at hand that submissions leave out.
    async fn want_ages(&self, requests: &[Request]) -> Result<(), HistoryError> {
        let Some(ages) = &self.ages else { return Ok(()) };
        let given = requests.iter().flat_map(|request| request.work.given());
        let of_members = given.filter_map(|(subject, submission)| Some((subject.member()?, &submission.event)));
        // An event without the age it could have had would stay so: better none is recorded now.
        Ok(ages.want_ages(of_members).await?)
    }

    /// Prepares one request alone, on what the stream holds now.
    pub(super) async fn prepare_anew(&mut self, request: &Request) -> Result<Unreadable, HistoryError> {
        self.prepare(&request.work.subjects(), std::slice::from_ref(request), true).await
    }

    /// Refuses the requests about whom nothing can be decided, and gives back the others.
    pub(super) fn readable(&self, requests: Vec<Request>, unreadable: &Unreadable) -> Vec<Request> {
        if unreadable.is_empty() {
            return requests;
        }
        let mut readable = Vec::with_capacity(requests.len());
        for request in requests {
            let concerned = self.histories.may_be_linked.with_all(&request.work.subjects());
            match concerned.iter().find_map(|subject| unreadable.get(subject)) {
                Some(why) => refuse_all(vec![request], why.clone()),
                None => readable.push(request),
            }
        }
        readable
    }

    /// Refuses requests for want of what they are decided on; damage of the log itself stops all recording.
    pub(super) fn refuse(&self, requests: Vec<Request>, error: HistoryError) {
        if error.is_damage() {
            let cause = crate::error_chain::chain(&error);
            let cause = format!("{cause}: restore the log from the archive (rollbook restore)");
            self.health.red(HOLE, cause.clone(), Forbids::Recording, clock::now());
            return stay_all(requests, &cause);
        }
        refuse_all(requests, Arc::new(error));
    }

    /// Decides a request on the dossiers as the requests before it leave them. Answers it where nothing is to append.
    pub(super) fn draft(&mut self, request: Request) -> Option<Draft> {
        // One submission alone leaves no dossier half-changed.
        let alone = matches!(&request.work, Work::Given(given) if given.len() <= 1);
        let subjects =
            if alone { BTreeSet::new() } else { self.histories.may_be_linked.with_all(&request.work.subjects()) };
        let saved: Vec<(Subject, Before)> =
            subjects.into_iter().map(|subject| (subject, self.histories.of(subject).before())).collect();
        let mut draft = Draft::of(request);
        let decided = self.decide_all(&mut draft);
        let refused = match decided {
            Ok(()) if draft.events.len() > MOST_EVENTS => Some(RecordError::TooMany),
            Ok(()) => None,
            Err(error) => Some(error),
        };
        if let Some(error) = refused {
            measures::rejected(&error);
            for (subject, before) in saved {
                self.histories.of(subject).restore(before);
            }
            _ = draft.request.reply.send(Err(error));
            return None;
        }
        Some(draft)
    }

    fn decide_all(&mut self, draft: &mut Draft) -> Result<(), RecordError> {
        let mut before = Vec::new();
        let submissions = match &draft.request.work {
            Work::Given(given) => {
                before = findings::before(&mut self.histories, given.iter().map(|(subject, _)| *subject));
                given.clone()
            }
            Work::Row { member, make } => {
                let subject = Subject::Member(*member);
                let made = make(&self.histories.of(subject).dossier).map_err(RecordError::NotSubmitted)?;
                made.into_iter().map(|submission| (subject, submission)).collect()
            }
            Work::Again { member } => {
                let (subject, now) = (Subject::Member(*member), self.now());
                draft.determined(determine(&mut self.histories, subject, Since::Time, now));
                Vec::new()
            }
        };
        for (index, (subject, submission)) in submissions.into_iter().enumerate() {
            let rejected = |rejection| RecordError::Rejected { index, rejection };
            self.decide_one(draft, subject, submission).map_err(rejected)?;
        }
        // Here, where the dossiers hold this request's events and not yet those of the requests after it.
        for subject in subjects(&draft.events) {
            let now = self.now();
            let determined = determine(&mut self.histories, subject, Since::Told(&draft.events), now);
            draft.determined(determined);
        }
        draft.findings = findings::after(&mut self.histories, &before);
        Ok(())
    }

    fn decide_one(&mut self, draft: &mut Draft, subject: Subject, mut submission: Submission) -> Result<(), Rejection> {
        if submission.id.is_some_and(|id| self.histories.reserved.is_anothers(id, subject)) {
            return Err(Rejection::new(RejectionCode::IdReused, "id", "already names an event of another member"));
        }
        // Another recorder's clock may be ahead of this one's.
        self.last_recorded.saw(self.histories.of(subject).last_recorded_at());
        let now = self.now();
        let kept = self.histories.of(subject);
        // What is known already says its age, or that it had none, and is compared as it was given.
        let is_known = submission.id.is_some_and(|id| kept.dossier.find(id).is_some());
        if let (Some(member), Some(ages), Work::Given(_), false) =
            (subject.member(), &self.ages, &draft.request.work, is_known)
        {
            ages.fill_age(member, submission.occurred_at, &mut submission.event);
        }
        let with = Circumstances {
            actor: draft.request.actor.clone(),
            now,
            fresh_id: clock::new_event_id(),
            previous: kept.last_hash(),
        };
        match decide(&kept.dossier, submission, subject, with)? {
            Decision::Known(recorded) => {
                let position = kept.position(&recorded);
                // Known is what stood before this request, also where a request of the same round has just brought it.
                let known = draft.events.iter().all(|drafted| drafted.id != recorded.envelope.id);
                draft.receipts.push(receipt(&recorded.envelope, position, known));
            }
            Decision::Record(envelope) => {
                draft.receipts.push(receipt(&envelope, NOT_YET, false));
                let drafted = file(kept, *envelope)?;
                self.histories.reserved.note(drafted.id, subject);
                draft.events.push(drafted);
            }
        }
        Ok(())
    }
}

pub(super) fn stay_all(requests: Vec<Request>, cause: &str) {
    for request in requests {
        _ = request.reply.send(Err(RecordError::Stayed { cause: cause.to_owned() }));
    }
}
