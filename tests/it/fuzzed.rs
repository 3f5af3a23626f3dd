//! Requests made up from the OpenAPI document, right and wrong ones, against a running ledger as three roles: every answer is
//! one that the document tells of. Schemathesis makes them up and judges; `fuzzed/` says how it is run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use harness::installed::{Needed, python};
use reqwest::Method;
use rollbook_events::Hash;
use serde_json::{Map, Value, json};

use crate::authorization::small_ledger::{OTHER_PLAN, OTHER_PROVIDER, OWN_PLAN, PROVIDER, SmallLedger, pseudonym};

const NEEDED: Needed = Needed {
    by: "the test with made-up requests",
    advice: "Debian, Ubuntu: sudo apt-get install python3-venv; macOS: brew install python3; and PyPI must be reachable once",
};

/// As whom, by the callers of the authorization tests, and which paths: the feed is told to subscribers alone.
const CALLERS: [(&str, &str); 4] =
    [("plan_compliance", "."), ("recorder", "."), ("auditor", "."), ("subscriber", "^/v1/feed")];

/// What none of them may ask, or has nothing to ask of: no client is registered, no view was rebuilt.
const OF_OTHERS: [&str; 10] = [
    "DELETE /v1/views/previous",
    "DELETE /v1/views/rebuild",
    "GET /v1/views/members/{member}",
    "POST /v1/feed/webhooks/{subscription}/replay",
    "POST /v1/members/{member}/identity/destroy",
    "POST /v1/token",
    "POST /v1/views/members/{member}",
    "POST /v1/views/previous",
    "POST /v1/views/rebuild",
    "POST /v1/views/rebuild/accept",
];

fn beside(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("it/fuzzed").join(name)
}

/// What somebody who wants more than the usual run asks for.
#[expect(clippy::disallowed_methods, reason = "a test is told by the environment how long to look")]
fn asked(name: &str, usual: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| usual.to_owned())
}

/// An event that says little; without an id of its own each is another one.
fn looked_up(member: u64, more: Value) -> Value {
    let mut event = json!({ "kind": "member_looked_up", "member": pseudonym(member), "plan": OWN_PLAN,
        "county": "los-angeles", "occurred_at": "2022-02-01", "data": { "system": "hmis" } });
    event.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    event
}

/// What is there, for requests that find something.
async fn known(of: &SmallLedger) -> Map<String, Value> {
    let ledger = &of.ledger;
    let file = looked_up(1, json!({ "id": "018f3c1e-7a10-7c3d-9b4e-0000000f0001" })).to_string() + "\n";
    let answer = of.ask("recorder", Method::POST, "/v1/intake/events", &[], Some(file.clone())).await;
    assert_eq!(answer.rows().last().unwrap()["recorded"], 1, "{}", answer.text);
    let position = ledger.caught_up().await;
    let names = ledger.get("/schemas").await["data"].as_array().unwrap().clone();
    let mut schemas = Map::new();
    for name in names.iter().filter_map(Value::as_str) {
        schemas.insert(name.to_owned(), ledger.get(&format!("/schemas/{name}")).await);
    }
    let determinations = ledger.rows(&format!("/v1/notices?plan={OWN_PLAN}")).await;
    let known = json!({
        "position": position,
        "members": (1..=6).map(pseudonym).collect::<Vec<_>>(),
        "determinations": determinations.iter().map(|row| &row["determination"]).collect::<Vec<_>>(),
        "files": [Hash::of(file.as_bytes()).to_string()],
        "file": file,
        "plans": [OWN_PLAN, OTHER_PLAN],
        "providers": [PROVIDER, OTHER_PROVIDER],
        "views": rollbook_projections::views::ALL.iter().map(|view| view.table().name).collect::<Vec<_>>(),
        "events": [
            looked_up(1, json!({})),
            [looked_up(1, json!({})), looked_up(2, json!({}))],
            looked_up(2, json!({ "id": "018f3c1e-7a10-7c3d-9b4e-0000000f0002" })),
        ],
        "rulebook": ledger.get("/v1/rulebook").await["data"]["text"],
        "schemas": schemas,
    });
    known.as_object().unwrap().clone()
}

/// A run as one caller, its report in a file.
struct Run {
    caller: &'static str,
    report: PathBuf,
    child: Child,
}

