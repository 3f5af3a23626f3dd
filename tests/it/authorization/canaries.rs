//! Canaries: values that stand in one organization's data alone. Whoever else asks, whatever they ask, gets none of them back.

use std::collections::{BTreeMap, BTreeSet};

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reqwest::Method;
use serde_json::{Value, json};

use super::small_ledger::{COUNTY, LIVES, OTHER_PLAN, OTHER_PROVIDER, OWN_PLAN, PROVIDER, SmallLedger, id, pseudonym};

/// Requests of the quick run, which every change is tried by, and of the long one.
const QUICK: usize = 250;
const LONG: usize = 2_000;

/// Members that one organization alone knows, each with words of its own in every place that takes words.
const ALONE: [(&str, &str, u64); 3] = [(OWN_PLAN, "alder", 21), (OTHER_PLAN, "birch", 22), (COUNTY, "cedar", 23)];

/// Who calls, and whose canaries they may see.
const CALLERS: [(&str, &[&str]); 10] = [
    ("recorder", &[OWN_PLAN]),
    ("other_recorder", &[OTHER_PLAN]),
    ("plan_compliance", &[OWN_PLAN]),
    ("plan_compliance_with_rights", &[OWN_PLAN]),
    ("plan_reporting", &[]),
    ("county", &[COUNTY]),
    ("provider", &[]),
    ("subscriber", &[OWN_PLAN]),
    ("operator", &[]),
    ("auditor_without_purpose", &[]),
];

const LISTS: [&str; 9] = [
    "enrollments",
    "conflicts",
    "notices",
    "findings",
    "authorizations",
    "reassessments",
    "clocks",
    "events",
    "outreach/episodes",
];
const OF_MEMBERS: [&str; 12] = [
    "disclosures",
    "enrollments",
    "conflicts",
    "notices",
    "findings",
    "eligibility",
    "authorizations",
    "reassessments",
    "clocks",
    "history",
    "outreach",
    "outreach/attempts",
];

/// What is known of an organization's life alone: events whose every free word is a canary.
fn events(plan: &str, bird: &str, member: u64) -> Vec<Value> {
    let id = |n| id(member, n);
    let provider = format!("{bird}-provider");
    let event = |n: u64, kind: &str, at: &str, sensitivity: &str, data: Value| {
        json!({ "id": id(n), "kind": kind, "member": pseudonym(member), "plan": plan, "county": "los-angeles",
                "occurred_at": at, "sensitivity": sensitivity, "data": data,
                "source": { "system": format!("{bird}_system"), "external_id": format!("{bird}_row") } })
    };
    let attempt = json!({ "program": "ecm", "channel": "phone", "individualized": true, "reached": "member",
                          "staff": "clinical", "provider": provider });
    let request = json!({ "authorization": id(100), "program": "ecm", "urgency": "standard", "requested_by": "member",
                          "received_at": "2021-11-20T09:30:00-08:00", "changed_conditions": format!("{bird} conditions") });
    let decision = json!({ "authorization": id(100), "program": "ecm", "outcome": "denied", "provider": provider,
                           "decided_at": "2021-12-20T10:00:00-08:00", "reasons": ["no_population_of_focus"] });
    let enrolled = json!({ "enrollment": id(101), "program": "ecm", "basis": "grandfathered_wpc", "channel": "plan_direct",
                           "provider": provider, "from": "2022-01-01" });
    let manager = json!({ "enrollment": id(101), "manager": format!("{bird}_manager"), "from": "2022-02-01" });
    let referral = json!({ "referral": id(102), "program": "respite", "pathway": "plan", "requested_by": "member",
                           "note": format!("{bird} note") });
    vec![
        event(1, "outreach_attempted", "2021-11-05", "part2", attempt),
        event(2, "authorization_requested", "2021-11-20", "none", request),
        event(3, "authorization_decided", "2021-12-20", "hiv", decision),
        event(4, "enrolled", "2022-01-01", "none", enrolled),
        event(5, "lead_care_manager_assigned", "2022-02-01", "minor", manager),
        event(6, "referral_received", "2022-03-01", "none", referral),
    ]
}

