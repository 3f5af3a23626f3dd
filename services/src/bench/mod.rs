//! How fast the ledger is, measured side by side with what its disk, its server and its databases can do at most.
//!
//! Everything runs on loopback in a temporary folder: a private nats-server that flushes always, and each part of the
//! ledger as `rollbook serve`, a process of its own, so that what it costs is its own. A flush costs fortyfold more on one
//! machine or hour than on another, so figures are compared within a run, and what is compared is measured side by side.
//!
//! Reading order: [`Settings`], [`run`], then a file a group of figures; [`verdict`] says what they come to.

pub mod figure;
pub mod verdict;

mod append;
mod corpus;
mod feed;
mod filling;
mod ground;
mod lag;
mod postgres;
mod process;
mod project;
mod queries;
mod raw;
mod service;
mod verifying;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use append::Attempts;
use corpus::Corpus;
use figure::Figure;
use filling::MOST_BY_FILES;
use ground::Ground;
use queries::Asked;
use raw::RawStream;
use service::Service;

use crate::log::{Log as _, StreamSpec};

/// The figures, in the order they are measured.
pub const NAMES: [&str; 22] = [
    "flush",
    "import",
    "raw_publish",
    "raw_batch",
    "raw_sqlite",
    "raw_postgres",
    "fold",
    "project_sqlite",
    "project_postgres",
    "rebuild",
    "feed",
    "append_http_1",
    "append_http_8",
    "append_http_64",
    "append_same_member",
    "lag",
    "query_point",
    "query_point_known_at",
    "query_list",
    "query_known_at",
    "query_conversion",
    "verify",
];

/// The sizes that show how each figure grows.
pub const GROWTH: [u32; 3] = [10_000, 100_000, 1_000_000];

/// The clients of each figure of appends to different members.
const CLIENTS: [(&str, usize); 3] = [("append_http_1", 1), ("append_http_8", 8), ("append_http_64", 64)];
/// The clients that all append to one member.
const SAME_MEMBER: (&str, usize) = ("append_same_member", 8);
/// Events a second at which the lag is looked at.
const PACES: [u32; 2] = [100, 1_000];
const QUERIES: [&str; 5] = ["query_point", "query_point_known_at", "query_list", "query_known_at", "query_conversion"];

/// Events held at hand for what is measured without a ledger.
const CORPUS: u64 = 100_000;
/// How often a program that runs to its end is looked at for what it costs.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Members that are appended to and asked about.
const MOST_MEMBERS: usize = 50_000;
/// The views' database that the ledger itself uses.
const VIEWS: &str = "views.db";

/// Progress, for a person.
pub type Say<'s> = &'s (dyn Fn(&str) + Send + Sync);
/// Takes each figure as soon as it is there.
pub type Tell<'t> = &'t mut dyn FnMut(Figure) -> anyhow::Result<()>;

/// What is measured.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Members of each ledger that is measured, one ledger after the other.
    pub members: Vec<u32>,
    /// Which county.
    pub seed: u64,
    /// Figures to measure; all where none is named.
    pub only: Vec<String>,
    /// A PostgreSQL to use instead of one of its own; its tables of views are emptied.
    pub postgres: Option<String>,
    /// Where else than in the usual place PostgreSQL's programs may be.
    pub postgres_programs: Vec<PathBuf>,
    /// The nats-server; the one on `PATH` where none is named.
    pub nats_server: Option<PathBuf>,
}

impl Settings {
    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }

    fn wants_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.wants(name))
    }

    fn wants_postgres(&self) -> bool {
        self.wants_any(&["raw_postgres", "project_postgres"])
    }
}

/// Measures, ledger by ledger.
///
/// # Errors
/// Where a server does not start, or something that is measured fails: a figure of half of the work would be a lie.
pub async fn run(settings: &Settings, say: Say<'_>, tell: Tell<'_>) -> anyhow::Result<()> {
    for members in settings.members.iter().copied() {
        let ground = Ground::start(settings, say).await?;
        let ended = Run { settings, ground: &ground, members, say }.all(tell).await;
        ground.stop().await;
        ended?;
    }
    Ok(())
}

