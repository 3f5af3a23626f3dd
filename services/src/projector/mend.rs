//! Making some members' rows anew from the log alone: after a program that could not read an event comes one that can.

use std::collections::{BTreeMap, BTreeSet};

use rollbook_events::families::who::Who;
use rollbook_events::{Event, MemberId, Position, Subject};
use rollbook_projections::Recorded;
use rollbook_projections::refold::refold;
use rollbook_projections::store::write::{Step, Stuck};
use tokio::sync::oneshot;

use super::broken::BROKE_OFF;
use super::{Projector, ProjectorError, recorded};

/// Members that may be one person with one another: many more than any person has pseudonyms.
const MOST_LINKED: usize = 500;

/// How it is told that a member's rows were made anew and every event is in them.
pub const REBUILT: &str = "rebuilt";

/// Members whose rows are to be made anew.
#[derive(Debug)]
pub(super) struct Mend {
    /// Whose, and with them those of everybody who was ever linked with them.
    pub(super) members: Vec<MemberId>,
    /// Whether to write only where it helps: where the member then no longer stands still.
    pub(super) only_where_it_helps: bool,
    /// What became of each.
    pub(super) answer: oneshot::Sender<Vec<(MemberId, Mended)>>,
}

/// What became of a member's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mended {
    /// They are as a rebuild of everything would have made them, of so many pseudonyms and events.
    Whole { members: usize, events: usize },
    /// So are they, up to an event that still cannot be read or folded.
    UpTo { position: Position, cause: String },
    /// Nothing was changed.
    Not { cause: String },
}

impl std::fmt::Display for Mended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole { members: 1, events } => write!(f, "{REBUILT} from {events} events"),
            Self::Whole { members, events } => write!(f, "{REBUILT} from {events} events of {members} linked members"),
            Self::UpTo { position, cause } => write!(f, "stands still at position {position}: {cause}"),
            Self::Not { cause } => write!(f, "nothing was done: {cause}"),
        }
    }
}

/// Everything the log holds of some members, up to a position.
#[derive(Default)]
struct Gathered {
    members: BTreeSet<MemberId>,
    events: Vec<Recorded>,
    stuck: Vec<Stuck>,
}

impl Projector {
    /// Makes members' rows anew; whether any were written.
    pub(super) async fn mend(&self, mend: Mend, position: Position) -> Result<bool, ProjectorError> {
        let mut done: BTreeMap<MemberId, Mended> = BTreeMap::new();
        let mut written = false;
        for member in mend.members {
            // One who was linked with another has been made anew with that one.
            if !done.contains_key(&member) {
                written |= self.mend_one(member, mend.only_where_it_helps, position, &mut done).await?;
            }
        }
        // Whoever asked may have gone; the rows are mended all the same.
        _ = mend.answer.send(done.into_iter().collect());
        Ok(written)
    }

    async fn mend_one(
        &self,
        member: MemberId,
        only_where_it_helps: bool,
        position: Position,
        done: &mut BTreeMap<MemberId, Mended>,
    ) -> Result<bool, ProjectorError> {
        let Gathered { members, events, stuck } = self.gather(member, position).await?;
        let not = |cause: String| Mended::Not { cause };
        if members.len() > MOST_LINKED {
            done.insert(member, not(format!("more than {MOST_LINKED} members are linked: rebuild everything")));
            return Ok(false);
        }
        if events.is_empty() && stuck.is_empty() {
            done.insert(member, not("the log holds nothing of this member".to_owned()));
            return Ok(false);
        }
        let count = events.len();
        let rulebooks = self.db.rulebooks(position).await?;
        let folding = std::panic::AssertUnwindSafe(|| refold(rulebooks, events, stuck));
        let Ok(refolded) = std::panic::catch_unwind(folding) else {
            done.insert(member, not(BROKE_OFF.to_owned()));
            return Ok(false);
        };
        let refolded = refolded?;
        let standing = refolded.stuck.iter().find(|stuck| stuck.member == member);
        let mended = match standing {
            Some(Stuck { position, cause, .. }) => Mended::UpTo { position: *position, cause: cause.clone() },
            None => Mended::Whole { members: members.len(), events: count },
        };
        if only_where_it_helps && standing.is_some() {
            done.insert(member, mended);
            return Ok(false);
        }
        let step = Step { from: position, to: position, recorded_at: None, term: self.term };
        match self.db.replace(&members, &refolded.changes, &refolded.stuck, step).await {
            Err(rollbook_projections::store::StoreError::Fenced { .. }) => return Err(ProjectorError::Moved),
            replaced => replaced?,
        }
        tracing::info!(members = members.len(), events = count, "members' rows were made anew from the log");
        for of in members {
            let stuck = refolded.stuck.iter().find(|stuck| stuck.member == of);
            let told = stuck.map(|stuck| Mended::UpTo { position: stuck.position, cause: stuck.cause.clone() });
            done.insert(of, told.unwrap_or_else(|| mended.clone()));
        }
        done.insert(member, mended);
        Ok(true)
    }

    /// Reads a member's events from the stream, through the upcasts, and those of everybody who was ever linked with them.
    async fn gather(&self, member: MemberId, up_to: Position) -> Result<Gathered, ProjectorError> {
        let mut gathered = Gathered::default();
        let mut waiting = vec![member];
        while let Some(next) = waiting.pop() {
            if !gathered.members.insert(next) || gathered.members.len() > MOST_LINKED {
                continue;
            }
            waiting.extend(self.db.ever_linked(next).await?);
            for stored in self.log.read(&format!("enrollment.{}", Subject::Member(next))).await? {
                if stored.position > up_to {
                    break;
                }
                match recorded(&stored) {
                    Ok(event) => {
                        waiting.extend(other(&event));
                        gathered.events.push(event);
                    }
                    Err(error) => {
                        // What comes after it is not read, as in a rebuild of everything.
                        let stuck = Stuck { member: next, position: stored.position, cause: error.to_string() };
                        gathered.stuck.push(stuck);
                        break;
                    }
                }
            }
        }
        Ok(gathered)
    }
}

/// Whom an event links with its member, or parts from.
fn other(event: &Recorded) -> Option<MemberId> {
    let Event::Who(who) = &event.envelope.event else { return None };
    match who {
        Who::MemberLinked(link) => Some(link.other),
        Who::MemberUnlinked(unlink) => Some(unlink.other),
        Who::MemberDied(_) | Who::HousingObserved(_) => None,
    }
}
