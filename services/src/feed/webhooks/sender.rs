//! The sender of one subscription: follows the feed from what is settled, calls, and records each try before and after it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use rollbook_events::Position;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::address::Allowed;
use super::attempt::{Attempt, Retries, Span, State, What};
use super::call::call;
use super::settings::{Settings, Subscription};
use super::status::Report;
use crate::clock;
use crate::error_chain::chain;
use crate::feed::error::FeedError;
use crate::feed::{Feed, Heard};
use crate::log::{AppendError, Log, Message};

/// How often a sender with nothing to do looks whether somebody else has recorded something.
const LOOK_EVERY: Duration = Duration::from_secs(2);

const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Calls for one subscription.
#[derive(Clone)]
pub struct Sender {
    of: Subscription,
    allowed: Allowed,
    retries: Retries,
    feed: Feed,
    attempts: Attempts,
    report: Report,
    id: String,
}

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("subscription", &self.of.name).finish_non_exhaustive()
    }
}

/// The stream of attempts.
#[derive(Clone)]
pub struct Attempts(Arc<dyn Log>);

impl std::fmt::Debug for Attempts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempts").finish_non_exhaustive()
    }
}

/// Why a sender stopped.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The feed cannot be read.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// An attempt cannot be recorded: without that, nobody is called.
    #[error("an attempt could not be recorded")]
    Record(#[from] AppendError),
    /// The last attempt cannot be read.
    #[error("the last attempt could not be read")]
    Read(#[from] crate::log::ReadError),
    /// The last attempt is none that this program understands.
    #[error("the last attempt cannot be understood")]
    Json(#[from] serde_json::Error),
}

impl Attempts {
    /// On this stream.
    pub fn new(log: Arc<dyn Log>) -> Self {
        Self(log)
    }

    /// The last record of a subscription, and its position.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn last(&self, subscription: &str) -> Result<(Position, Option<Attempt>), SendError> {
        let Some(stored) = self.0.last(&format!("attempt.{subscription}")).await? else {
            return Ok((Position(0), None));
        };
        Ok((stored.position, Some(serde_json::from_slice(&stored.body)?)))
    }

    /// Records, if the last record is still the one at `after`.
    ///
    /// # Errors
    /// [`AppendError::Conflict`] where another one was first.
    pub async fn record(&self, after: Position, attempt: &Attempt) -> Result<Position, SendError> {
        let message = Message {
            subject: format!("attempt.{}", attempt.subscription),
            id: clock::new_event_id().to_string(),
            expected: Some(after),
            headers: Vec::new(),
            body: Bytes::from(serde_json::to_vec(attempt)?),
        };
        Ok(self.0.append(&[message]).await?.first().copied().unwrap_or_default())
    }

    /// Asks for a stretch to be called for once more; none where the subscription was never called.
    ///
    /// # Errors
    /// Where that cannot be recorded, also because a call was recorded at the same moment: ask again.
    pub async fn replay(&self, subscription: &str, span: Span) -> Result<Option<Attempt>, SendError> {
        let (after, last) = self.last(subscription).await?;
        let Some(last) = last else { return Ok(None) };
        // What is not settled is called for in its turn.
        let span = Span { last: span.last.min(last.settled), ..span };
        let replay = (span.next <= span.last).then_some(span);
        let asked = Attempt { what: What::ReplayAsked, at: clock::now(), status: None, problem: None, replay, ..last };
        self.record(after, &asked).await?;
        Ok(Some(asked))
    }
}

impl Sender {
    /// For a subscription, from this feed.
    pub fn new(settings: &Settings, of: Subscription, feed: Feed, attempts: Attempts, report: Report) -> Self {
        let id = clock::new_event_id().to_string();
        report.is(&of.name, of.plan.as_str());
        Self { of, allowed: settings.allowed.clone(), retries: settings.retries, feed, attempts, report, id }
    }

    /// Calls until cancelled. Whatever goes wrong is told and tried again.
    pub async fn run(self, cancelled: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        loop {
            let ended = tokio::select! {
                ended = self.turn() => ended,
                () = cancelled.cancelled() => return,
            };
            let wait = match ended {
                Ok(()) => {
                    pause = FIRST_PAUSE;
                    continue;
                }
                // Another sender, or an operator, was first: what it recorded is read.
                Err(SendError::Record(AppendError::Conflict { .. })) => FIRST_PAUSE,
                Err(error) => {
                    tracing::warn!(
                        subscription = self.of.name,
                        error = chain(&error),
                        "a webhook cannot be called yet"
                    );
                    self.report.trouble(&self.of.name, &chain(&error));
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    pause
                }
            };
            tokio::select! {
                () = sleep(wait) => {}
                () = cancelled.cancelled() => return,
            }
        }
    }

    /// Calls for one message after another, from where the subscription stands, until somebody else records something.
    async fn turn(&self) -> Result<(), SendError> {
        let (mut at, last) = self.attempts.last(&self.of.name).await?;
        let mut state = match &last {
            Some(last) => State::of(last, &self.id, &self.retries),
            None => self.begin(&mut at).await?,
        };
        if let Some(last) = &last {
            self.report.recorded(last);
        }
        let mut messages = None;
        loop {
            if let Some((_, _, until)) = state.trying
                && until > clock::now()
            {
                return self.rest_until(at, until).await;
            }
            let heard = match (state.replay, state.trying) {
                (_, Some((number, _, _))) => self.feed.numbered(&self.of.plan, number).await?,
                (Some(span), None) => self.feed.numbered(&self.of.plan, span.next).await?,
                (None, None) => {
                    if messages.is_none() {
                        let after = self.feed.after(&self.of.plan, state.settled).await?.ok_or(FeedError::Moved)?;
                        messages = Some(self.feed.follow(&self.of.plan, after).await?);
                    }
                    let Some(following) = messages.as_mut() else { return Ok(()) };
                    match timeout(LOOK_EVERY, following.next()).await {
                        Ok(heard) => Some(heard.ok_or(FeedError::Ended)??),
                        Err(_) if self.attempts.last(&self.of.name).await?.0 == at => continue,
                        Err(_) => return Ok(()),
                    }
                }
            };
            // A replay may name what a feed made anew does not hold.
            let heard = heard.ok_or(FeedError::Moved)?;
            state = if self.wants(&heard) {
                self.deliver(&mut at, state, &heard).await?
            } else {
                state.settle(heard.standing.number)
            };
            if state.trying.is_some() {
                messages = None;
            }
        }
    }

    /// A new subscription begins with what comes after it: its first record says so.
    async fn begin(&self, at: &mut Position) -> Result<State, SendError> {
        let settled = self.feed.last(&self.of.plan).await?.map_or(0, |last| last.standing.number);
        let state = State::beginning(settled);
        *at = self.record(*at, What::Delivered, &state, settled, 0, Ok(None)).await?;
        Ok(state)
    }

    fn wants(&self, heard: &Heard) -> bool {
        self.of.kinds.as_ref().is_none_or(|kinds| kinds.contains(heard.kind.as_str()))
    }

    /// Calls for a message once, with a record before and one after.
    async fn deliver(&self, at: &mut Position, state: State, heard: &Heard) -> Result<State, SendError> {
        let number = heard.standing.number;
        let attempt = state.trying.map_or(0, |(_, attempt, _)| attempt) + 1;
        *at = self.record(*at, What::Begun, &state, number, attempt, Ok(None)).await?;
        let called = call(&self.of, &self.allowed, heard, clock::now()).await;
        let again = attempt < self.retries.attempts;
        let outcome = match (&called, again) {
            (Ok(_), _) => "delivered",
            (Err(_), true) => "failed",
            (Err(_), false) => "given_up",
        };
        metrics::counter!("rollbook_webhook_attempts_total", "outcome" => outcome).increment(1);
        match called {
            Ok(status) => {
                let state = state.settle(number);
                *at = self.record(*at, What::Delivered, &state, number, attempt, Ok(Some(status))).await?;
                Ok(state)
            }
            Err(error) if again => {
                let failed = Err((error.status(), chain(&error)));
                *at = self.record(*at, What::Failed, &state, number, attempt, failed).await?;
                let until = clock::now() + self.retries.pause(attempt);
                Ok(State { trying: Some((number, attempt, until)), ..state })
            }
            Err(error) => {
                tracing::error!(subscription = self.of.name, number, error = chain(&error), "a webhook is given up");
                let state = state.settle(number);
                let state = State { given_up: state.given_up + 1, ..state };
                let failed = Err((error.status(), chain(&error)));
                *at = self.record(*at, What::GivenUp, &state, number, attempt, failed).await?;
                Ok(state)
            }
        }
    }

    async fn record(
        &self,
        after: Position,
        what: What,
        state: &State,
        number: u64,
        attempt: u32,
        answer: Result<Option<u16>, (Option<u16>, String)>,
    ) -> Result<Position, SendError> {
        let (status, problem) = match answer {
            Ok(status) => (status, None),
            Err((status, problem)) => (status, Some(problem)),
        };
        let attempt = Attempt {
            subscription: self.of.name.clone(),
            what,
            at: clock::now(),
            sender: self.id.clone(),
            number,
            attempt,
            status,
            problem,
            settled: state.settled,
            replay: state.replay,
            given_up: state.given_up,
        };
        let position = self.attempts.record(after, &attempt).await?;
        self.report.recorded(&attempt);
        Ok(position)
    }

    /// Waits for the next try, or for a record of somebody else.
    async fn rest_until(&self, at: Position, until: DateTime<Utc>) -> Result<(), SendError> {
        while let Ok(rest) = (until - clock::now()).to_std() {
            sleep(rest.min(LOOK_EVERY)).await;
            if self.attempts.last(&self.of.name).await?.0 != at {
                break;
            }
        }
        Ok(())
    }
}