/// An organization's own side of a member whom two know.
fn beside(plan: &str, bird: &str, member: u64, n: u64) -> Vec<Value> {
    let enrolled = json!({ "enrollment": id(n, 101), "program": "ecm", "basis": "opt_in", "channel": "plan_direct",
                           "provider": format!("{bird}-provider"), "from": "2023-01-01" });
    let manager = json!({ "enrollment": id(n, 101), "manager": format!("{bird}_manager"), "from": "2023-02-01" });
    let event = |k: u64, kind: &str, at: &str, data: Value| {
        json!({ "id": id(n, k), "kind": kind, "member": pseudonym(member), "plan": plan, "county": "los-angeles",
                "occurred_at": at, "data": data, "source": { "system": format!("{bird}_system") } })
    };
    vec![event(1, "enrolled", "2023-01-01", enrolled), event(2, "lead_care_manager_assigned", "2023-02-01", manager)]
}

/// The canaries of each organization.
fn canaries() -> BTreeMap<&'static str, BTreeSet<String>> {
    let mut all: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (plan, bird, member) in ALONE {
        let ids = (1..=6).chain(100..=102).map(|n| id(member, n));
        all.entry(plan).or_default().extend(ids.chain([bird.to_owned(), pseudonym(member)]));
    }
    let beside = [(OWN_PLAN, 31), (OTHER_PLAN, 32), (COUNTY, 33), (OTHER_PLAN, 34), (OWN_PLAN, 35), (OTHER_PLAN, 36)];
    for (plan, n) in beside {
        all.entry(plan).or_default().extend([id(n, 1), id(n, 2), id(n, 101)]);
    }
    all.entry(OTHER_PLAN).or_default().extend([id(36, 3), pseudonym(27)]);
    for life in LIVES {
        let ids = (1..=13).chain(100..=101).map(|n| id(life.number, n));
        all.entry(life.plan).or_default().extend(ids);
    }
    all
}

async fn told(of: &SmallLedger) {
    let mut all: Vec<Vec<Value>> = ALONE.iter().map(|(plan, bird, member)| events(plan, bird, *member)).collect();
    // 24 is known to both plans, 25 to the county and the other plan.
    all.push(beside(OWN_PLAN, "alder", 24, 31));
    all.push(beside(OTHER_PLAN, "birch", 24, 32));
    all.push(beside(COUNTY, "cedar", 25, 33));
    all.push(beside(OTHER_PLAN, "birch", 25, 34));
    // 26 and 27 are one person, which the other plan alone has told: nobody else learns of 27.
    all.push(beside(OWN_PLAN, "alder", 26, 35));
    let linked = json!({ "id": id(36, 3), "kind": "member_linked", "member": pseudonym(27), "plan": OTHER_PLAN,
                         "county": "los-angeles", "occurred_at": "2023-03-01",
                         "data": { "other": pseudonym(26), "reason": "duplicate_record" } });
    all.push([beside(OTHER_PLAN, "birch", 27, 36), vec![linked]].concat());
    for events in all {
        let (status, answer) = of.ledger.post("/v1/events", &json!(events)).await;
        assert_eq!(status, 201, "{answer}");
    }
    of.ledger.caught_up().await;
}

/// What is asked at random: anybody's ids, anybody's words, anybody's cursors and tags.
struct Asker {
    random: ChaCha8Rng,
    every: Vec<String>,
    members: Vec<String>,
    determinations: Vec<String>,
    cursors: Vec<String>,
    tags: Vec<String>,
    head: u64,
}

impl Asker {
    fn one(&mut self, of: &[&str]) -> String {
        (*of.choose(&mut self.random).unwrap()).to_owned()
    }

