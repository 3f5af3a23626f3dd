//! The fold of some members alone, from their first event to a position: what a rebuild of everything would have made of
//! them, rulebooks adopted on the way included.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_events::{MemberId, Position, Subject};

use crate::changes::Changes;
use crate::dossier::{Dossier, Recorded};
use crate::fold::{Fold, FoldError};
use crate::links::Links;
use crate::store::write::Stuck;

/// Every row of some members, and which of them stand still.
#[derive(Debug)]
pub struct Refolded {
    /// Their rows and links; nothing of anybody else, and nothing to close.
    pub changes: Changes,
    /// Those whose events could not all be folded.
    pub stuck: Vec<Stuck>,
}

/// Folds all events of some members under the rulebooks that were in force, each at its position.
///
/// They must be whole groups: everybody who was ever linked with one of them. `stuck` names the events that cannot be read.
///
/// # Errors
/// Where the fold of everything would stop.
pub fn refold(rulebooks: Vec<Recorded>, events: Vec<Recorded>, stuck: Vec<Stuck>) -> Result<Refolded, FoldError> {
    let mut stuck: BTreeMap<MemberId, Stuck> = stuck.into_iter().map(|stuck| (stuck.member, stuck)).collect();
    let mut fold = Fold::new(None, Dossier::default(), Links::default());
    let mut folded: Vec<Recorded> = Vec::new();
    let mut people: BTreeSet<MemberId> = BTreeSet::new();
    let mut all = rulebooks;
    all.extend(events);
    all.sort_by_key(|recorded| recorded.position);
    for recorded in all {
        let Subject::Member(member) = recorded.envelope.subject else {
            adopt(&mut fold, recorded, &people, &folded)?;
            continue;
        };
        if stuck.get(&member).is_some_and(|stuck| stuck.position <= recorded.position) {
            continue;
        }
        loop {
            let wanting = fold.wanting(std::slice::from_ref(&recorded));
            if wanting.is_empty() {
                break;
            }
            fold.hold(&wanting, of(&folded, &wanting));
        }
        let position = recorded.position;
        match fold.apply(recorded.clone()) {
            Ok(()) => {
                people.insert(member);
                folded.push(recorded);
            }
            Err(error @ FoldError::BrokenChain(_)) => {
                stuck.insert(member, Stuck { member, position, cause: error.to_string() });
            }
            Err(error) => return Err(error),
        }
    }
    let mut changes = fold.take_changes();
    for view in &mut changes.views {
        // The rulebooks have their own rows already.
        view.opened.retain(|opened| opened.row.member.is_some());
    }
    Ok(Refolded { changes, stuck: stuck.into_values().collect() })
}

fn adopt(
    fold: &mut Fold,
    recorded: Recorded,
    people: &BTreeSet<MemberId>,
    folded: &[Recorded],
) -> Result<(), FoldError> {
    let (former, at): (_, Position) = (fold.rulebook().cloned(), recorded.position);
    fold.apply(recorded)?;
    if let Some(former) = former {
        fold.rederive(&former, people, folded.to_vec(), at);
    }
    Ok(())
}

fn of(events: &[Recorded], members: &BTreeSet<MemberId>) -> Vec<Recorded> {
    let theirs = |event: &&Recorded| event.envelope.subject.member().is_some_and(|member| members.contains(&member));
    events.iter().filter(theirs).cloned().collect()
}
