//! What the running ledger must do: answer, be ready, know the token, keep up, and keep its log's settings.

use anyhow::Error;
use serde_json::Value;

use super::Check;
use crate::cli::client::Connection;
use crate::cli::standing::Standing;
use crate::log::SettingsError;

/// Behind by more events than this, the views do not merely trail a busy log.
const MOST_BEHIND: u64 = 10_000;

/// Members that stand still and are named; `rollbook status` names the others.
const MOST_STUCK: usize = 5;

pub(super) async fn checks(connection: &Connection) -> anyhow::Result<Vec<Check>> {
    let url = connection.address()?;
    let client = connection.client()?;
    if let Err(error) = client.send(client.get(&["healthz"], &[])).await {
        let todo = "start it with: rollbook up; or give its address with --url";
        // The rest would only say the same again.
        return Ok(vec![Check::fail(told(&error), todo)]);
    }
    let mut checks = vec![Check::ok(format!("a ledger answers at {url}"))];
    checks.push(match client.send(client.get(&["readyz"], &[])).await {
        Ok(_) => Check::ok("it is ready"),
        Err(error) => Check::fail(format!("it is not ready: {}", told(&error)), "wait a little; its own log says more"),
    });
    if connection.token(&url)?.is_none() {
        let todo = "give one with ROLLBOOK_TOKEN or --data DIR; `rollbook token issue` makes one";
        checks.push(Check::fail("there is no token to call with", todo));
        return Ok(checks);
    }
    match Standing::of(&client).await {
        Ok(standing) => {
            checks.push(Check::ok("the token is accepted"));
            checks.push(caught_up(&standing));
            checks.extend(health(&standing));
        }
        Err(error) => {
            let todo = "give another with ROLLBOOK_TOKEN; `rollbook token issue` makes one";
            checks.push(Check::fail(format!("the status was refused: {}", told(&error)), todo));
        }
    }
    Ok(checks)
}

fn caught_up(standing: &Standing) -> Check {
    let Standing { position, head, .. } = standing;
    match standing.gap() {
        0 => Check::ok(format!("the views hold everything up to position {position}")),
        gap if gap <= MOST_BEHIND => Check::ok(format!("the views are {gap} events behind the log's {head}")),
        gap => {
            let todo = "look again in a minute: if the number does not fall, the projector's log says why";
            Check::fail(format!("the views are {gap} events behind the log's {head}"), todo)
        }
    }
}

/// What the status says of the log's settings and of members whose views stand still.
fn health(standing: &Standing) -> Vec<Check> {
    let data = standing.data();
    let mut checks = vec![log(data.get("log").and_then(Value::as_str).unwrap_or("the status does not tell"))];
    checks.extend(guards(data));
    if let Some(trouble) = data.get("trouble").and_then(Value::as_str) {
        checks.push(Check::fail(format!("the projector is in trouble: {trouble}"), "its own log says more"));
    }
    for stuck in data.get("stuck").and_then(Value::as_array).into_iter().flatten().take(MOST_STUCK) {
        let told = |name: &str| stuck.get(name).map(ToString::to_string).unwrap_or_default();
        let what =
            format!("the views of member {} stand still at {}: {}", told("member"), told("position"), told("cause"));
        checks.push(Check::fail(
            what,
            "run a version that knows the event: it tries again by itself; or: rollbook rebuild --member ID",
        ));
    }
    checks
}

/// What the guards of the running ledger say.
fn guards(data: &Value) -> Vec<Check> {
    let troubles = data.get("troubles").and_then(Value::as_array).into_iter().flatten();
    let checks: Vec<Check> = troubles
        .map(|trouble| {
            let told = |name: &str| trouble.get(name).and_then(Value::as_str).unwrap_or_default();
            let (check, cause) = (told("check"), told("cause"));
            let what = match told("forbids") {
                "recording" => format!("nothing is recorded, says the guard {check}: {cause}"),
                _ => format!("the guard {check} says: {cause}"),
            };
            Check::fail(what, todo(check))
        })
        .collect();
    if checks.is_empty() { vec![Check::ok("no guard finds anything wrong")] } else { checks }
}

/// What to do where a guard is red.
fn todo(check: &str) -> &'static str {
    match check {
        "settings" => "set the setting back as deploy/README.md says; recording goes on within a minute",
        "disk" => "make room, or move the data folder; recording goes on within seconds",
        "clock" => "set the machine's clock right",
        "log" => "see that the NATS server runs and can be reached",
        "receipt" | "position" | "missing" | "hole" | "identity_hole" => {
            "do not start anything anew over it: restore the stream from the archive, with rollbook restore"
        }
        "identity_destroyed" => "see that the log's server and the data folder can be written; it goes on trying",
        "receipt_file" => "make the data folder writable again",
        "member" => {
            "rollbook status names whom; restore the log from the archive, or run a version that knows the event"
        }
        _ => "the ledger's own log says more",
    }
}

fn log(told: &str) -> Check {
    if told == "ok" {
        return Check::ok("the log's settings keep the promises");
    }
    if told == SettingsError::NotChecked.to_string() {
        return Check::warn(format!("the log: {told}"), "name the server's monitoring address: --monitoring");
    }
    Check::fail(format!("the log: {told}"), "set it back, and see that the server runs; until then promises are broken")
}

fn told(error: &Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Verdict;
    use super::*;

    fn standing(answer: Value, position: u64, head: u64) -> Standing {
        Standing { answer, position, head }
    }

    #[test]
    fn views_that_trail_a_little_are_well() {
        assert_eq!(caught_up(&standing(json!({}), 5, 5)).verdict, Verdict::Ok);
        assert_eq!(caught_up(&standing(json!({}), 5, 50)).verdict, Verdict::Ok);
        assert!(matches!(caught_up(&standing(json!({}), 5, 50_000)).verdict, Verdict::Fail { .. }));
    }

    #[test]
    fn what_a_guard_finds_is_told_with_what_to_do() {
        let disk = json!({ "check": "disk", "cause": "1 MB is free", "forbids": "recording" });
        let log = json!({ "check": "log", "cause": "no connection", "forbids": "nothing" });
        let told = guards(&json!({ "troubles": [disk, log] }));
        assert_eq!(told.len(), 2);
        let first = told[0].to_string();
        assert!(first.starts_with("FAIL  nothing is recorded, says the guard disk: 1 MB is free"), "{first}");
        assert!(first.contains("make room"), "{first}");
        assert!(told[1].to_string().starts_with("FAIL  the guard log says: no connection"));
    }

    #[test]
    fn a_drifted_setting_trouble_and_members_that_stand_still_fail() {
        let well = health(&standing(json!({ "data": { "log": "ok", "trouble": null, "stuck": [] } }), 1, 1));
        let none = Check::ok("no guard finds anything wrong");
        assert_eq!(well, [Check::ok("the log's settings keep the promises"), none]);
        let stuck = json!([{ "member": "m", "position": 7, "cause": "undecodable" }]);
        let bad = json!({ "data": { "log": "the setting max_age is 5", "trouble": "it stopped", "stuck": stuck } });
        let bad = health(&standing(bad, 1, 1));
        let failed = bad.iter().filter(|check| matches!(check.verdict, Verdict::Fail { .. }));
        assert_eq!(failed.count(), 3);
        assert!(matches!(log(&SettingsError::NotChecked.to_string()).verdict, Verdict::Warn { .. }));
    }
}