struct Run<'r> {
    settings: &'r Settings,
    ground: &'r Ground,
    members: u32,
    say: Say<'r>,
}

impl Run<'_> {
    async fn all(&self, tell: Tell<'_>) -> anyhow::Result<()> {
        if self.settings.wants("flush") {
            self.about("flush");
            tell(raw::flush(self.ground, self.members, 2_000, self.time(2))?)?;
        }
        if !NAMES.iter().any(|name| *name != "flush" && self.settings.wants(name)) {
            return Ok(());
        }
        self.fill(tell).await?;
        let corpus = Corpus::read(&self.ground.log(StreamSpec::ENROLLMENT).await?, CORPUS).await?;
        self.limits(&corpus, tell).await?;
        self.projections(&corpus, tell).await?;
        let members = corpus.members(MOST_MEMBERS);
        drop(corpus);
        self.appends(&members, tell).await?;
        self.questions(members, tell).await?;
        if self.settings.wants("verify") {
            self.about("verify");
            tell(verifying::verify(self.ground, &self.views(), self.members).await?)?;
        }
        Ok(())
    }

    fn about(&self, name: &str) {
        (self.say)(&format!("{name}, {} members", self.members));
    }

    /// So many seconds for a ledger that is worth measuring, less for a small one.
    fn time(&self, seconds: u64) -> Duration {
        let share = (f64::from(self.members) / 10_000.0).clamp(0.05, 1.0);
        Duration::from_secs(seconds).mul_f64(share)
    }

    fn views(&self) -> String {
        self.ground.sqlite(VIEWS)
    }

    /// A ledger of so many members, with views that hold all of it.
    async fn fill(&self, tell: Tell<'_>) -> anyhow::Result<()> {
        let recorder = Service::start(self.ground, "recorder", &self.views()).await?;
        let projector = Service::start(self.ground, "projector", &self.views()).await?;
        let times = self.members.div_ceil(MOST_BY_FILES);
        let (by_files, seed) = (self.members / times, self.settings.seed);
        let figure = filling::import(self.ground, &recorder, by_files, seed, self.say).await?;
        if self.settings.wants("import") {
            tell(Figure { members: self.members, ..figure }.and("members_by_files", by_files))?;
        }
        recorder.stop().await;
        if times > 1 {
            let log = self.ground.log(StreamSpec::ENROLLMENT).await?;
            filling::copy(&log, times - 1, self.say).await?;
        }
        self.about("the views catch up");
        projector.caught_up().await?;
        // Else every figure of the recorder would be one of its first sweep too, which an import leaves much to do.
        self.about("clocks that ran out are determined");
        let recorder = Service::start(self.ground, "recorder", &self.views()).await?;
        recorder.swept().await?;
        recorder.stop().await;
        projector.caught_up().await?;
        projector.stop().await;
        Ok(())
    }

    async fn limits(&self, corpus: &Corpus, tell: Tell<'_>) -> anyhow::Result<()> {
        if self.settings.wants_any(&["raw_publish", "raw_batch"]) {
            let raw = RawStream::make(self.ground).await?;
            if self.settings.wants("raw_publish") {
                self.about("raw_publish");
                tell(raw.publish(self.ground, corpus, self.members, self.time(5)).await?)?;
            }
            if self.settings.wants("raw_batch") {
                self.about("raw_batch");
                tell(raw.batches(self.ground, corpus, self.members, self.time(5)).await?)?;
            }
            raw.forget().await?;
        }
        if self.settings.wants("raw_sqlite") {
            self.about("raw_sqlite");
            let database = self.ground.sqlite("raw.db");
            tell(raw::table("raw_sqlite", &database, corpus, self.members).await?)?;
            self.ground.forget_sqlite("raw.db");
        }
        if let Some(database) = self.ground.postgres().filter(|_| self.settings.wants("raw_postgres")) {
            self.about("raw_postgres");
            tell(raw::table("raw_postgres", database, corpus, self.members).await?)?;
        }
        Ok(())
    }

    async fn projections(&self, corpus: &Corpus, tell: Tell<'_>) -> anyhow::Result<()> {
        if self.settings.wants("fold") {
            self.about("fold");
            tell(project::fold(corpus, self.members)?)?;
        }
        if self.settings.wants("project_sqlite") {
            self.about("project_sqlite");
            let database = self.ground.sqlite("again.db");
            tell(project::project("project_sqlite", self.ground, &database, self.members).await?)?;
            self.ground.forget_sqlite("again.db");
        }
        if let Some(database) = self.ground.postgres().filter(|_| self.settings.wants("project_postgres")) {
            self.about("project_postgres");
            tell(project::project("project_postgres", self.ground, database, self.members).await?)?;
        }
        if self.settings.wants("rebuild") {
            self.about("rebuild");
            tell(project::rebuild(self.ground, &self.views(), self.members).await?)?;
        }
        if self.settings.wants("feed") {
            self.about("feed");
            let head = self.ground.log(StreamSpec::ENROLLMENT).await?.head().await?.0;
            let plans = feed::plans(corpus);
            tell(feed::publish(self.ground, &self.views(), plans, head, self.members).await?)?;
        }
        Ok(())
    }

    async fn appends(&self, members: &[rollbook_events::MemberId], tell: Tell<'_>) -> anyhow::Result<()> {
        let all = Arc::new(Attempts::on(members.to_vec()));
        let wanted = CLIENTS.iter().copied().chain([SAME_MEMBER]).filter(|(name, _)| self.settings.wants(name));
        let wanted: Vec<_> = wanted.collect();
        if !wanted.is_empty() {
            // The recorder alone, as where the parts have machines of their own.
            let recorder = Arc::new(Service::start(self.ground, "recorder", &self.views()).await?);
            recorder.at_rest().await;
            for (name, clients) in wanted {
                self.about(name);
                let one = members.iter().rev().take(1).copied().collect();
                let attempts = if name == SAME_MEMBER.0 { Arc::new(Attempts::on(one)) } else { all.clone() };
                let with = (clients, self.time(5));
                // What the figure before appended, the views know: no recorder runs for long without a projector.
                self.views_catch_up().await?;
                tell(append::over_http(name, (self.ground, &recorder), &attempts, with, self.members).await?)?;
            }
            stop(recorder).await;
        }
        if self.settings.wants("lag") {
            let projector = Arc::new(Service::start(self.ground, "projector", &self.views()).await?);
            projector.caught_up().await?;
            let recorder = Arc::new(Service::start(self.ground, "recorder", &self.views()).await?);
            recorder.at_rest().await;
            for pace in PACES {
                self.about(&format!("lag at {pace} a second"));
                tell(lag::at(pace, (&recorder, &projector), &all, self.time(10), self.members).await?)?;
            }
            stop(recorder).await;
            stop(projector).await;
        }
        Ok(())
    }

    /// A projector runs until the views hold all of the log, and its last position is given.
    async fn views_catch_up(&self) -> anyhow::Result<u64> {
        let projector = Service::start(self.ground, "projector", &self.views()).await?;
        let head = projector.caught_up().await?;
        projector.stop().await;
        Ok(head)
    }

    async fn questions(&self, members: Vec<rollbook_events::MemberId>, tell: Tell<'_>) -> anyhow::Result<()> {
        if !self.settings.wants_any(&QUERIES) {
            return Ok(());
        }
        let head = self.views_catch_up().await?;
        let query = Service::start(self.ground, "query", &self.views()).await?;
        let asked = Asked::about(members, head, self.settings.seed);
        for name in QUERIES.into_iter().filter(|name| self.settings.wants(name)) {
            self.about(name);
            tell(asked.ask(name, &query, 2_000, self.time(10), self.members).await?)?;
        }
        query.stop().await;
        Ok(())
    }
}

async fn stop(service: Arc<Service>) {
    // Whoever else had a hand on it has ended; else it ends with the last of them.
    if let Some(service) = Arc::into_inner(service) {
        service.stop().await;
    }
}
