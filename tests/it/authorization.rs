//! Who may see what, tried cell by cell: `authorization/matrix.csv` says it in words of its own, apart from the policy.

mod anothers;
mod canaries;
mod judge;
pub mod small_ledger;
mod table;

use std::collections::BTreeMap;

use reqwest::Method;
use rollbook_events::Hash;
use serde_json::{Value, json};

use small_ledger::{Answer, LIVES, OTHER_PLAN, SmallLedger, pseudonym};
use table::{Caller, Cell, cells};

/// The order that routes are tried in: what reads, what changes, and what makes views anew, beside which others change.
fn turn(route: &str) -> u8 {
    match route {
        "POST /v1/views/rebuild" => 2,
        route if route.starts_with("GET") => 0,
        _ => 1,
    }
}

/// The ledger, what is asked of it, and the answers to what is asked of it more than once.
struct Trial {
    ledger: SmallLedger,
    /// The determination in each life.
    determinations: BTreeMap<u64, String>,
    /// The files that the two recorders brought.
    files: [String; 2],
    rulebook: String,
    lists: BTreeMap<(String, String), Answer>,
    made: u64,
}

impl Trial {
    async fn begin(data: &std::path::Path) -> Self {
        let ledger = SmallLedger::up(data).await;
        let mut determinations = BTreeMap::new();
        for life in LIVES {
            let path = format!("/v1/members/{}/notices?plan={}", pseudonym(life.member), life.plan);
            let rows = ledger.ledger.rows(&path).await;
            determinations.insert(life.number, rows[0]["determination"].as_str().unwrap().to_owned());
        }
        let rulebook = ledger.ledger.get("/v1/rulebook").await["data"]["text"].as_str().unwrap().to_owned();
        let files = [String::new(), String::new()];
        let mut trial = Self { ledger, determinations, files, rulebook, lists: BTreeMap::new(), made: 0 };
        trial.published().await;
        for (index, recorder) in ["recorder", "other_recorder"].into_iter().enumerate() {
            let plan = trial.ledger.callers[recorder].0.organization.clone();
            let file = trial.file(&plan);
            let answer = trial.ledger.ask(recorder, Method::POST, "/v1/intake/events", &[], Some(file.clone())).await;
            assert_eq!(answer.rows().last().unwrap()["recorded"], 1, "{}", answer.text);
            trial.files[index] = Hash::of(file.as_bytes()).to_string();
        }
        trial
    }