    /// Some of the parameters that a list takes.
    fn filters(&mut self, list: &str) -> Vec<String> {
        let plan = format!("plan={}", self.one(&[OWN_PLAN, OTHER_PLAN, COUNTY]));
        let providers = [PROVIDER, OTHER_PROVIDER, "alder-provider", "birch-provider", "cedar-provider"];
        let provider = format!("provider={}", self.one(&providers));
        let position = self.random.random_range(1..=self.head);
        let from = format!("from={position}");
        let own: &[&str] = match list {
            "enrollments" => &[&plan, &provider, "program=ecm", "effective_at=2023-06-01", "status=any"],
            "conflicts" => &[&plan, "program=ecm", "outcome=any", "resolved=false", "status=any", "rule=ROLE-15"],
            "notices" => &[&plan, "standing=any", "voided=any", "late=true"],
            "findings" => &[&plan, "program=ecm", "status=any"],
            "authorizations" | "episodes" | "outreach" => &[&plan, &provider],
            "reassessments" | "clocks" => &[&plan, "late=true"],
            "events" | "history" => &[&plan, &from, "kind=enrolled,member_linked,notice_determined"],
            "attempts" => &[&plan],
            "eligibility" => &[&plan, "effective_at=2023-06-01"],
            "conversion" => &[&plan, "by=provider", "by=plan"],
            _ => return Vec::new(),
        };
        let mut all: Vec<String> = own.iter().map(|filter| (*filter).to_owned()).collect();
        all.push(format!("known_at={position}"));
        all.push(format!("limit={}", self.random.random_range(1..4)));
        if self.random.random_bool(0.1) {
            all.push(format!("cursor={}", self.cursors.choose(&mut self.random).unwrap()));
        }
        let most = self.random.random_range(0..4);
        all.choose_multiple(&mut self.random, most).cloned().collect()
    }

    fn path(&mut self) -> String {
        let member = self.members.choose(&mut self.random).unwrap().clone();
        let any = self.every.choose(&mut self.random).unwrap().clone();
        let determination = self.determinations.choose(&mut self.random).unwrap().clone();
        let path = match self.random.random_range(0..12) {
            0..=3 => format!("/v1/{}", self.one(&LISTS)),
            4..=7 => format!("/v1/members/{member}/{}", self.one(&OF_MEMBERS)),
            8 => format!("/v1/members/{member}"),
            9 => format!("/v1/notices/{determination}"),
            10 => format!("/v1/notices/{any}"),
            _ => self.one(&[
                "/v1/outreach/conversion",
                "/v1/outreach/attempts",
                "/v1/feed?wait=false&plan=la-care",
                "/v1/feed?wait=false&plan=health-net",
                "/v1/feed/range?from=1&plan=la-county-dhs",
                "/v1/feed/receipt?plan=health-net",
                "/v1/views/event_history",
                "/v1/views/stuck",
                "/v1/status",
                "/metrics",
                "/readyz",
                "/v1/rulebook/editions",
            ]),
        };
        let filters = self.filters(path.rsplit('/').next().unwrap_or_default());
        if filters.is_empty() { path } else { format!("{path}?{}", filters.join("&")) }
    }

    /// A body that speaks of anybody's things, in anybody's record.
    fn body(&mut self) -> String {
        let plan = self.one(&[OWN_PLAN, OTHER_PLAN, COUNTY]);
        let member = self.members.choose(&mut self.random).unwrap().clone();
        let thing = self.every.choose(&mut self.random).unwrap().clone();
        let event = |kind: &str, data: Value| json!({ "kind": kind, "member": member, "plan": plan, "county": "los-angeles", "occurred_at": "2023-05-01", "data": data });
        let event = match self.random.random_range(0..4) {
            0 => event("event_voided", json!({ "event": thing, "reason": "x", "approved_by": "y" })),
            1 => event("member_looked_up", json!({ "system": "hmis" })),
            2 => {
                let mut event = event("member_looked_up", json!({ "system": "hmis" }));
                event["id"] = thing.into();
                event
            }
            _ => event("disenrolled", json!({ "enrollment": thing, "until": "2023-05-01", "reason": "unknown" })),
        };
        if self.random.random_bool(0.3) { json!([event]).to_string() } else { event.to_string() }
    }
}

