//! What is another's: clients on the days of another provider, and ids that stand in another organization's record.

use reqwest::Method;
use rollbook_events::pacific_day;
use serde_json::{Value, json};

use super::small_ledger::{LIVES, OTHER_PLAN, OTHER_PROVIDER, OWN_PLAN, PROVIDER, SmallLedger, id, pseudonym};

#[tokio::test]
async fn a_provider_sees_its_clients_on_its_own_days_alone() {
    let folder = tempfile::tempdir().unwrap();
    let of = SmallLedger::up(folder.path()).await;
    let today = pacific_day(&rollbook::clock::now());
    let day = |days: i64| (today + chrono::TimeDelta::days(days)).to_string();
    // One whom the provider serves from tomorrow on, one whom it served until yesterday, one until tomorrow.
    let given = [(0xa1, day(1), None), (0xa2, "2022-06-01".into(), Some(day(0))), (0xa3, day(-9), Some(day(1)))];
    for (number, from, until) in given {
        let (member, enrollment) = (pseudonym(number), id(number, 1));
        let enrolled = json!({ "enrollment": enrollment, "program": "ecm", "basis": "opt_in",
                               "channel": "plan_direct", "provider": OTHER_PROVIDER, "from": "2022-01-01" });
        of.ledger.record("enrolled", &member, OWN_PLAN, "2022-01-01", enrolled).await;
        let mut assigned = json!({ "enrollment": enrollment, "provider": PROVIDER, "from": from });
        if let Some(until) = until {
            assigned["until"] = until.into();
        }
        of.ledger.record("provider_assigned", &member, OWN_PLAN, "2022-01-02", assigned).await;
    }
    of.ledger.caught_up().await;
    let sees = async |number: u64| {
        let path = format!("/v1/members/{}", pseudonym(number));
        of.get("provider", &path, "application/json").await.status
    };
    assert_eq!(sees(0xa1).await, 404, "from tomorrow on");
    assert_eq!(sees(0xa2).await, 404, "until yesterday");
    assert_eq!(sees(0xa3).await, 200, "until tomorrow, though another is named for later");
    let listed = of.get("provider", "/v1/enrollments?status=any", "application/x-ndjson").await.rows();
    let is_listed = |number| listed.iter().any(|row| row["member"] == pseudonym(number));
    assert_eq!([0xa1, 0xa2, 0xa3].map(is_listed), [false, false, true]);
    of.ledger.stop();
}

/// Everything that names what stands in a record.
fn words_on(of: impl Fn(u64) -> String) -> Vec<(&'static str, Value)> {
    let enrollment = of(101);
    vec![
        ("disenrolled", json!({ "enrollment": enrollment, "until": "2022-02-01", "reason": "unresponsive" })),
        ("provider_assigned", json!({ "enrollment": enrollment, "provider": PROVIDER, "from": "2022-02-01" })),
        ("lead_care_manager_assigned", json!({ "enrollment": enrollment, "manager": "m", "from": "2022-02-01" })),
        ("reassessed", json!({ "enrollment": enrollment, "on": "2022-03-01", "outcome": "continue" })),
        ("reinstated", json!({ "enrollment": enrollment, "from": "2022-04-01", "reason": "appeal" })),
        ("opted_out", json!({ "program": "ecm", "by": "member", "signed": true })),
        (
            "authorization_decided",
            json!({ "authorization": of(100), "program": "ecm", "outcome": "denied",
            "decided_at": "2021-11-21T09:30:00-08:00" }),
        ),
    ]
}

/// What says where a row, or what it rests on, stands in the log.
const OF_THE_LOG: &[&str] = &["known_from", "known_until", "because", "knew"];

#[tokio::test]
async fn an_id_of_anothers_record_names_nothing_and_tells_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let of = SmallLedger::up(folder.path()).await;
    // The fifth life is of the other plan alone.
    let life = LIVES.iter().find(|life| life.number == 5).unwrap();
    assert_eq!(life.plan, OTHER_PLAN);
    let member = pseudonym(life.member);
    let lists = ["enrollments", "authorizations", "reassessments", "clocks", "notices", "findings", "outreach"];
    let told = async |caller: &str, member: &str| {
        let mut rows = Vec::new();
        for list in lists {
            let path = format!("/v1/members/{member}/{list}");
            for row in of.get(caller, &path, "application/x-ndjson").await.rows() {
                let mut row = row.as_object().unwrap().clone();
                // Not whose it is, nor the ids that were given, nor where it stands in the log.
                row.retain(|name, value| {
                    let text = value.as_str().unwrap_or_default();
                    !text.contains("-7a10-") && !text.contains(member) && !OF_THE_LOG.contains(&name.as_str())
                });
                row.retain(|_, value| value.as_str().is_none_or(|text| text.parse::<uuid::Uuid>().is_err()));
                rows.push((list, row));
            }
        }
        rows
    };
    let before = told("other_recorder", &member).await;
    assert!(before.iter().any(|(list, _)| *list == "enrollments"));
    // Once of what the other plan has, once of what nobody has: the answers must not differ by a word.
    let nobody = pseudonym(0xb1);
    let mut answers = Vec::new();
    for (of_member, ids) in [(&member, life.number), (&nobody, 0xb2)] {
        let mut said = Vec::new();
        for (kind, data) in words_on(|n| id(ids, n)) {
            let event = json!({ "kind": kind, "member": of_member, "plan": OWN_PLAN, "county": "los-angeles",
                                "occurred_at": "2022-05-01", "data": data });
            let json = [("content-type", "application/json")];
            let answer = of.ask("recorder", Method::POST, "/v1/events", &json, Some(event.to_string())).await;
            let body = answer.json();
            let recorded = body["data"].as_array().map_or(0, Vec::len);
            said.push((answer.status, recorded, body["findings"].clone()));
        }
        of.ledger.caught_up().await;
        answers.push((said, told("recorder", of_member).await));
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].0.iter().all(|(status, ..)| *status == 201), "{:?}", answers[0].0);
    assert_eq!(told("other_recorder", &member).await, before, "nothing was said of what it has");
    let path = format!("/v1/members/{member}");
    assert_eq!(of.get("provider", &path, "application/json").await.status, 404, "nobody was given a client");
    of.ledger.stop();
}
