//! Tokens that were verified a moment ago: a caller shows the same one thousands of times, and its signature is the same each time.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use rollbook_events::Hash;

use super::Verified;

/// Tokens remembered; past it all are forgotten, and verified anew when they are shown again.
const MOST: usize = 4_096;

/// By the hash of a token, what it was found to be. What may change meanwhile is looked at each time all the same.
#[derive(Debug, Default)]
pub(super) struct Seen(RwLock<HashMap<Hash, Arc<Verified>>>);

impl Seen {
    pub fn get(&self, token: &Hash) -> Option<Arc<Verified>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(token).cloned()
    }

    pub fn keep(&self, token: Hash, verified: Arc<Verified>) {
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.clear();
        }
        seen.insert(token, verified);
    }

    pub fn forget(&self, token: &Hash) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(token);
    }
}