    /// Waits until the feeds tell of every life.
    async fn published(&self) {
        let head = self.ledger.ledger.caught_up().await;
        while self.ledger.ledger.get("/v1/feed/status?plan=la-care").await["data"]["published"].as_u64() < Some(head) {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// An event that says little, in an organization's record; each another one.
    fn event(&mut self, plan: &str) -> Value {
        self.made += 1;
        json!({ "id": small_ledger::id(0xfff, self.made), "kind": "member_looked_up", "member": pseudonym(1), "plan": plan,
                "county": "los-angeles", "occurred_at": "2022-02-01", "data": { "system": "hmis" } })
    }

    fn file(&mut self, plan: &str) -> String {
        format!("{}\n", self.event(plan))
    }

    /// What the member is of which a path names a determination.
    fn determination(&self, caller: &Caller, relation: &str) -> String {
        let number = judge::member(caller, relation);
        // Of what is shared, the other side's.
        let life = LIVES.iter().rfind(|life| life.member == number);
        life.map_or_else(|| small_ledger::id(0xeee, 1), |life| self.determinations[&life.number].clone())
    }

    fn path(&self, caller: &Caller, cell: &Cell) -> String {
        let (_, path) = cell.route.split_once(' ').unwrap();
        let file = match (cell.route.as_str(), cell.relation.as_str()) {
            ("POST /v1/intake/{file}", _) => "events".to_owned(),
            (_, "own") => self.files[0].clone(),
            (_, "other") => self.files[1].clone(),
            _ => "0".repeat(64),
        };
        let plan = match cell.relation.as_str() {
            "own" => small_ledger::OWN_PLAN,
            "other" => OTHER_PLAN,
            _ => "no-such-plan",
        };
        let path = match path {
            "/v1/feed" => format!("{path}?wait=false&plan={plan}"),
            "/v1/feed/range" => format!("{path}?from=1&plan={plan}"),
            "/v1/feed/status" | "/v1/feed/receipt" => format!("{path}?plan={plan}"),
            "/v1/feed/webhooks/{subscription}/replay" => "/v1/feed/webhooks/none/replay?from=1".to_owned(),
            path => path.to_owned(),
        };
        path.replace("{member}", &pseudonym(judge::member(caller, &cell.relation)))
            .replace("{determination}", &self.determination(caller, &cell.relation))
            .replace("{file}", &file)
            .replace("{view}", "current_enrollment")
            .replace("{name}", "enrolled.v1.json")
            .replace("{code}", "behind")
    }

    fn body(&mut self, cell: &Cell) -> Option<String> {
        let plan = if cell.relation == "other" { OTHER_PLAN } else { small_ledger::OWN_PLAN };
        match cell.route.as_str() {
            "POST /v1/events" => Some(self.event(plan).to_string()),
            "POST /v1/intake/{file}" => Some(self.file(plan)),
            "POST /v1/members/lookup" => Some(json!({ "cin": "90000000A" }).to_string()),
            "POST /v1/members/{member}/identity/destroy" => {
                Some(json!({ "reason": "filed under another" }).to_string())
            }
            // A request that no client signed: whoever may call at all has its token already.
            "POST /v1/token" => Some("grant_type=client_credentials".to_owned()),
            "POST /v1/rulebook/compare" => Some(self.rulebook.clone()),
            _ => None,
        }
    }

    async fn answer(&mut self, caller: &Caller, cell: &Cell) -> Answer {
        let (method, _) = cell.route.split_once(' ').unwrap();
        let path = self.path(caller, cell);
        let single = ["/v1/members/{member}", "/v1/notices/{determination}", "/v1/intake/{file}"];
        let is_rows = cell.relation != "-"
            && !path.starts_with("/v1/feed")
            && !single.iter().any(|single| cell.route.ends_with(single));
        if method == "GET" && is_rows {
            let key = (caller.name.clone(), path.clone());
            if !self.lists.contains_key(&key) {
                let answer = self.ledger.get(&caller.name, &path, "application/x-ndjson").await;
                self.lists.insert(key.clone(), answer);
            }
            return self.lists[&key].clone();
        }
        let body = self.body(cell);
        let kind = match cell.route.as_str() {
            "POST /v1/rulebook/compare" => "application/toml",
            "POST /v1/token" => "application/x-www-form-urlencoded",
            _ => "application/json",
        };
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.ledger.ask(&caller.name, method, &path, &[("content-type", kind)], body).await
    }

    async fn tried(&mut self, cell: &Cell) {
        let caller = self.ledger.callers[&cell.caller].0.clone();
        let answer = self.answer(&caller, cell).await;
        assert!(cell.statuses.contains(&answer.status), "{cell:?}: {} {}", answer.status, answer.text);
        if cell.sees == "refusal" {
            let kind = if answer.status == 401 { "/problems/unauthenticated" } else { "/problems/forbidden" };
            assert_eq!(answer.json()["type"], kind, "{cell:?}");
            return;
        }
        match cell.route.as_str() {
            "GET /v1/outreach/conversion" => judge::sums(&caller, cell, answer.json()["data"].as_array().unwrap()),
            "POST /v1/intake/{file}" => {
                let last = answer.rows().pop().unwrap();
                let expected = if cell.sees == "quarantined" { (0, 1) } else { (1, 0) };
                assert_eq!(
                    (&last["recorded"], &last["quarantined"]),
                    (&json!(expected.0), &json!(expected.1)),
                    "{last}"
                );
            }
            "GET /v1/members/{member}" if answer.status == 200 => {
                let told = &answer.json()["data"];
                assert_eq!(told["linked"], json!([pseudonym(judge::member(&caller, &cell.relation))]));
                let lives = judge::lives(&caller, cell).len();
                assert_eq!(told["counts"]["enrollments"], lives, "{cell:?} {told}");
            }
            "GET /v1/notices/{determination}" if answer.status == 200 => {
                assert!(answer.json()["data"]["evidence"].as_array().is_some_and(|all| !all.is_empty()), "{cell:?}");
            }
            route if route.starts_with("GET /v1/feed") && answer.status == 200 => {
                assert!(cell.sees == "whole" || !answer.text.contains(OTHER_PLAN), "{cell:?}: {}", answer.text);
                let told = ["GET /v1/feed", "GET /v1/feed/range"].contains(&route);
                let plan = if cell.relation == "own" { small_ledger::OWN_PLAN } else { OTHER_PLAN };
                assert!(!told || answer.text.contains(plan), "{cell:?}: {}", answer.text);
            }
            route
                if cell.relation != "-"
                    && route.starts_with("GET")
                    && answer.status == 200
                    && !route.contains("{file}")
                    && !route.contains("/feed") =>
            {
                judge::rows(&caller, cell, &answer.rows());
            }
            _ => {}
        }
        if cell.sees == "nothing" && cell.relation != "none" && cell.relation != "-" {
            self.same_as_none(&caller, cell).await;
        }
    }

    /// What is not the caller's to see is answered as what does not exist, to the byte.
    async fn same_as_none(&self, caller: &Caller, cell: &Cell) {
        let none = Cell { relation: "none".to_owned(), ..cell.clone() };
        let [there, not] = [self.path(caller, cell), self.path(caller, &none)];
        // A list is asked for as a whole, and lacks the rows.
        if there == not {
            return;
        }
        for accept in ["application/json", "application/x-ndjson", "text/csv"] {
            let there = self.ledger.get(&caller.name, &there, accept).await;
            let not = self.ledger.get(&caller.name, &not, accept).await;
            assert_eq!((there.status, &there.text), (not.status, &not.text), "{cell:?}");
            assert_eq!(there.header_names(), not.header_names(), "{cell:?}");
        }
    }
}

#[tokio::test]
async fn every_cell_of_the_matrix_holds() {
    let folder = tempfile::tempdir().unwrap();
    let mut trial = Trial::begin(folder.path()).await;
    let mut all = cells();
    all.sort_by_key(|cell| turn(&cell.route));
    for cell in &all {
        trial.tried(cell).await;
    }
    println!("{} cells", all.len());
    trial.ledger.ledger.stop();
}

#[tokio::test]
async fn a_tag_and_a_cursor_are_of_one_scope() {
    let folder = tempfile::tempdir().unwrap();
    let of = SmallLedger::up(folder.path()).await;
    let json = "application/json";
    let mine = of.get("plan_compliance", "/v1/enrollments", json).await;
    let tag = mine.headers["etag"].to_str().unwrap();
    let again = of.ask("plan_compliance", Method::GET, "/v1/enrollments", &[("if-none-match", tag)], None).await;
    assert_eq!(again.status, 304);
    for other in ["other_recorder", "county", "provider", "owner", "auditor", "plan_compliance_with_rights"] {
        let answer = of.ask(other, Method::GET, "/v1/enrollments", &[("if-none-match", tag)], None).await;
        assert_eq!(answer.status, 200, "{other}");
    }
    let first = of.get("owner", "/v1/events?limit=1", json).await.json();
    let path = format!("/v1/events?limit=1&cursor={}", first["next"].as_str().unwrap());
    assert_eq!(of.get("owner", &path, json).await.status, 200);
    for other in ["plan_compliance", "auditor", "provider"] {
        let answer = of.get(other, &path, json).await;
        assert_eq!((answer.status, &answer.json()["type"]), (400, &json!("/problems/bad-cursor")), "{other}");
    }
    of.ledger.stop();
}

#[tokio::test]
async fn what_is_hidden_cannot_be_found_by_filters_or_corrected() {
    let folder = tempfile::tempdir().unwrap();
    let of = SmallLedger::up(folder.path()).await;
    let found = async |caller: &str, query: &str| {
        of.get(caller, &format!("/v1/conflicts?{query}"), "application/x-ndjson").await.rows().len()
    };
    let rule =
        of.get("owner", "/v1/conflicts", "application/x-ndjson").await.rows()[0]["rule"].as_str().unwrap().to_owned();
    let whole = found("owner", &format!("rule={rule}")).await;
    assert!(whole > 0 && found("plan_compliance", "plan=la-care").await > 0);
    assert_eq!(found("plan_compliance", &format!("rule={rule}")).await, 0, "a rule tells of both sides");
    assert_eq!(found("plan_compliance", "resolved=false").await, 0);
    assert!(found("plan_compliance", "program=ecm").await > 0, "its own side is in ecm");
    // Another organization's event is corrected as one that is not.
    let other = LIVES.iter().find(|life| life.number == 3).unwrap().attempt("none");
    let none = small_ledger::id(0xddd, 1);
    let mut told = Vec::new();
    for event in [&other, &none] {
        let void = json!({ "kind": "event_voided", "member": pseudonym(2), "plan": "la-care", "county": "los-angeles",
                           "occurred_at": "2022-03-01", "data": { "event": event, "reason": "x", "approved_by": "y" } });
        let answer = of
            .ask(
                "recorder",
                Method::POST,
                "/v1/events",
                &[("content-type", "application/json")],
                Some(void.to_string()),
            )
            .await;
        told.push((answer.status, answer.text));
    }
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0].0, 422);
    of.ledger.stop();
}

