//! Every fault once, and everything that was ever found.

use futures_util::StreamExt;
use harness::chaos::cli::Bug;
use harness::chaos::faults;
use harness::chaos::plan::Plan;
use harness::chaos::run::run;

/// Runs at once.
const JOBS: usize = 2;

#[test]
fn a_seed_is_one_plan_for_ever() {
    for seed in 1..200 {
        assert_eq!(Plan::of(seed, None).unwrap(), Plan::of(seed, None).unwrap());
    }
    // What a seed means moves only where somebody means it to: this line then moves with it.
    let plan = Plan::of(17, Some("kill-nats")).unwrap();
    let text = toml::to_string(&plan).unwrap();
    assert_eq!(toml::from_str::<Plan>(&text).unwrap(), plan);
}

#[test]
fn every_plan_strikes_while_clients_work() {
    for seed in 1..500 {
        let plan = Plan::of(seed, None).unwrap();
        let requests = u64::from(plan.clients * plan.operations);
        assert!(!plan.strikes.is_empty() && plan.strikes.iter().all(|strike| strike.at < requests), "{plan:?}");
    }
}

fn bugs() -> Vec<(String, Plan)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/chaos/bugbase");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let tomls = files.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    let read = |path: std::path::PathBuf| {
        let bug: Bug = toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        (path.file_stem().unwrap().to_string_lossy().into_owned(), bug.plan)
    };
    tomls.map(read).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heavy_chaos_selection() {
    let mut plans = bugs();
    for (seed, fault) in (1..).zip(faults::ALL) {
        plans.push((fault.name().to_owned(), Plan::of(seed, Some(fault.name())).unwrap()));
    }
    let reports: Vec<_> = futures_util::stream::iter(plans)
        .map(|(name, plan)| async { (name, run(plan, None).await) })
        .buffer_unordered(JOBS)
        .collect()
        .await;
    let violated: Vec<_> = reports.iter().filter(|(_, report)| report.verdict == "violated").collect();
    assert!(violated.is_empty(), "{violated:#?}");
    // A machine without one server or library leaves out what needs it, and nothing else.
    let ran = reports.iter().filter(|(_, report)| report.verdict == "ok").count();
    assert!(ran * 2 > reports.len(), "{ran} of {} plans ran", reports.len());
}
