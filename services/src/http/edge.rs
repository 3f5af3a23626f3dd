//! What a handler is given: the running ledger, and the rulebooks that were in force.

use std::ops::Deref;
use std::sync::{Arc, Mutex};

use rollbook_events::families::rules::Rules;
use rollbook_events::{Event, Position};
use rollbook_projections::Rulebook;

use super::cursor::Seal;
use super::problem::Problem;
use crate::app::App;

/// Rulebooks kept understood; a ledger adopts a few a year.
const MOST_RULEBOOKS: usize = 16;

/// The running ledger as handlers see it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Edge {
    /// Shared, because each layer around a handler makes a copy of what it is given.
    app: Arc<App>,
    /// What seals cursors.
    pub seal: Arc<Seal>,
    rulebooks: Arc<Mutex<Vec<Held>>>,
}

/// A rulebook and the positions it is known to be in force between.
#[derive(Debug, Clone)]
struct Held {
    from: Position,
    seen: Position,
    rulebook: Arc<Rulebook>,
}

impl Deref for Edge {
    type Target = App;
    fn deref(&self) -> &App {
        &self.app
    }
}

impl Edge {
    /// Over a running ledger.
    pub fn new(app: App) -> Self {
        let seal = Arc::new(Seal::of(&app.key));
        Self { app: Arc::new(app), seal, rulebooks: Arc::default() }
    }

    /// The rulebook in force at a position, which the views have reached; none before the first.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn rulebook_at(&self, position: Position) -> Result<Option<Arc<Rulebook>>, Problem> {
        if let Some(known) = self.held(|held| (held.from..=held.seen).contains(&position)) {
            return Ok(Some(known));
        }
        let Some(adopted) = self.db.rulebooks(position).await?.pop() else { return Ok(None) };
        let Event::Rules(Rules::RulebookAdopted(event)) = &adopted.envelope.event else { return Ok(None) };
        let rulebook = match self.held(|held| held.from == adopted.position) {
            Some(known) => known,
            None => Arc::new(Rulebook::parse(event.text.as_str()).map_err(|error| Problem::internal(&error))?),
        };
        self.hold(Held { from: adopted.position, seen: position, rulebook: rulebook.clone() });
        Ok(Some(rulebook))
    }

    fn held(&self, is: impl Fn(&Held) -> bool) -> Option<Arc<Rulebook>> {
        let held = self.rulebooks.lock().ok()?;
        held.iter().find(|held| is(held)).map(|held| held.rulebook.clone())
    }

    fn hold(&self, new: Held) {
        // A poisoned list only means that the rulebook is read again.
        let Ok(mut held) = self.rulebooks.lock() else { return };
        match held.iter_mut().find(|held| held.from == new.from) {
            Some(known) => known.seen = known.seen.max(new.seen),
            None => {
                if held.len() == MOST_RULEBOOKS {
                    held.remove(0);
                }
                held.push(new);
            }
        }
    }
}