#[tokio::test]
async fn a_county_sees_what_it_serves_for_a_plan_and_not_what_the_plan_told() {
    let folder = tempfile::tempdir().unwrap();
    let of = SmallLedger::up(folder.path()).await;
    let served = json!({ "enrollment": small_ledger::id(0xccc, 1), "program": "ecm", "basis": "opt_in",
                         "channel": "dhs_subcontract", "provider": small_ledger::COUNTY, "from": "2023-01-01" });
    of.ledger.record("enrolled", &pseudonym(7), small_ledger::OWN_PLAN, "2023-01-01", served).await;
    let rows = async |what: &str| {
        of.get("county", &format!("/v1/members/{}/{what}", pseudonym(7)), "application/x-ndjson").await.rows()
    };
    let enrollments = rows("enrollments").await;
    assert_eq!(enrollments.len(), 1);
    assert_eq!((&enrollments[0]["plan"], &enrollments[0]["enrolled_event"]), (&json!("la-care"), &Value::Null));
    assert!(rows("history").await.is_empty());
    let summary = of.get("county", &format!("/v1/members/{}", pseudonym(7)), "application/json").await.json();
    assert_eq!((&summary["data"]["events"], &summary["data"]["first_position"]), (&json!(0), &Value::Null));
    of.ledger.stop();
}
