//! What the holder of the lease does: keeps the live generation up to date, and does what is asked of the views: members'
//! rows made anew, a generation built beside the live one, another one dropped.

use std::sync::Arc;
use std::time::Duration;

use rollbook_events::MemberId;
use rollbook_projections::store::control::{Generation, Role};
use rollbook_projections::store::lease::Lease;
use rollbook_projections::store::{Db, StoreError, Views};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::building::Building;
use super::mend::{Mend, Mended};
use super::{Phase, Projector, Status};
use crate::error_chain::chain;
use crate::log::Log;

/// How often it is looked what is asked for.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long the projector of a generation may take to end: a write under way is given up at once.
const MOST_ENDING: Duration = Duration::from_secs(5);
/// How long the making anew of some members' rows may take.
const MOST_MENDING: Duration = Duration::from_secs(120);

/// A projector of one generation that runs as a task of its own.
pub(super) struct Running {
    pub(super) number: i64,
    pub(super) db: Db,
    pub(super) status: watch::Receiver<Status>,
    mends: mpsc::Sender<Mend>,
    task: JoinHandle<()>,
    ending: CancellationToken,
}

impl Running {
    /// Ends it, and waits until it has ended.
    pub(super) async fn end(self) {
        self.ending.cancel();
        _ = tokio::time::timeout(MOST_ENDING, self.task).await;
    }
}

/// The holder of the lease at work.
pub(super) struct Tend {
    pub(super) log: Arc<dyn Log>,
    pub(super) views: Views,
    pub(super) lease: Lease,
    status: watch::Sender<Status>,
    live: Option<Running>,
    building: Option<Building>,
}

impl Tend {
    pub(super) fn new(log: Arc<dyn Log>, views: Views, lease: Lease, status: watch::Sender<Status>) -> Self {
        Self { log, views, lease, status, live: None, building: None }
    }

