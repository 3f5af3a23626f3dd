//! Assertions that were shown, remembered for as long as they could be shown again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};

use super::refused::Refused;

/// Assertions remembered at once. Each lives five minutes at most, and a client's rate is bounded.
const MOST: usize = 100_000;

/// Which assertions were shown: a client's name for each, until when it would hold.
#[derive(Debug, Default)]
pub(super) struct Shown(Mutex<HashMap<(String, String), i64>>);

impl Shown {
    /// Takes an assertion, once.
    ///
    /// # Errors
    /// Where it was shown before, or too many are remembered to remember this one.
    pub fn once(&self, client: &str, id: &str, expires: i64, now: DateTime<Utc>) -> Result<(), Refused> {
        self.once_of(MOST, client, id, expires, now)
    }

    fn once_of(&self, most: usize, client: &str, id: &str, expires: i64, now: DateTime<Utc>) -> Result<(), Refused> {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (client.to_owned(), id.to_owned());
        if shown.contains_key(&key) {
            return Err(Refused::Replayed);
        }
        if shown.len() >= most {
            // One that has expired is refused for that, whoever remembers it.
            shown.retain(|_, expires| *expires > now.timestamp());
            if shown.len() >= most {
                return Err(Refused::Full);
            }
        }
        shown.insert(key, expires);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assertion_is_good_once_and_forgotten_when_it_holds_no_more() {
        let (shown, at) = (Shown::default(), |second| DateTime::from_timestamp(second, 0).unwrap());
        assert_eq!(shown.once_of(2, "a", "1", 100, at(1)), Ok(()));
        assert_eq!(shown.once_of(2, "a", "1", 100, at(1)), Err(Refused::Replayed));
        assert_eq!(shown.once_of(2, "b", "1", 100, at(1)), Ok(()));
        assert_eq!(shown.once_of(2, "a", "2", 100, at(99)), Err(Refused::Full));
        assert_eq!(shown.once_of(2, "a", "2", 300, at(100)), Ok(()));
        assert_eq!(shown.once_of(2, "a", "2", 300, at(100)), Err(Refused::Replayed));
    }
}
