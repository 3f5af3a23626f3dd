//! The feed side by side with the log: it is a function of it, so each message must be what a publisher would write there.

use std::collections::BTreeMap;

use rollbook_events::{PlanCode, Position};
use tokio::sync::mpsc;

use super::finding::{Report, Told};
use super::walk::{Step, walk};
use crate::archive::Record;
use crate::error_chain::chain;
use crate::feed::error::AGAIN;
use crate::feed::numbers::Numbers;
use crate::feed::receipt::HEADER;
use crate::log::{Log, NatsLog, ReadError, SettingsError, StreamSpec};

const PLACE: &str = StreamSpec::FEED.name;

/// Compares every message of the feed with the log's event at its position. A ledger without a feed has none to compare.
pub(super) async fn verify(
    log: &NatsLog,
    feed: &NatsLog,
    report: &mut Report,
    told: &mut Told<'_>,
) -> Result<(), ReadError> {
    match feed.check().await {
        Ok(()) => report.checked(PLACE, "settings", 1),
        // Said of the log already.
        Err(SettingsError::NotChecked) => {}
        Err(SettingsError::Unavailable { source }) => return Err(ReadError::Unavailable { source }),
        Err(SettingsError::NoStream { .. }) => {
            report.note("there is no stream ENROLLMENT_FEED: nothing is published");
            return Ok(());
        }
        Err(error @ (SettingsError::TooOld { .. } | SettingsError::Drift { .. } | SettingsError::Missing { .. })) => {
            report.found(PLACE, error.to_string(), AGAIN);
        }
    }
    // The feed first: what is published meanwhile, the log held before.
    let end = feed.head().await?;
    let head = log.head().await?;
    if end > head {
        report.found(PLACE, format!("ends at position {end}, and the log at {head}"), AGAIN);
    } else if end < head {
        report.note(format!("the feed stands at position {end} of {head}"));
    }
    let both = end.min(head);
    let (mut events, mut messages) = (Side::of(log, both), Side::of(feed, both));
    let mut comparison = Comparison::default();
    for position in 1..=both.0 {
        let (event, message) = (events.at(position).await?, messages.at(position).await?);
        let Some(event) = event else {
            report.note(format!("the feed was compared up to position {}: there the log cannot be read", position - 1));
            break;
        };
        match comparison.next(Position(position), &event.body, message.as_ref()) {
            Ok(None) => {}
            Ok(Some(what)) => report.found(PLACE, what, AGAIN),
            Err(cause) => {
                report.note(format!("the feed was compared up to position {}: {cause}", position - 1));
                break;
            }
        }
        if position % 1_000 == 0 || position == both.0 {
            told(PLACE, position, both.0);
        }
    }
    comparison.finish(report);
    Ok(())
}

/// What was compared so far.
#[derive(Default)]
struct Comparison {
    numbers: Numbers,
    equal: u64,
    /// The last position of each plan.
    last: BTreeMap<PlanCode, Position>,
}

impl Comparison {
    /// Compares a message with the event at its position: what is wrong with it, by its plan, number and position.
    ///
    /// # Errors
    /// Where the event cannot be told, so that nobody knows what the messages after it should be.
    fn next(&mut self, position: Position, event: &[u8], found: Option<&Record>) -> Result<Option<String>, String> {
        let wanted = self.numbers.tell(position, event).map_err(|error| chain(&error))?;
        let plan = wanted.subject.split('.').nth(1).unwrap_or_default();
        let number = plan.parse().map_or(0, |plan: PlanCode| {
            let number = self.numbers.of(&plan).number;
            self.last.insert(plan, position);
            number
        });
        let of = |what: &str| Ok(Some(format!("message {number} of {plan}, at position {position}, {what}")));
        let receipt = |record: &Record| {
            let header = record.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(HEADER));
            header.map(|(_, receipt)| receipt.clone())
        };
        match found {
            None => of("is missing: gone, or damaged"),
            Some(found) if found.subject != wanted.subject => of("stands under another subject than its event's"),
            Some(found) if found.body != wanted.body => of("is not what the log's event says"),
            Some(found) if receipt(found) != receipt(&wanted) => of("has not the receipt that runs up to it"),
            Some(_) => {
                self.equal += 1;
                Ok(None)
            }
        }
    }

    /// Tells how many messages each plan has, with the receipt that a subscriber compares.
    fn finish(self, report: &mut Report) {
        report.checked(PLACE, "messages equal to the log's events", self.equal);
        for (plan, last) in self.last {
            let standing = self.numbers.of(&plan);
            let place = format!("feed of {plan} up to position {last}, receipt {}", standing.receipt);
            report.checked(place, "messages", standing.number);
        }
    }
}

