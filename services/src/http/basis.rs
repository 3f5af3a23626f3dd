//! What an answer rests on: a position that its rows really have, how far that is behind, and the rulebook in force there.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use rollbook_events::{MemberId, Position, pacific_day};
use rollbook_projections::{Dossier, Rulebook};

use super::cursor::Cursor;
use super::edge::Edge;
use super::params::AsOf;
use super::problem::{Kind, Problem};
use super::values::KnownAt;
use crate::clock;
use crate::policy::Scope;

/// How long the log may take to say where it ends.
const LOG_TIMEOUT: Duration = Duration::from_secs(3);
/// How often the checkpoint is looked at while the projector begins again.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What an answer rests on.
#[derive(Debug, Clone)]
pub struct Basis {
    /// The position that the rows are known at.
    pub position: Position,
    /// How far the views are behind the log.
    pub lag_ms: u64,
    /// The rulebook in force at the position.
    pub rulebook: Option<Arc<Rulebook>>,
    /// Whether the views stood at just this position.
    pub newest: bool,
    /// The civil day in California on which it is asked, which decides what is active where no day is named.
    pub today: NaiveDate,
}

impl Basis {
    /// Waits for what is asked for and finds the position to answer at.
    ///
    /// # Errors
    /// Where the views are not there in time, or cannot be read.
    pub async fn of(edge: &Edge, as_of: &AsOf, cursor: Option<&Cursor>) -> Result<Self, Problem> {
        wait(edge, as_of).await?;
        let asked = match (cursor, as_of.known_at) {
            (Some(cursor), _) => Some(cursor.position),
            (None, Some(KnownAt::Position(position))) => Some(position),
            (None, Some(KnownAt::Instant(instant))) => Some(edge.db.position_at(instant).await?),
            (None, None) => None,
        };
        let checkpoint = edge.db.checkpoint().await?.position;
        let position = asked.unwrap_or(checkpoint);
        if position > checkpoint {
            within_the_log(edge, position).await?;
            return Err(Problem::behind(position, checkpoint));
        }
        let now = clock::now();
        let lag_ms = edge.status.borrow().lag_ms(now);
        Ok(Self {
            position,
            lag_ms,
            today: pacific_day(&now),
            rulebook: edge.rulebook_at(position).await?,
            newest: position == checkpoint,
        })
    }

    /// The rulebook's hash.
    pub fn rulebook_hash(&self) -> Option<String> {
        self.rulebook.as_ref().map(|rulebook| rulebook.hash().to_string())
    }

    /// Everybody who is one person with a member, as known at the position.
    ///
    /// # Errors
    /// Where the views cannot be read.
    pub async fn group(&self, edge: &Edge, scope: &Scope, member: MemberId) -> Result<BTreeSet<MemberId>, Problem> {
        let group = edge.db.links(self.position).await?.group(member);
        // Who is one person with somebody is told to those alone who know the one they ask for.
        let seen = self.seen(edge, scope, &group).await?;
        Ok(if seen.contains(&member) { group } else { BTreeSet::from([member]) })
    }

    /// Those of some members whom the scope knows; who sees everything knows everybody.
    ///
    /// # Errors
    /// Where the views cannot be read.
    pub async fn seen(
        &self,
        edge: &Edge,
        scope: &Scope,
        members: &BTreeSet<MemberId>,
    ) -> Result<BTreeSet<MemberId>, Problem> {
        if scope.sight().is_everything() {
            return Ok(members.clone());
        }
        Ok(edge.db.seen(scope.sight(), members).await?)
    }

    /// Everything that a scope shows, known at the position, of everybody who is one person with a member.
    ///
    /// # Errors
    /// Where the views cannot be read.
    pub async fn dossier(&self, edge: &Edge, scope: &Scope, member: MemberId) -> Result<Dossier, Problem> {
        let mut dossier = Dossier::default();
        let events = edge.db.events_of(scope.sight(), &self.group(edge, scope, member).await?).await?;
        events.into_iter().filter(|event| event.position <= self.position).for_each(|event| dossier.apply(event));
        Ok(dossier)
    }

    /// Whether the views still stand at the position, or behind it because they were emptied meanwhile.
    ///
    /// # Errors
    /// Where they were emptied, so that what was read may lack rows.
    pub async fn still(&self, edge: &Edge) -> Result<bool, Problem> {
        let now = edge.db.checkpoint().await?.position;
        if now < self.position {
            return Err(Problem::new(Kind::Rebuilding, "the views are being built again; see /v1/status"));
        }
        Ok(now == self.position)
    }
}

async fn wait(edge: &Edge, as_of: &AsOf) -> Result<(), Problem> {
    let Some(place) = as_of.at_least else { return Ok(()) };
    // What is there needs no waiting, be the time for it as short as it may.
    if edge.db.checkpoint().await?.position >= place.0 {
        return Ok(());
    }
    within_the_log(edge, place.0).await?;
    let mut status = edge.status.clone();
    let reached = async {
        loop {
            status.wait_for(|status| status.position >= place.0).await.ok()?;
            // Where the views were just emptied, the projector may not have noticed yet.
            if edge.db.checkpoint().await.ok()?.position >= place.0 {
                return Some(());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    match tokio::time::timeout(as_of.patience(), reached).await {
        Ok(Some(())) => Ok(()),
        // The projector ended, or the time is up.
        Ok(None) | Err(_) => Err(Problem::behind(place.0, edge.db.checkpoint().await?.position)),
    }
}

/// Refuses a position that the log does not have. The log itself is asked: another recorder may have written it just now.
async fn within_the_log(edge: &Edge, asked: Position) -> Result<(), Problem> {
    match tokio::time::timeout(LOG_TIMEOUT, edge.log.head()).await {
        Ok(Ok(last)) if last < asked => Err(Problem::log_ends_before(asked, last)),
        // Where the log does not say where it ends, the position may well be there.
        Ok(Ok(_) | Err(_)) | Err(_) => Ok(()),
    }
}
