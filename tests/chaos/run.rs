//! One run: bring a ledger up, work, strike, heal, wait until it is quiet, look.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use tempfile::TempDir;

use super::check::{self, Violation};
use super::evidence::Evidence;
use super::faults;
use super::history::{History, Outcome, What};
use super::plan::Plan;
use super::workload::submissions::{Author, Operation};
use super::workload::{self, client, import};
use super::world::{self, Setup, World};
use crate::program::logs_below;

/// How long after the healing everything may take to be right again (I13).
pub const HEALED: Duration = Duration::from_secs(30);
/// The client that tries whether the healed ledger takes what is new.
pub const AFTERWARDS: u32 = 300;
/// What it tries.
const COMMANDS: u32 = 6;

/// What became of a run.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The seed.
    pub seed: u64,
    /// The faults, by moment.
    pub faults: Vec<String>,
    /// `up` or `parts`, and the database.
    pub shape: String,
    /// Requests that were acknowledged or answered.
    pub ok: usize,
    /// Requests that surely had no effect.
    pub failed: usize,
    /// Requests of which nobody knew.
    pub unknown: usize,
    /// Events in the log at the end.
    pub events: u64,
    /// Times that a process was started beyond the first.
    pub restarts: u32,
    /// Milliseconds: starting, working, healing, checking.
    pub ms: [u128; 4],
    /// `ok`, `violated`, `skipped`.
    pub verdict: &'static str,
    /// What was violated, or why it was skipped.
    pub violations: Vec<String>,
    /// Where everything of the run lies, where it was kept.
    pub kept: Option<PathBuf>,
}

impl Report {
    /// Of a run that the suite itself broke off, which proves nothing.
    pub fn broken(plan: &Plan, why: &str) -> Self {
        Self { verdict: "violated", violations: vec![format!("the suite broke off: {why}")], ..Self::blank(plan) }
    }

    fn blank(plan: &Plan) -> Self {
        Self {
            seed: plan.seed,
            faults: plan.strikes.iter().map(|strike| format!("{}@{}", strike.fault, strike.at)).collect(),
            shape: format!("{:?}/{:?}", plan.shape, plan.database).to_lowercase(),
            ok: 0,
            failed: 0,
            unknown: 0,
            events: 0,
            restarts: 0,
            ms: [0; 4],
            verdict: "ok",
            violations: Vec::new(),
            kept: None,
        }
    }
}

/// Does one run. Where it is to be kept, or something was violated and `keep` names a folder, its files stay there.
pub async fn run(plan: Plan, keep: Option<PathBuf>) -> Report {
    let mut report = Report::blank(&plan);
    if let Some(lack) = world::lacks(&plan) {
        (report.verdict, report.violations) = ("skipped", vec![lack]);
        return report;
    }
    let folder = tempfile::Builder::new().prefix("chaos-").tempdir().unwrap();
    // PostgreSQL runs as somebody else, who must reach into it.
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut laps = [Instant::now(); 5];
    let mut violations = attempt(plan, &folder, &mut report, &mut laps).await;
    // Every process has ended, however it did.
    violations.extend(logs_below(folder.path()).iter().take(3).map(|leak| Violation::new("I15", leak.to_string())));
    for lap in 0..4 {
        report.ms[lap] = laps[lap + 1].saturating_duration_since(laps[lap]).as_millis();
    }
    report.violations = violations.iter().map(ToString::to_string).collect();
    if !violations.is_empty() {
        report.verdict = "violated";
        report.kept = keep.map(|keep| {
            let place = keep.join(format!("seed-{}", report.seed));
            std::fs::create_dir_all(&keep).unwrap();
            _ = std::process::Command::new("cp").arg("-a").arg(folder.path()).arg(&place).status();
            place
        });
    }
    report
}