async fn asker(of: &SmallLedger, seed: u64) -> Asker {
    let head = of.ledger.caught_up().await;
    let is_id = |word: &String| uuid::Uuid::parse_str(word).is_ok();
    let every = canaries().into_values().flatten().filter(is_id).collect();
    let members = [1, 2, 3, 4, 5, 6, 21, 22, 23, 24, 25, 26, 27, 99].map(pseudonym).to_vec();
    let rows = of.ledger.rows("/v1/notices?standing=any&voided=any").await;
    let determinations = rows.iter().filter_map(|row| row["determination"].as_str()).map(str::to_owned).collect();
    let (mut cursors, mut tags) = (Vec::new(), Vec::new());
    for caller in ["owner", "recorder", "other_recorder", "county"] {
        for list in LISTS {
            let answer = of.get(caller, &format!("/v1/{list}?limit=1"), "application/json").await;
            cursors.extend(answer.json()["next"].as_str().map(str::to_owned));
            tags.extend(answer.headers.get("etag").and_then(|tag| tag.to_str().ok()).map(str::to_owned));
        }
    }
    Asker { random: ChaCha8Rng::seed_from_u64(seed), every, members, determinations, cursors, tags, head }
}

/// Asks so many times, as everybody in turn, and looks for what is not theirs.
async fn no_canary_flies(requests: usize, seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let of = SmallLedger::up(folder.path()).await;
    told(&of).await;
    let all = canaries();
    let mut asker = asker(&of, seed).await;
    // What an organization has itself said since is its own to see.
    let mut said: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut seen_own = 0;
    for n in 0..requests {
        let (caller, own) = CALLERS[n % CALLERS.len()];
        let accept = asker.one(&["application/json", "application/x-ndjson", "text/csv"]);
        let tag = asker.tags.choose(&mut asker.random).cloned().unwrap_or_default();
        let mut asked = String::new();
        let answer = if asker.random.random_range(0..8) == 0 {
            let body = asker.body();
            let path = if asker.random.random_bool(0.8) { "/v1/events" } else { "/v1/intake/events" };
            let answer =
                of.ask(caller, Method::POST, path, &[("content-type", "application/json")], Some(body.clone())).await;
            asked.push_str(&body);
            if answer.status < 300 {
                own.iter().for_each(|org| _ = said.entry(*org).or_default().insert(body.clone()));
            }
            answer
        } else {
            let path = asker.path();
            asked.push_str(&path);
            let mut more = vec![("accept", accept.as_str())];
            more.extend(asker.random.random_bool(0.2).then_some(("if-none-match", tag.as_str())));
            of.ask(caller, Method::GET, &path, &more, None).await
        };
        assert!(answer.status < 500, "{caller} {asked}: {} {}", answer.status, answer.text);
        let whole = format!("{:?}\n{}", answer.headers, answer.text);
        for (org, canaries) in &all {
            for canary in canaries {
                let is_own = own.contains(org)
                    || own
                        .iter()
                        .any(|org| said.get(org).is_some_and(|all| all.iter().any(|body| body.contains(canary))));
                let flies = whole.contains(canary.as_str());
                seen_own += usize::from(is_own && flies);
                // A provider sees what it is assigned to, of whichever plan.
                let is_assigned = caller == "provider"
                    && *org == OWN_PLAN
                    && LIVES[..2].iter().any(|life| canary.starts_with(&id(life.number, 0)[..34]));
                assert!(
                    is_own || is_assigned || !flies || asked.contains(canary.as_str()),
                    "{caller} was told {canary} of {org}: {asked}\n{whole}"
                );
            }
        }
    }
    assert!(seen_own > requests / 10, "nobody was told anything: {seen_own}");
    let log = std::fs::read_to_string(of.ledger.data().join("up.log")).unwrap();
    for canary in all.values().flatten() {
        assert!(!log.contains(canary.as_str()), "{canary} stands in the log");
    }
    of.ledger.stop();
}

#[tokio::test]
async fn no_canary_of_another_organization_is_told_to_anybody() {
    no_canary_flies(QUICK, 5).await;
}

#[tokio::test]
async fn heavy_no_canary_of_another_organization_is_told_in_two_thousand_requests() {
    no_canary_flies(LONG, 55).await;
}
