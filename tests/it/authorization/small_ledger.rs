//! A small ledger of several organizations, and everybody who may call it.

use std::collections::BTreeMap;

use harness::ledger::Ledger;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use super::table::{Caller, SENSITIVITIES, callers};

/// Whose record most callers may see.
pub const OWN_PLAN: &str = "la-care";
/// Whose they may not.
pub const OTHER_PLAN: &str = "health-net";
pub const COUNTY: &str = "la-county-dhs";
/// The provider among the callers.
pub const PROVIDER: &str = "1234567893";
pub const OTHER_PROVIDER: &str = "1558598797";

/// The `n`th id of the `life`th life.
pub fn id(life: u64, n: u64) -> String {
    format!("018f3c1e-7a10-7c3d-9b4e-{:012x}", life * 0x100 + n)
}

pub fn pseudonym(n: u64) -> String {
    format!("0b0b0b0b-0b0b-8b0b-8b0b-{n:012x}")
}

/// A stretch of somebody's life in one organization's record: sought, refused, carried over.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    pub number: u64,
    pub member: u64,
    pub plan: &'static str,
    pub provider: &'static str,
    /// Who serves from 2023 on, where it is another one.
    pub later: Option<&'static str>,
}

const fn life(number: u64, member: u64, plan: &'static str, provider: &'static str) -> Life {
    Life { number, member, plan, provider, later: None }
}

/// Members by their number: 1 own, 2 shared, 3 formerly, 4 other; 5 and 6 own and shared of the county.
pub const LIVES: [Life; 8] = [
    life(1, 1, OWN_PLAN, PROVIDER),
    life(2, 2, OWN_PLAN, PROVIDER),
    life(3, 2, OTHER_PLAN, OTHER_PROVIDER),
    Life { later: Some(OTHER_PROVIDER), ..life(4, 3, OTHER_PLAN, PROVIDER) },
    life(5, 4, OTHER_PLAN, OTHER_PROVIDER),
    life(6, 5, COUNTY, COUNTY),
    life(7, 6, COUNTY, COUNTY),
    life(8, 6, OTHER_PLAN, OTHER_PROVIDER),
];

impl Life {
    /// The event of an attempt of this sensitivity.
    pub fn attempt(&self, sensitivity: &str) -> String {
        let index = SENSITIVITIES.iter().position(|of| *of == sensitivity).unwrap();
        id(self.number, 2 + u64::try_from(index).unwrap())
    }

    fn events(&self) -> Vec<Value> {
        let (id, provider) = (|n| id(self.number, n), self.provider);
        let event = |n: u64, kind: &str, at: &str, sensitivity: &str, data: Value| {
            json!({ "id": id(n), "kind": kind, "member": pseudonym(self.member), "plan": self.plan, "county": "los-angeles",
                    "occurred_at": at, "source": { "system": "care_system" }, "sensitivity": sensitivity, "data": data })
        };
        let identified = json!({ "program": "ecm", "pathway": "assigned_list", "populations": ["homelessness"], "provider": provider });
        let mut events = vec![event(1, "member_identified", "2021-11-01", "none", identified)];
        for (n, sensitivity) in (2..).zip(SENSITIVITIES) {
            let attempt = json!({
                "program": "ecm", "channel": "phone", "individualized": true, "response_invited": true, "live_staff": true,
                "callback": true, "reached": "member", "staff": "clinical", "minutes": 5, "provider": provider,
            });
            events.push(event(n, "outreach_attempted", "2021-11-05", sensitivity, attempt));
        }
        let request = json!({ "authorization": id(100), "program": "ecm", "urgency": "standard", "requested_by": "member",
                              "received_at": "2021-11-20T09:30:00-08:00", "provider": provider });
        events.push(event(10, "authorization_requested", "2021-11-20", "none", request));
        let decision = json!({ "authorization": id(100), "program": "ecm", "outcome": "denied",
                               "decided_at": "2021-12-20T10:00:00-08:00", "reasons": ["no_population_of_focus"] });
        events.push(event(11, "authorization_decided", "2021-12-20", "none", decision));
        let enrolled = json!({ "enrollment": id(101), "program": "ecm", "basis": "grandfathered_wpc",
                               "channel": "plan_direct", "provider": provider, "from": "2022-01-01" });
        events.push(event(12, "enrolled", "2022-01-01", "none", enrolled));
        if let Some(later) = self.later {
            let assigned = json!({ "enrollment": id(101), "provider": later, "from": "2023-01-01" });
            events.push(event(13, "provider_assigned", "2023-01-01", "none", assigned));
        }
        events
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    /// The names of its headers, which tell nothing but what kind of answer it is.
    pub fn header_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.headers.keys().map(|name| name.as_str().to_owned()).collect();
        names.sort();
        names
    }

    /// Its rows, where it is NDJSON.
    pub fn rows(&self) -> Vec<Value> {
        self.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{}", self.text))
    }
}

/// The ledger with its callers.
pub struct SmallLedger {
    pub ledger: Ledger,
    pub callers: BTreeMap<String, (Caller, Option<String>)>,
    http: reqwest::Client,
}

impl SmallLedger {
    /// Starts it over a data folder and records the lives.
    pub async fn up(data: &std::path::Path) -> Self {
        let ledger = Ledger::up(data, None);
        let mut all = BTreeMap::new();
        let other = Caller {
            name: "other_recorder".to_owned(),
            role: "recorder".to_owned(),
            organization: OTHER_PLAN.to_owned(),
            rights: Vec::new(),
            purpose: None,
        };
        for caller in callers().into_iter().chain([other]) {
            let token = match caller.role.as_str() {
                "" => None,
                "owner" => Some(ledger.token().to_owned()),
                _ => Some(issued(&ledger, &caller)),
            };
            all.insert(caller.name.clone(), (caller, token));
        }
        let of = Self { ledger, callers: all, http: reqwest::Client::new() };
        for life in LIVES {
            let (status, answer) = of.ledger.post("/v1/events", &json!(life.events())).await;
            assert_eq!(status, 201, "{answer}");
        }
        of.ledger.caught_up().await;
        of
    }

    /// Stops it, and starts it again with its views in another database; whoever may call still may.
    pub async fn over(self, database: &str) -> Self {
        let Self { ledger, mut callers, http } = self;
        let data = ledger.data().to_owned();
        ledger.stop();
        let ledger = Ledger::up(&data, Some(database));
        for (caller, token) in callers.values_mut().filter(|(caller, _)| caller.role == "owner") {
            assert_eq!(caller.name, "owner");
            *token = Some(ledger.token().to_owned());
        }
        ledger.caught_up().await;
        Self { ledger, callers, http }
    }

    /// Asks as somebody.
    pub async fn ask(
        &self,
        caller: &str,
        method: Method,
        path: &str,
        more: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        let (of, token) = &self.callers[caller];
        let mut request = self.http.request(method, format!("{}{path}", self.ledger.url()));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(purpose) = &of.purpose {
            request = request.header("rollbook-purpose", purpose);
        }
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let response = request.body(body.unwrap_or_default()).send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }

    pub async fn get(&self, caller: &str, path: &str, accept: &str) -> Answer {
        self.ask(caller, Method::GET, path, &[("accept", accept)], None).await
    }
}

/// A token of the ledger's own.
fn issued(ledger: &Ledger, caller: &Caller) -> String {
    let rights = caller.rights.join(",");
    let mut issue =
        vec!["token", "issue", "--name", &caller.name, "--org", &caller.organization, "--role", &caller.role];
    if !rights.is_empty() {
        issue.extend(["--rights", &rights]);
    }
    ledger.ok(&issue).trim().to_owned()
}
