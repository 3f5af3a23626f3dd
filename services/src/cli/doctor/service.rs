//! What the running ledger must do: answer, be ready, know the token, keep up, and keep its log's settings.

use anyhow::Error;
use serde_json::Value;

use super::Check;
use crate::cli::client::Connection;
use crate::cli::standing::Standing;

/// Behind by more events than this, the views do not merely trail a busy log.
const MOST_BEHIND: u64 = 10_000;

pub(super) async fn checks(connection: &Connection) -> anyhow::Result<Vec<Check>> {
    let url = connection.address()?;
    let client = connection.client()?;
    if let Err(error) = client.send(client.get(&["healthz"], &[])).await {
        let todo = "start it with: rollbook up; or give its address with --url";
        // The rest would only say the same again.
        return Ok(vec![Check::fail(format!("no ledger answers at {url}: {}", told(&error)), todo)]);
    }
    let mut checks = vec![Check::ok(format!("a ledger answers at {url}"))];
    checks.push(match client.send(client.get(&["readyz"], &[])).await {
        Ok(_) => Check::ok("it is ready"),
        Err(error) => Check::fail(format!("it is not ready: {}", told(&error)), "wait a little; its own log says more"),
    });
    if connection.token(&url).is_none() {
        let todo = "give one with ROLLBOOK_TOKEN or --data DIR; `rollbook token issue` makes one";
        checks.push(Check::fail("there is no token to call with", todo));
        return Ok(checks);
    }
    match Standing::of(&client).await {
        Ok(standing) => {
            checks.push(Check::ok("the token is accepted"));
            checks.push(caught_up(&standing));
            checks.extend(settings(&standing));
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

/// What the status says against the ledger, whatever part says so: a false `ok`, or a trouble that is told.
fn settings(standing: &Standing) -> Vec<Check> {
    let mut checks = Vec::new();
    for (name, value) in standing.fields() {
        let last = name.rsplit('.').next().unwrap_or_default();
        match (last, &value) {
            ("ok", Value::Bool(false)) => {
                checks.push(Check::fail(format!("the status says no: {name}"), "`rollbook status` shows it in full"));
            }
            ("trouble" | "drift" | "cause", Value::String(trouble)) => {
                checks.push(Check::fail(format!("{name}: {trouble}"), "mend it; the ledger's own log says more"));
            }
            ("stuck", Value::Number(stuck)) if stuck.as_u64() != Some(0) => {
                let todo = "their events cannot be applied; `rollbook status` and the ledger's own log say which";
                checks.push(Check::fail(format!("the views of {stuck} members stand still"), todo));
            }
            _ => {}
        }
    }
    if checks.is_empty() {
        checks.push(Check::ok("the log's settings keep the promises, and no member stands still"));
    }
    checks
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
    fn trouble_in_the_status_is_named() {
        assert_eq!(settings(&standing(json!({ "data": { "stuck": 0 } }), 1, 1)).len(), 1);
        let bad = settings(&standing(json!({ "data": { "stuck": 2, "streams": [{ "ok": false }] } }), 1, 1));
        assert_eq!(bad.len(), 2);
        assert!(bad.iter().all(|check| matches!(check.verdict, Verdict::Fail { .. })));
    }
}