impl Run {
    fn begin(
        of: &SmallLedger,
        python: &Path,
        known: &Map<String, Value>,
        (caller, paths): (&'static str, &str),
        folder: &Path,
    ) -> Self {
        let (who, token) = &of.callers[caller];
        let place = folder.join(format!("{caller}.json"));
        let mut known = known.clone();
        known.insert("purpose".to_owned(), json!(who.purpose));
        std::fs::write(&place, Value::Object(known).to_string()).unwrap();
        let report = folder.join(format!("{caller}.txt"));
        let mut command = Command::new(python.with_file_name("schemathesis"));
        command.arg("--config-file").arg(beside("schemathesis.toml"));
        command.args([
            "run",
            &format!("{}/openapi.json", of.ledger.url()),
            "--no-color",
            "--include-path-regex",
            paths,
        ]);
        command.args(["--phases", &asked("ROLLBOOK_FUZZED_PHASES", "examples,fuzzing")]);
        command.args(["--max-examples", &asked("ROLLBOOK_FUZZED_EXAMPLES", "5")]);
        command.args(["--seed", &asked("ROLLBOOK_FUZZED_SEED", "1")]);
        command.env("ROLLBOOK_FUZZED_HOOKS", beside("hooks.py")).env("ROLLBOOK_FUZZED_KNOWN", place);
        command.env("ROLLBOOK_FUZZED_TOKEN", token.as_deref().unwrap()).env("PYTHONDONTWRITEBYTECODE", "1");
        let output = std::fs::File::create(&report).unwrap();
        command.current_dir(folder).stdin(Stdio::null()).stderr(output.try_clone().unwrap()).stdout(output);
        Self { caller, report, child: command.spawn().unwrap() }
    }

    /// What it found; nothing where every answer is as the document says.
    fn end(mut self) -> Option<String> {
        let status = self.child.wait().unwrap();
        let report = std::fs::read_to_string(&self.report).unwrap();
        let counts: Vec<&str> = report.lines().skip_while(|line| !line.starts_with("Test cases:")).collect();
        eprintln!("as {}: {}", self.caller, counts.join(" "));
        let from = ["= ERRORS =", "= FAILURES ="].iter().filter_map(|title| report.find(title)).min().unwrap_or(0);
        (!status.success()).then(|| format!("as {}: {status}\n{}", self.caller, &report[from..]))
    }
}

/// How often each route was answered with a success, as the ledger itself counts.
async fn succeeded(of: &SmallLedger) -> BTreeMap<String, u64> {
    let text = of.ledger.text("/metrics", "text/plain").await;
    let mut routes = BTreeMap::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("rollbook_http_requests_total{")) {
        let (labels, count) = line.split_once("} ").unwrap();
        let pairs = labels.split("\",").filter_map(|pair| pair.trim_end_matches('"').split_once("=\""));
        let labels: BTreeMap<_, _> = pairs.collect();
        if labels["status"].starts_with('2') {
            *routes.entry(format!("{} {}", labels["method"], labels["route"])).or_default() +=
                count.parse::<u64>().unwrap();
        }
    }
    routes
}

fn documented() -> BTreeSet<String> {
    let document = serde_json::to_value(rollbook::http::openapi()).unwrap();
    let routes = document["paths"].as_object().unwrap().iter().flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    routes.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn made_up_requests_are_answered_as_the_document_says() {
    let python = python("schemathesis", &beside("requirements.txt"), &NEEDED);
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let of = SmallLedger::up(data.path()).await;
    let known = known(&of).await;
    let before = succeeded(&of).await;
    let runs: Vec<Run> =
        CALLERS.iter().map(|caller| Run::begin(&of, &python, &known, *caller, folder.path())).collect();
    let ended = tokio::task::spawn_blocking(|| runs.into_iter().filter_map(Run::end).collect::<Vec<_>>());
    let found = ended.await.unwrap();
    assert!(found.is_empty(), "{}", found.join("\n"));
    // What was only refused was not tried.
    let after = succeeded(&of).await;
    let missed: Vec<String> = documented()
        .into_iter()
        .filter(|route| after.get(route) <= before.get(route) && !OF_OTHERS.contains(&route.as_str()))
        .collect();
    assert!(missed.is_empty(), "never answered with a success: {missed:?}");
}