async fn attempt(plan: Plan, folder: &TempDir, report: &mut Report, laps: &mut [Instant; 5]) -> Vec<Violation> {
    let history = Arc::new(History::new(&folder.path().join("history.jsonl")));
    let mut setup = Setup::new(plan.clone(), folder.path());
    for fault in plan.faults() {
        fault.prepare(&mut setup);
    }
    let world = match World::start(setup, history.clone()).await {
        Ok(world) => Arc::new(world),
        Err(world::NotStarted(why)) => return vec![Violation::new("I13", why)],
    };
    laps[1..].fill(Instant::now());
    tokio::select! {
        () = workload::run(&world) => {}
        () = faults::strike(&world) => {}
    }
    laps[2..].fill(Instant::now());
    let mut violations = history.accused();
    let mut judged = false;
    for fault in plan.faults() {
        if let Some(found) = fault.judge(&world).await {
            judged = true;
            violations.extend(found);
        }
    }
    if !judged {
        violations.extend(heal(&world).await);
    }
    laps[3..].fill(Instant::now());
    if !judged {
        match Evidence::gather(&world).await {
            Ok(evidence) => {
                report.events = evidence.head;
                violations.extend(check::all(&evidence));
            }
            Err(why) => violations.push(Violation::new("I13", why.0)),
        }
    }
    let records = history.records();
    let count = |outcome| records.iter().filter(|record| record.outcome == outcome).count();
    (report.ok, report.failed, report.unknown) = (count(Outcome::Ok), count(Outcome::Fail), count(Outcome::Unknown));
    report.restarts = world.services.iter().map(|service| service.starts() - 1).sum();
    if !violations.is_empty() {
        for service in world.rollbooks() {
            report.faults.push(format!("{}: {}", service.name, world.last_words(service)));
        }
    }
    laps[4] = Instant::now();
    violations
}

/// Heals, and waits until the ledger takes what is new, has settled every file, and shows all of it (I13).
pub async fn heal(world: &World) -> Vec<Violation> {
    let late = |what: &str| vec![Violation::new("I13", format!("{what} within {} s of the healing", HEALED.as_secs()))];
    let begun = Instant::now();
    world.heal();
    if !world.until(HEALED, |world| world.services.iter().all(|service| service.address().is_some())).await {
        return late("not every process answers");
    }
    let mut ready = false;
    while !ready && begun.elapsed() < HEALED {
        ready = true;
        for service in world.rollbooks() {
            let answer = world.api.get(service, "/readyz", "application/json", Duration::from_secs(3)).await;
            ready &= answer.is_ok();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    if !ready {
        return late("not every process is ready");
    }
    if world.setup.plan.rows > 0 {
        let file = import::file(&world.setup.plan);
        for turn in 0.. {
            if import::send(world, &file, turn, Duration::from_secs(15)).await {
                break;
            }
            if begun.elapsed() > HEALED {
                return late("the file is not settled");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let mut violations = commands(world, begun).await;
    let head = world.history.seen();
    if !shown(world, head).await {
        violations.extend(late(&format!("the views do not show position {head}")));
    }
    violations
}

/// New commands succeed, at every recorder, which also ends whatever waited there before them. A client that is told to try
/// again later does, as long as the healing may take.
async fn commands(world: &World, begun: Instant) -> Vec<Violation> {
    let mut author = Author::new(world.setup.plan.random(400), world.setup.plan.members);
    let mut failed = 0;
    for turn in 0..COMMANDS {
        let operation = Operation { submissions: vec![author.sound()], array: false, sound: true, patience: 0 };
        let mut outcome = client::submit(world, AFTERWARDS, turn, &operation, Duration::from_secs(10)).await;
        while outcome != Outcome::Ok && begun.elapsed() < HEALED {
            tokio::time::sleep(Duration::from_millis(100)).await;
            outcome = client::submit(world, AFTERWARDS, turn, &operation, Duration::from_secs(10)).await;
        }
        failed += u32::from(outcome != Outcome::Ok);
    }
    if failed == 0 {
        return Vec::new();
    }
    let records = world.history.records();
    let of = records.iter().rfind(|record| record.client == AFTERWARDS && record.outcome != Outcome::Ok);
    let why = of.map(|record| format!("{:?} {:?} from {}", record.status, record.problem, record.service));
    vec![Violation::new("I13", format!("{failed} of {COMMANDS} new commands fail after the healing: {why:?}"))]
}

async fn shown(world: &World, head: u64) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < HEALED {
        let path = format!("/v1/events?limit=1&at_least={head}&wait_ms=3000");
        let answer = world.api.get(world.readers()[0], &path, "application/json", Duration::from_secs(5)).await;
        if answer.is_ok() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

/// Whether anything of a history is an import.
pub fn imports(world: &World) -> bool {
    world.history.records().iter().any(|record| matches!(record.what, What::Import { .. }))
}
