//! What the recorder must know of people without asking the identity stream each time: whether an identity is news, and
//! when somebody was born. It is a fold of `IDENTITY`, kept in memory and followed live.

mod known;

use std::collections::HashMap;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use rollbook_events::identity::{Identity, IdentityRecorded, IdentitySource};
use rollbook_events::{Event, EventId, MemberId, Occurred, Position};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::known::{Known, Statement};

use crate::clock;
use crate::failpoint;
use crate::health::{Forbids, Health};
use crate::log::{AppendError, Log, MOST_IN_A_BATCH, Message, ReadError, Stored};

/// Makes an identity's event id of what it says, so that the same statement is the same event.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f4f_6a52_3e6d_4c0b_9d5e_2b1a_7c90_41ee);

/// How long the follower waits before it follows again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How long the index may take to hold what the stream holds.
const CATCHING_UP: Duration = Duration::from_secs(120);

/// A stream of identities with a hole; it stands until the program is started again.
const HOLE: &str = "identity_hole";

/// The index. Cheap to clone.
#[derive(Clone)]
pub struct IdentityIndex {
    log: Arc<dyn Log>,
    known: Arc<RwLock<Known>>,
    position: watch::Receiver<Position>,
}

impl std::fmt::Debug for IdentityIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdentityIndex").finish_non_exhaustive()
    }
}

/// What the index says of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// It says something new.
    New,
    /// It was said, in the same file.
    SaidHere,
    /// It was said before.
    Said,
}

/// A statement of a file about somebody.
#[derive(Debug, Clone)]
pub struct Told {
    /// Whom.
    pub member: MemberId,
    /// What.
    pub identity: Identity,
    /// Where.
    pub source: IdentitySource,
}

impl IdentityIndex {
    /// Reads the stream and follows it until cancelled.
    ///
    /// # Errors
    /// Where the stream cannot be read.
    pub async fn follow(log: Arc<dyn Log>, health: Health, cancelled: CancellationToken) -> Result<Self, ReadError> {
        let known: Arc<RwLock<Known>> = Arc::default();
        let (reached, position) = watch::channel(Position(0));
        let mut stream = log.follow(Position(0)).await?;
        let (filled, followed) = (known.clone(), log.clone());
        tokio::spawn(async move {
            let mut last = Position(0);
            loop {
                let next = tokio::select! { next = stream.next() => next, () = cancelled.cancelled() => return };
                match next {
                    Some(Ok(stored)) => {
                        match serde_json::from_slice::<IdentityRecorded>(&stored.body) {
                            Ok(recorded) => note(&filled, recorded.member, &recorded.identity, &recorded.source),
                            Err(_) => tracing::error!(position = stored.position.0, "an identity cannot be read"),
                        }
                        last = stored.position;
                        _ = reached.send(last);
                    }
                    ended => {
                        let error = ended.and_then(Result::err);
                        if let Some(hole @ (ReadError::Hole { .. } | ReadError::Behind { .. })) = &error {
                            let cause =
                                format!("of the identities: {hole}; restore them from the archive (rollbook restore)");
                            health.red(HOLE, cause, Forbids::Recording, clock::now());
                        }
                        let error = error.map(|error| error.to_string());
                        tracing::warn!(error, "the identity stream is followed again from where it was");
                        match again(&*followed, last, &cancelled).await {
                            Some(followed) => stream = followed,
                            None => return,
                        }
                    }
                }
            }
        });
        Ok(Self { log, known, position })
    }

    /// Waits until the index holds what the stream holds now.
    ///
    /// # Errors
    /// Where the stream cannot be read.
    pub async fn caught_up(&self) -> Result<(), ReadError> {
        let head = self.log.head().await?;
        let mut position = self.position.clone();
        // Over a hole it never comes to the end.
        let reached = tokio::time::timeout(CATCHING_UP, position.wait_for(|position| *position >= head)).await;
        match reached {
            Ok(reached) => reached.map(|_| ()).map_err(ReadError::unavailable),
            Err(elapsed) => Err(ReadError::unavailable(elapsed)),
        }
    }