/// A stream as it is walked through, position by position.
struct Side {
    steps: mpsc::Receiver<Result<Vec<Step>, ReadError>>,
    at_hand: std::iter::Peekable<std::vec::IntoIter<Step>>,
}

impl Side {
    fn of(log: &NatsLog, head: Position) -> Self {
        Self { steps: walk(log.clone(), head), at_hand: Vec::new().into_iter().peekable() }
    }

    /// The message at a position; none where it is missing. Positions are asked for in order.
    async fn at(&mut self, position: u64) -> Result<Option<Record>, ReadError> {
        loop {
            let ahead = |step: &Step| match step {
                Step::Message(record) => record.position.0 <= position,
                Step::Missing(_, to) => *to <= position,
            };
            match self.at_hand.peek() {
                Some(Step::Missing(from, to)) if *from <= position && position < *to => return Ok(None),
                Some(step) if !ahead(step) => return Ok(None),
                Some(_) => match self.at_hand.next() {
                    Some(Step::Message(record)) if record.position.0 == position => return Ok(Some(record)),
                    Some(Step::Missing(_, to)) if to == position => return Ok(None),
                    Some(_) | None => {}
                },
                None => match self.steps.recv().await {
                    Some(chunk) => self.at_hand = chunk?.into_iter().peekable(),
                    None => {
                        return Err(ReadError::unavailable(format!("the reading ended before position {position}")));
                    }
                },
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(plan: &str, n: u64) -> Vec<u8> {
        json!({ "id": n, "type": "rollbook.enrolled.v1", "plan": plan, "data": { "n": n } }).to_string().into_bytes()
    }

    /// What is found where one message of five is not as it was published.
    fn found(spoil: impl Fn(&mut Vec<Option<Record>>)) -> (Vec<String>, Report) {
        let plans = ["la-care", "molina", "la-care", "la-care", "molina"];
        let events: Vec<Vec<u8>> = plans.iter().zip(1..).map(|(plan, n)| event(plan, n)).collect();
        let mut numbers = Numbers::none();
        let told = events.iter().zip(1..).map(|(event, n)| numbers.tell(Position(n), event).ok());
        let mut feed: Vec<Option<Record>> = told.collect();
        spoil(&mut feed);
        let (mut comparison, mut report) = (Comparison::default(), Report::default());
        let found = events.iter().zip(&feed).zip(1..).filter_map(|((event, message), position)| {
            comparison.next(Position(position), event, message.as_ref()).unwrap()
        });
        let found = found.collect();
        comparison.finish(&mut report);
        (found, report)
    }

    #[test]
    fn what_differs_is_named_by_plan_number_and_position() {
        let (none, report) = found(|_| {});
        assert_eq!((none.len(), report.checked[0].count), (0, 5));
        let of = |index: usize| (report.checked[index].place.clone(), report.checked[index].count);
        assert!(of(1).0.starts_with("feed of la-care up to position 4, receipt ") && of(1).1 == 3, "{:?}", of(1));
        assert!(of(2).0.starts_with("feed of molina up to position 5, receipt ") && of(2).1 == 2, "{:?}", of(2));

        let third = "message 2 of la-care, at position 3, ";
        let missing = found(|feed| feed[2] = None).0;
        assert_eq!(missing, [format!("{third}is missing: gone, or damaged")]);
        let flipped = found(|feed| {
            let record = feed[2].as_mut().unwrap();
            let mut body = record.body.to_vec();
            body[20] ^= 1;
            record.body = body.into();
        });
        assert_eq!(flipped.0, [format!("{third}is not what the log's event says")]);
        assert_eq!(flipped.1.checked[0].count, 4, "those after it stand");
        let receipt = found(|feed| feed[2].as_mut().unwrap().headers.clear()).0;
        assert_eq!(receipt, [format!("{third}has not the receipt that runs up to it")]);
        let subject = found(|feed| feed[2].as_mut().unwrap().subject = "feed.molina.enrolled".to_owned()).0;
        assert_eq!(subject, [format!("{third}stands under another subject than its event's")]);
    }

    #[test]
    fn behind_an_event_that_cannot_be_told_nothing_is_compared() {
        assert!(Comparison::default().next(Position(1), b"{}", None).is_err());
    }
}
