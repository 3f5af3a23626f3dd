//! How much of a row is shown: the source of sensitive events, and numbers that are too small.

use rollbook_events::Sensitivity;

use super::Purpose;
use super::counts::LEAST_CELL;
use crate::caller::{Caller, Role};

/// How much of what is seen is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    /// Sensitivities whose events show that something came out, and not from where.
    withheld: Vec<Sensitivity>,
    /// The least number that is shown of a sum, where small ones are not.
    least_cell: Option<i64>,
}

impl Fields {
    /// What a caller is shown for a purpose.
    pub(super) fn of(caller: &Caller, purpose: Option<Purpose>) -> Self {
        let in_a_proceeding = purpose == Some(Purpose::LegalProceeding);
        let shown = |of: Sensitivity| {
            let never = in_a_proceeding && of == Sensitivity::Part2;
            !never && (caller.role == Role::Owner || caller.rights.cover(of))
        };
        let withheld = Sensitivity::ALL.iter().copied().filter(|of| !shown(*of)).collect();
        let least_cell = (caller.role == Role::PlanReporting).then_some(LEAST_CELL);
        Self { withheld, least_cell }
    }

    /// Whether an event of this sensitivity is shown whole: its payload, its source and its actor.
    pub fn shows(&self, of: Sensitivity) -> bool {
        !self.withheld.contains(&of)
    }

    /// The same of the sensitivity as a row writes it; what nobody knows is withheld.
    pub fn shows_written(&self, of: &str) -> bool {
        Sensitivity::ALL.iter().any(|known| known.as_str() == of && self.shows(*known))
    }

    /// The least number that is shown of a sum, where smaller ones are not.
    pub const fn least_cell(&self) -> Option<i64> {
        self.least_cell
    }

    /// A text that two share only where they show the same.
    pub(super) fn name(&self) -> String {
        let withheld: Vec<&str> = self.withheld.iter().map(|of| of.as_str()).collect();
        format!("without {} least {:?}", withheld.join(","), self.least_cell)
    }
}