    /// Whether a statement is news.
    pub fn news(&self, told: &Told) -> News {
        let statement = Statement::of(&told.identity, &told.source);
        let Ok(known) = self.known.read() else { return News::New };
        known.news(told.member, &told.source.system, &statement)
    }

    /// Records what is news of these statements, in order; on disk when it answers.
    ///
    /// # Errors
    /// Where the stream cannot be written.
    pub async fn record(&self, told: &[Told]) -> Result<Vec<News>, AppendError> {
        let mut messages: Vec<Message> = Vec::new();
        let mut new: Vec<&Told> = Vec::new();
        let mut all = Vec::with_capacity(told.len());
        let mut here: HashMap<(MemberId, &str), Statement> = HashMap::new();
        for told in told {
            let statement = Statement::of(&told.identity, &told.source);
            let news = match here.get(&(told.member, told.source.system.as_str())) {
                Some(said) => statement.after(said),
                None => self.news(told),
            };
            all.push(news);
            if news == News::New {
                here.insert((told.member, &told.source.system), statement);
                messages.push(message(told)?);
                new.push(told);
            }
        }
        for (chunk, told) in messages.chunks(MOST_IN_A_BATCH).zip(new.chunks(MOST_IN_A_BATCH)) {
            failpoint!("identity.before_append");
            self.log.append(chunk).await?;
            failpoint!("identity.after_append");
            // Known only once it is on disk, so that nobody else is answered on what may yet fail.
            told.iter().for_each(|told| note(&self.known, told.member, &told.identity, &told.source));
        }
        Ok(all)
    }

    /// Sets the age that a kind asks for and its submission leaves out, for the civil day it speaks of.
    pub fn fill_age(&self, member: MemberId, occurred_at: Occurred, event: &mut Event) {
        let Event::Referral(referral) = event else { return };
        let Some(age @ None) = referral.age_years_mut() else { return };
        let born_on = self.known.read().ok().and_then(|known| known.born_on(member));
        if let Some(born_on) = born_on {
            *age = occurred_at.day().years_since(born_on).and_then(|years| u8::try_from(years).ok());
        }
    }
}

/// Follows the stream again from a position, as often as it takes; none where that was cancelled.
async fn again(
    log: &dyn Log,
    after: Position,
    cancelled: &CancellationToken,
) -> Option<BoxStream<'static, Result<Stored, ReadError>>> {
    loop {
        tokio::select! {
            () = tokio::time::sleep(AGAIN_AFTER) => {}
            () = cancelled.cancelled() => return None,
        }
        match log.follow(after).await {
            Ok(stream) => return Some(stream),
            Err(error) => tracing::warn!(error = %error, "the identity stream cannot be followed yet"),
        }
    }
}

fn message(told: &Told) -> Result<Message, AppendError> {
    let row = told.source.row.unwrap_or(0);
    let name = format!("{}|{}|{row}", told.member, Statement::of(&told.identity, &told.source).name(&told.source));
    let recorded = IdentityRecorded {
        id: EventId(Uuid::new_v5(&NAMESPACE, name.as_bytes())),
        member: told.member,
        recorded_at: rollbook_events::Instant::new(clock::now().fixed_offset()),
        source: told.source.clone(),
        identity: told.identity.clone(),
    };
    let body = serde_json::to_vec(&recorded).map_err(|error| AppendError::Unavailable { source: Box::new(error) })?;
    Ok(Message {
        subject: format!("identity.{}", told.member),
        // Not the identity's own id: said again within the server's memory of ids, it would meet another body under it.
        id: clock::new_event_id().to_string(),
        expected: None,
        headers: Vec::new(),
        body: Bytes::from(body),
    })
}

fn note(known: &RwLock<Known>, member: MemberId, identity: &Identity, source: &IdentitySource) {
    let Ok(mut known) = known.write() else { return };
    known.note(member, identity, source);
}
