//! A generation of the views that is built beside the live one: how far it is, and when it may become live.

use std::time::Duration;

use rollbook_events::Position;
use rollbook_projections::store::control::Generation;
use rollbook_projections::store::{Control, Db, StoreError};
use tokio::task::JoinHandle;

use super::compare::{Compared, compare};
use super::tend::Running;
use super::{Phase, Status};

/// How long the generation may take from having caught up to where the live one has come since.
const MOST_CATCHING_UP: Duration = Duration::from_secs(5);

/// A generation on its way.
pub(super) struct Building {
    running: Running,
    comparing: Option<JoinHandle<Result<Compared, StoreError>>>,
    compared: Option<Compared>,
}

impl Building {
    pub(super) fn new(running: Running) -> Self {
        Self { running, comparing: None, compared: None }
    }

    pub(super) fn number(&self) -> i64 {
        self.running.number
    }

    /// Gives it up; what it has written stays until it is dropped.
    pub(super) async fn end(self) {
        if let Some(comparing) = self.comparing {
            comparing.abort();
        }
        self.running.end().await;
    }

    /// Goes a step further and tells how far it is; whether it may become live.
    pub(super) async fn turn(&mut self, asked: &Generation, live: &Db, control: &Control) -> Result<bool, StoreError> {
        let status = self.running.status.borrow().clone();
        let mut now = Generation { position: status.position, head: status.head, ..asked.clone() };
        let mut ready = false;
        (now.stage, now.told) = if let Phase::Stopped { cause } = status.phase {
            ("failed".to_owned(), Some(cause))
        } else if self.comparing.is_none() && self.compared.is_none() && !caught_up(&status) {
            ("catching_up".to_owned(), None)
        } else if asked.back {
            ready = true;
            ("switching".to_owned(), None)
        } else if let Some(compared) = self.compared(live).await? {
            ready = compared.differences.is_empty() || asked.accepted;
            let stage = if ready { "switching" } else { "differs" };
            (stage.to_owned(), Some(compared.to_string()))
        } else {
            ("comparing".to_owned(), None)
        };
        if now != *asked {
            control.tell(&now).await?;
        }
        Ok(ready)
    }

    /// What the comparison came to, once it is over. Both generations go on meanwhile: what they held at a position stays.
    async fn compared(&mut self, live: &Db) -> Result<Option<&Compared>, StoreError> {
        match &self.comparing {
            None if self.compared.is_none() => {
                let (one, other) = (live.clone(), self.running.db.clone());
                let at = one.checkpoint().await?.position.min(other.checkpoint().await?.position);
                self.comparing = Some(tokio::spawn(async move { compare(&one, &other, at).await }));
            }
            Some(comparing) if comparing.is_finished() => {
                if let Some(comparing) = self.comparing.take()
                    && let Ok(compared) = comparing.await
                {
                    self.compared = Some(compared?);
                }
            }
            None | Some(_) => {}
        }
        Ok(self.compared.as_ref())
    }

    /// Waits until it holds what another generation held.
    pub(super) async fn reaches(&self, position: Position) -> bool {
        let mut status = self.running.status.clone();
        let there = status.wait_for(|status| status.position >= position);
        matches!(tokio::time::timeout(MOST_CATCHING_UP, there).await, Ok(Ok(_)))
    }
}

fn caught_up(status: &Status) -> bool {
    status.phase == Phase::Following && status.gap() == 0
}
