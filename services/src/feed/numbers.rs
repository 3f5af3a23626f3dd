//! The fold of the log to the feed, pure: which number each event has in the feed of its plan, and the receipt after it.

use std::collections::BTreeMap;

use bytes::Bytes;
use rollbook_events::{PlanCode, Position};

use super::receipt::{HEADER, Receipt};
use super::told::{Told, Untellable};
use crate::log::Record;

/// Where the feed of a plan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The number of its last message; 0 before the first.
    pub number: u64,
    /// The receipt after it.
    pub receipt: Receipt,
}

impl Standing {
    /// Before a plan's first message.
    pub fn beginning() -> Self {
        Self { number: 0, receipt: Receipt::beginning() }
    }
}

/// Where the feeds of all plans stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Numbers(BTreeMap<PlanCode, Standing>);

impl Numbers {
    /// Before the first message.
    pub fn none() -> Self {
        Self::default()
    }

    /// With a plan whose feed stands there.
    pub fn put(&mut self, plan: PlanCode, standing: Standing) {
        self.0.insert(plan, standing);
    }

    /// Where a plan's feed stands.
    pub fn of(&self, plan: &PlanCode) -> Standing {
        self.0.get(plan).copied().unwrap_or_else(Standing::beginning)
    }

    /// The messages of all feeds together.
    pub fn all(&self) -> u64 {
        self.0.values().map(|standing| standing.number).sum()
    }

    /// The message of the event at the next position.
    ///
    /// # Errors
    /// Where the event cannot be told; the numbers are as they were.
    pub fn tell(&mut self, position: Position, stored: &[u8]) -> Result<Record, Untellable> {
        let told = Told::read(stored)?;
        let before = self.of(&told.plan);
        let number = before.number + 1;
        let body = told.body(position, number);
        let receipt = before.receipt.then(&body);
        let subject = told.subject();
        self.put(told.plan, Standing { number, receipt });
        let headers = vec![(HEADER.to_owned(), receipt.to_string())];
        Ok(Record { position, subject, stored_at: 0, id: String::new(), headers, body: Bytes::from(body) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn event(plan: &str, n: u64) -> Vec<u8> {
        json!({ "id": n, "type": "rollbook.enrolled.v1", "plan": plan, "data": { "n": n } }).to_string().into_bytes()
    }

    #[test]
    fn each_plan_counts_for_itself_and_one_that_cannot_be_told_takes_no_number() {
        let mut numbers = Numbers::none();
        let mut told = |position, stored: &[u8]| {
            let record = numbers.tell(Position(position), stored)?;
            let body: Value = serde_json::from_slice(&record.body).unwrap();
            Ok::<_, Untellable>((record.subject, body["feednumber"].as_u64().unwrap()))
        };
        assert_eq!(told(1, &event("la-care", 1)), Ok(("feed.la-care.enrolled".to_owned(), 1)));
        assert_eq!(told(2, &event("molina", 2)), Ok(("feed.molina.enrolled".to_owned(), 1)));
        assert_eq!(told(3, b"{}"), Err(Untellable::Attribute { name: "plan" }));
        assert_eq!(told(3, &event("la-care", 3)), Ok(("feed.la-care.enrolled".to_owned(), 2)));
        assert_eq!(numbers.all(), 3);
    }

    proptest! {
        /// Wherever a publisher begins anew, it goes on as if it had never stopped.
        #[test]
        fn the_feed_is_a_function_of_the_log(plans in prop::collection::vec(0..4_u8, 1..60), stops in prop::collection::vec(0..60_usize, 0..5)) {
            let all: Vec<Vec<u8>> = plans.iter().zip(1..).map(|(plan, n)| event(&format!("plan-{plan}"), n)).collect();
            let (mut once, mut again) = (Numbers::none(), Numbers::none());
            let mut last: BTreeMap<String, (PlanCode, Standing)> = BTreeMap::new();
            for (index, (stored, position)) in all.iter().zip(1..).enumerate() {
                if stops.contains(&index) {
                    // All that is kept is the last message of each plan.
                    again = Numbers::none();
                    for (plan, standing) in last.values() {
                        again.put(plan.clone(), *standing);
                    }
                }
                let record = once.tell(Position(position), stored).unwrap();
                prop_assert_eq!(&record, &again.tell(Position(position), stored).unwrap());
                let body: Value = serde_json::from_slice(&record.body).unwrap();
                let plan: PlanCode = body["plan"].as_str().unwrap().parse().unwrap();
                let receipt = record.headers[0].1.parse().unwrap();
                let number = body["feednumber"].as_u64().unwrap();
                last.insert(plan.to_string(), (plan, Standing { number, receipt }));
            }
        }
    }
}
