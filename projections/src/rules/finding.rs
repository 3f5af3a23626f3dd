//! What a finding is: something a reader must look at, with the days it concerns and the events it rests on.

use chrono::NaiveDate;
use rollbook_events::{Envelope, EventId, Program};

use super::facts::Facts;

/// Something a reader must look at. The days are of the matter itself, never of its being late "now".
#[derive(Debug, Clone)]
pub struct Finding<'a> {
    /// Its code, one of [`CODES`].
    pub code: &'static str,
    /// The rule of the catalogue that says so.
    pub rule: &'a str,
    /// The event whose record it is: plan, county and member are its.
    pub of: &'a Envelope,
    /// The program it is about.
    pub program: Option<Program>,
    /// What tells it from others of its code, program and plan: an enrollment, an authorization, a day.
    pub about: String,
    /// First day.
    pub from: NaiveDate,
    /// First day no longer; none while it stands.
    pub until: Option<NaiveDate>,
    /// The events it rests on, in the order they happened.
    pub because: Vec<EventId>,
}

/// A rule that finds something: pure, from the facts alone.
pub type Find = for<'a> fn(&Facts<'a>) -> Vec<Finding<'a>>;

/// A code and what it says, as `rollbook rulebook --findings` prints them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The code.
    pub code: &'static str,
    /// What it says.
    pub says: &'static str,
}

/// Every code, in the order of the alphabet.
pub const CODES: &[Code] = &[];
