//! What is recorded of each call, before it and after it, and what the last record says of where its subscription stands; pure.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The longest pause between two calls for one event.
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(2);

/// How often an event is called for before it is given up, and how long is waited in between: four times as long each time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// Calls for one event.
    pub attempts: u32,
    /// The pause after the first one.
    pub first_pause: TimeDelta,
}

impl Default for Retries {
    /// Eight calls within some four hours.
    fn default() -> Self {
        Self { attempts: 8, first_pause: TimeDelta::seconds(5) }
    }
}

impl Retries {
    /// How long after a call that failed the next one is made.
    pub fn pause(&self, attempt: u32) -> TimeDelta {
        let times = 4_i32.checked_pow(attempt.saturating_sub(1).min(15));
        times
            .and_then(|times| self.first_pause.checked_mul(times))
            .map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE))
    }
}

/// How long a call that was begun and of which nothing more is known is left to its sender.
const LEFT_ALONE: TimeDelta = TimeDelta::seconds(30);

/// What a record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A call is about to be made.
    Begun,
    /// It was answered with 2xx.
    Delivered,
    /// It was not: it is made again.
    Failed,
    /// It was not, and is not made again.
    GivenUp,
    /// An operator wants a stretch once more.
    ReplayAsked,
}

/// A stretch of numbers that is called for once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Span {
    /// The next one.
    #[schema(minimum = 1)]
    pub next: u64,
    /// The last one.
    #[schema(minimum = 1)]
    pub last: u64,
}

/// A record of the stream of attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Attempt {
    /// The subscription.
    pub subscription: String,
    /// What happened.
    pub what: What,
    /// When.
    pub at: DateTime<Utc>,
    /// Which sender it was: an id that means nothing but whether it is the same.
    pub sender: String,
    /// The number of the message in its plan's feed.
    #[schema(minimum = 0)]
    pub number: u64,
    /// Which call for it, from 1.
    #[schema(minimum = 0)]
    pub attempt: u32,
    /// The status of the answer, where there was one.
    pub status: Option<u16>,
    /// What went wrong, where something did.
    pub problem: Option<String>,
    /// Every message up to this number is delivered, given up, or not asked for.
    #[schema(minimum = 0)]
    pub settled: u64,
    /// What is called for once more, before anything new.
    pub replay: Option<Span>,
    /// Messages given up so far.
    #[schema(minimum = 0)]
    pub given_up: u64,
}

/// Where a subscription stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Everything up to this number is settled.
    pub settled: u64,
    /// What is called for once more first.
    pub replay: Option<Span>,
    /// The message that was called for and is not settled, how often, and from when on it may be again.
    pub trying: Option<(u64, u32, DateTime<Utc>)>,
    /// Messages given up so far.
    pub given_up: u64,
}

impl State {
    /// A subscription that nobody was called for yet begins with what comes after this number.
    pub fn beginning(settled: u64) -> Self {
        Self { settled, replay: None, trying: None, given_up: 0 }
    }

    /// As the last record has it, for a sender of this id.
    pub fn of(last: &Attempt, sender: &str, retries: &Retries) -> Self {
        let trying = match last.what {
            // Its outcome is not known; one's own is lost with the process that made it.
            What::Begun => {
                let until = if last.sender == sender { last.at } else { last.at + LEFT_ALONE };
                Some((last.number, last.attempt, until))
            }
            What::Failed => Some((last.number, last.attempt, last.at + retries.pause(last.attempt))),
            What::Delivered | What::GivenUp | What::ReplayAsked => None,
        };
        Self { settled: last.settled, replay: last.replay, trying, given_up: last.given_up }
    }

    /// With a message settled.
    #[must_use]
    pub fn settle(mut self, number: u64) -> Self {
        self.trying = None;
        match self.replay {
            Some(span) if number >= span.next => {
                self.replay = (number < span.last).then_some(Span { next: number + 1, ..span });
            }
            Some(_) | None => self.settled = self.settled.max(number),
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(what: What) -> Attempt {
        Attempt {
            subscription: "a".into(),
            what,
            at: DateTime::from_timestamp(1_000, 0).unwrap(),
            sender: "me".into(),
            number: 5,
            attempt: 2,
            status: None,
            problem: None,
            settled: 4,
            replay: None,
            given_up: 1,
        }
    }

    #[test]
    fn a_call_of_another_sender_is_left_to_it_for_a_while() {
        let until = |what, sender| {
            State::of(&last(what), sender, &Retries::default()).trying.map(|(_, _, until)| until.timestamp())
        };
        assert_eq!([until(What::Begun, "me"), until(What::Begun, "other")], [Some(1_000), Some(1_030)]);
        assert_eq!([until(What::Failed, "me"), until(What::Failed, "other")], [Some(1_020); 2]);
        assert_eq!(until(What::Delivered, "me"), None);
    }

    #[test]
    fn a_stretch_is_called_for_once_more_before_what_is_new() {
        let mut state = State { replay: Some(Span { next: 2, last: 3 }), ..State::beginning(9) };
        state = state.settle(2);
        assert_eq!((state.replay, state.settled), (Some(Span { next: 3, last: 3 }), 9));
        state = state.settle(3);
        assert_eq!((state.replay, state.settled), (None, 9));
        assert_eq!(state.settle(10).settled, 10);
    }

    #[test]
    fn pauses_grow_and_have_an_end() {
        let retries = Retries::default();
        assert_eq!(retries.pause(1), TimeDelta::seconds(5));
        assert!((1..10).all(|n| retries.pause(n) <= retries.pause(n + 1)) && retries.pause(100) == TimeDelta::hours(2));
    }
}
