//! The rules' numbers and pairs, as data.

/// A rulebook.
#[derive(Debug, Clone)]
pub struct Rulebook {}