    /// Works until told to end.
    pub(super) async fn run(mut self, ending: &CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = ending.cancelled() => break,
            }
            let turn = tokio::select! {
                turn = self.turn(ending) => turn,
                () = ending.cancelled() => break,
            };
            match turn {
                Ok(()) => {}
                Err(StoreError::Fenced { .. }) => {
                    tracing::warn!(term = self.lease.term, "a later projector writes these views");
                    break;
                }
                Err(error) => self.wait(chain(&error)),
            }
        }
        if let Some(building) = self.building.take() {
            building.end().await;
        }
        if let Some(live) = self.live.take() {
            live.end().await;
        }
    }

    /// What cannot be done now is said where nothing else is.
    fn wait(&self, cause: String) {
        tracing::warn!(cause, "what is asked of the views cannot be done now");
        if self.live.is_none() {
            self.status.send_modify(|status| status.phase = Phase::Waiting { cause });
        }
    }

    async fn turn(&mut self, ending: &CancellationToken) -> Result<(), StoreError> {
        if self.live.as_ref().is_some_and(|live| live.task.is_finished()) {
            // It ends by itself only where it broke off; health must not go on telling what it last said.
            self.live = None;
            self.wait("the projector broke off; its log says where".to_owned());
            return Ok(());
        }
        if self.live.is_none() {
            self.start_live(ending).await?;
        }
        let generations = self.views.control().generations().await?;
        self.build(&generations, ending).await?;
        for dropping in generations.iter().filter(|generation| generation.role == Role::Dropping) {
            self.views.drop_generation(dropping.number).await?;
            tracing::info!(generation = dropping.number, "old views were dropped");
        }
        let asked = self.views.control().members_asked().await?;
        if !asked.is_empty() {
            for (member, mended) in self.mend(asked, false).await {
                self.views.control().answer_member(member, &mended.to_string()).await?;
            }
        }
        Ok(())
    }

    /// Starts on the live generation, and tries again whatever an earlier program could not read.
    async fn start_live(&mut self, ending: &CancellationToken) -> Result<(), StoreError> {
        self.views.look().await?;
        let live = self.views.live();
        let running = self.start(live.number(), live.db(), self.status.clone(), ending).await?;
        let stuck: Vec<MemberId> = running.db.stuck_from().await?.into_keys().collect();
        self.live = Some(running);
        if !stuck.is_empty() {
            for (_, mended) in self.mend(stuck, true).await {
                tracing::info!(%mended, "a member whose views stood still was tried again");
            }
        }
        Ok(())
    }

    /// Starts a projector on a generation, after which no holder of an earlier term can write there.
    pub(super) async fn start(
        &self,
        number: i64,
        db: Db,
        status: watch::Sender<Status>,
        ending: &CancellationToken,
    ) -> Result<Running, StoreError> {
        db.fence(self.lease.term).await?;
        let watched = status.subscribe();
        let (projector, mends) = Projector::under(self.log.clone(), db.clone(), self.lease.term, status);
        let ending = ending.child_token();
        let task = tokio::spawn(projector.run(ending.clone()));
        Ok(Running { number, db, status: watched, mends, task, ending })
    }

    /// Asks the live projector to make members' rows anew, between two of its own batches.
    async fn mend(&self, members: Vec<MemberId>, only_where_it_helps: bool) -> Vec<(MemberId, Mended)> {
        let Some(live) = &self.live else { return Vec::new() };
        if let Phase::Stopped { cause } = &live.status.borrow().phase {
            return members.into_iter().map(|member| (member, Mended::Not { cause: cause.clone() })).collect();
        }
        let (answer, answered) = oneshot::channel();
        let mend = Mend { members: members.clone(), only_where_it_helps, answer };
        let asked = async {
            live.mends.send(mend).await.ok()?;
            answered.await.ok()
        };
        match tokio::time::timeout(MOST_MENDING, asked).await {
            Ok(Some(answers)) => answers.into_iter().filter(|(member, _)| members.contains(member)).collect(),
            // The projector began again, or stands still as a whole: nothing is known to be done.
            Ok(None) | Err(_) => {
                let cause = "the projector could not do it now; ask again".to_owned();
                members.into_iter().map(|member| (member, Mended::Not { cause: cause.clone() })).collect()
            }
        }
    }

    async fn build(&mut self, generations: &[Generation], ending: &CancellationToken) -> Result<(), StoreError> {
        let asked = generations.iter().find(|generation| generation.role == Role::Building);
        if let Some(building) = self.building.take_if(|building| Some(building.number()) != asked.map(|of| of.number)) {
            tracing::warn!(generation = building.number(), "a rebuild of the views was given up");
            building.end().await;
        }
        let Some(asked) = asked else { return Ok(()) };
        if self.building.is_none() {
            let db = self.views.generation(asked.number).await?;
            let (status, _) = watch::channel(Status::default());
            let running = self.start(asked.number, db, status, ending).await?;
            tracing::info!(generation = asked.number, "views are built beside the live ones");
            self.building = Some(Building::new(running));
        }
        let (Some(building), Some(live)) = (&mut self.building, &self.live) else { return Ok(()) };
        if building.turn(asked, &live.db, self.views.control()).await? {
            self.switch(asked.number, ending).await?;
        }
        Ok(())
    }

    /// Makes what was built live: the old projector ends, the new generation comes as far as the old one had come, and then
    /// all processes are told at once.
    async fn switch(&mut self, number: i64, ending: &CancellationToken) -> Result<(), StoreError> {
        let Some(live) = self.live.take() else { return Ok(()) };
        let old = live.db.clone();
        live.end().await;
        let held = old.checkpoint().await?.position;
        let Some(building) = self.building.take() else { return Ok(()) };
        let reached = building.reaches(held).await;
        building.end().await;
        if reached && self.views.switch(number, &self.lease).await? {
            tracing::warn!(generation = number, "the views were switched");
        }
        self.start_live(ending).await
    }
}
