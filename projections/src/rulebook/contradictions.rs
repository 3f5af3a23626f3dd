//! What follows where the sources contradict each other (domain rules A17).

use std::collections::BTreeMap;

/// A plan's own word by the contradiction's id, as `CON-1`; the ledger's own is `review`.
pub type Contradictions = BTreeMap<String, String>;
