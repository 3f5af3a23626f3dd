//! Who may project: of all projectors of a database the one that holds its lease. The others stand by and take over in
//! seconds. The lease says who should write; the term in the views' checkpoint is what keeps others from writing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rollbook_projections::store::lease::Lease;
use rollbook_projections::store::{Control, StoreError, Views};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::outside::{LOOK_EVERY, Outside};
use super::tend::Tend;
use super::{Phase, Status};
use crate::clock;
use crate::error_chain::chain;
use crate::log::Log;

/// How long the lease lasts where its holder no longer renews it.
const LASTS: Duration = Duration::from_secs(4);
/// How often its holder renews it.
const RENEW_EVERY: Duration = Duration::from_secs(1);
/// Looks of a standby between two tries to take the lease.
const LOOKS_BETWEEN_TRIES: u32 = 8;

/// A projector that projects while it holds the lease, and stands by while another does.
pub struct Lead {
    log: Arc<dyn Log>,
    views: Views,
    holder: String,
    status: watch::Sender<Status>,
}

impl std::fmt::Debug for Lead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lead").field("holder", &self.holder).finish_non_exhaustive()
    }
}

impl Lead {
    /// A projector under an id of its own, and where its status can be watched. The same id takes up its own lease at once:
    /// it may be kept for the next run only where two runs at once are impossible.
    pub fn new(log: Arc<dyn Log>, views: Views, holder: String) -> (Self, watch::Receiver<Status>) {
        let (status, watched) = watch::channel(Status::default());
        (Self { log, views, holder, status }, watched)
    }

    /// Runs until cancelled, and then gives the lease back.
    pub async fn run(self, cancelled: CancellationToken) {
        while let Some(lease) = self.stand_by(&cancelled).await {
            tracing::info!(term = lease.term, "this projector writes the views");
            let ending = cancelled.child_token();
            let renewing = tokio::spawn(renew(self.views.control().clone(), lease.clone(), ending.clone()));
            Tend::new(self.log.clone(), self.views.clone(), lease.clone(), self.status.clone()).run(&ending).await;
            ending.cancel();
            _ = renewing.await;
            if let Err(error) = self.views.control().give_lease_back(&lease).await {
                tracing::warn!(
                    cause = chain(&error),
                    "the projector's lease was not given back: it runs out by itself"
                );
            }
        }
    }

    /// Follows the views as another writes them, until the lease is had or nobody wants it any more.
    async fn stand_by(&self, cancelled: &CancellationToken) -> Option<Lease> {
        let mut outside = Outside::new(self.log.clone(), self.views.live().clone());
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        let mut looks: u32 = 0;
        let mut phase = Phase::Starting;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = cancelled.cancelled() => return None,
            }
            if looks.is_multiple_of(LOOKS_BETWEEN_TRIES) {
                phase = match self.try_to_take().await {
                    Ok(Ok(lease)) => return Some(lease),
                    Ok(Err(phase)) => phase,
                    Err(error) => Phase::Waiting { cause: chain(&error) },
                };
            }
            looks = looks.wrapping_add(1);
            outside.look(&self.status, phase.clone()).await;
        }
    }

    async fn try_to_take(&self) -> Result<Result<Lease, Phase>, StoreError> {
        let control = self.views.control();
        if let Some(lease) = control.take_lease(&self.holder, now_ms(), millis(LASTS)).await? {
            return Ok(Ok(lease));
        }
        let holder = control.lease().await?.map(|lease| lease.holder);
        Ok(Err(holder.map_or(Phase::Starting, |holder| Phase::Standby { holder })))
    }
}

/// Renews the lease until told to end; ends everything where it is lost, or may be.
async fn renew(control: Control, lease: Lease, ending: CancellationToken) {
    let mut ticks = tokio::time::interval(RENEW_EVERY);
    let mut renewed = Instant::now();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = ending.cancelled() => return,
        }
        let asked = Instant::now();
        let left = LASTS.saturating_sub(renewed.elapsed());
        match tokio::time::timeout(left, control.renew_lease(&lease, now_ms(), millis(LASTS))).await {
            Ok(Ok(true)) => renewed = asked,
            Ok(Ok(false)) => {
                tracing::warn!(term = lease.term, "another projector has taken the lease");
                return ending.cancel();
            }
            Ok(Err(error)) if renewed.elapsed() < LASTS => {
                tracing::warn!(cause = chain(&error), "the projector's lease could not be renewed");
            }
            Ok(Err(_)) | Err(_) => {
                tracing::error!(term = lease.term, "the projector's lease could not be renewed in time");
                return ending.cancel();
            }
        }
    }
}

fn now_ms() -> i64 {
    clock::now().timestamp_millis()
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
