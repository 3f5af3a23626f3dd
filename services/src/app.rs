//! What a running ledger is made of: the parts that the HTTP edge and the programs share.

use std::path::PathBuf;
use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;
use rollbook_projections::store::{Db, Views};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

use crate::access_log::AccessLog;
use crate::archive::status::Watched;
use crate::destruction::Destruction;
use crate::feed::webhooks::Webhooks;
use crate::feed::{Feed, Watched as FeedWatched};
use crate::health::Health;
use crate::http::Limits;
use crate::identity_index::IdentityIndex;
use crate::import::Importer;
use crate::ledger_key::LedgerKey;
use crate::log::Log;
use crate::projector::Status;
use crate::recorder::Recorder;
use crate::tokens::Tokens;

/// The parts of a running ledger. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The live generation of the views, as it was when this was made: each request has its own. What lives longer takes
    /// it from `views` each time.
    pub db: Db,
    /// The generations of the views.
    pub views: Views,
    /// What must come to its end before the database is closed.
    pub tasks: TaskTracker,
    /// How the projector stands; where it runs elsewhere, as read from the views.
    pub status: watch::Receiver<Status>,
    /// What is wrong now, and what that forbids.
    pub health: Health,
    /// How the archive stands, where this program archives.
    pub archive: Option<Watched>,
    /// How the feed stands, where this program publishes it.
    pub publishing: Option<FeedWatched>,
    /// The feed, where this program gives it.
    pub feed: Option<Feed>,
    /// The webhooks, where this program calls any.
    pub webhooks: Option<Webhooks>,
    /// The enrollment stream.
    pub log: Arc<dyn Log>,
    /// Where it is written down who is shown what.
    pub access: AccessLog,
    /// The stream that it is written to.
    pub accesses: Arc<dyn Log>,
    /// The recorder, where this program is one.
    pub recorder: Option<Recorder>,
    /// The importer of files, where this program records.
    pub importer: Option<Importer>,
    /// What is known of people, for deriving ages.
    pub identities: Option<IdentityIndex>,
    /// What destroys who a member is, where this program records.
    pub destruction: Option<Destruction>,
    /// From CIN to pseudonym.
    pub key: LedgerKey,
    /// Who may call.
    pub tokens: Tokens,
    /// How much they may ask.
    pub limits: Limits,
    /// What Prometheus reads.
    pub metrics: PrometheusHandle,
    /// Where this ledger keeps its files.
    pub data: PathBuf,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("data", &self.data).finish_non_exhaustive()
    }
}
