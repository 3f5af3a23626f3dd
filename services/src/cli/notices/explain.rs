//! `rollbook notices explain`: why a notice is, or is not, required, in plain sentences; and whether it comes out the same
//! when it is decided again.

use rollbook_events::EventId;
use serde_json::Value;

use super::super::ask::AsOf;
use super::super::client::Connection;
use super::super::exit::Exit;
use super::super::output::Output;
use super::super::table::clean;

const EXAMPLES: &str = "\
Examples:
  rollbook notices explain 018f3c1e-7a10-7c3d-9b4e-000000000001
  rollbook notices explain 018f3c1e-7a10-7c3d-9b4e-000000000001 --reproduce --json

With --reproduce the ledger decides again what it decided then, and the exit code is 1 where that is not the same to the \
byte.";

/// Explains a determination: each reason with its rule, what it rests on, what became of the notice
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Explain {
    /// The determination's id, as `rollbook notices` shows it
    #[arg(value_name = "ID")]
    id: EventId,
    /// Decide it again, by what was known just before it and under the rulebook it names, and compare
    #[arg(long)]
    reproduce: bool,
    /// As one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    as_of: AsOf,
    #[command(flatten)]
    connection: Connection,
}

/// Explains.
///
/// # Errors
/// Where there is no such determination, or the ledger cannot answer.
pub async fn run(explain: &Explain, output: &mut Output) -> anyhow::Result<Exit> {
    let client = explain.connection.client()?;
    let id = explain.id.to_string();
    let mut query = explain.as_of.query();
    query.push(("reproduce", explain.reproduce.then(|| "true".to_owned())));
    let query: Vec<_> = query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let answer = client.json(client.get(&["v1", "notices", &id], &query)).await?;
    if explain.json {
        output.line(&answer)?;
    } else {
        for line in in_words(&answer) {
            output.line(clean(&line))?;
        }
    }
    output.flush()?;
    Ok(exit(&answer))
}

/// No, where it was decided again and came out otherwise.
fn exit(answer: &Value) -> Exit {
    let equal = answer.pointer("/data/reproduced/equal").and_then(Value::as_bool);
    if equal == Some(false) { Exit::No } else { Exit::Done }
}

/// The sentences, and what deciding again came to.
fn in_words(answer: &Value) -> Vec<String> {
    let texts = |value: Option<&Value>| -> Vec<String> {
        value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let mut lines = texts(answer.pointer("/data/sentences"));
    match answer.pointer("/data/reproduced") {
        Some(again) if again.get("equal") == Some(&Value::Bool(true)) => {
            lines.push("Decided again, it comes out the same, byte for byte.".to_owned());
        }
        Some(again) => {
            let fields = texts(again.get("differences")).join(", ");
            lines.push(format!("Decided again, it comes out otherwise: {fields}."));
            lines.extend(again.get("stored").map(|stored| format!("stored: {stored}")));
            lines.push(again.get("again").map_or("again: nothing".to_owned(), |again| format!("again: {again}")));
        }
        None => {}
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_without_a_second_decision_is_its_sentences() {
        let answer = json!({ "data": { "sentences": ["One.", "Two."] } });
        assert_eq!((in_words(&answer), exit(&answer)), (vec!["One.".to_owned(), "Two.".to_owned()], Exit::Done));
    }

    #[test]
    fn what_comes_out_otherwise_is_told_and_ends_with_no() {
        let same = json!({ "data": { "sentences": [], "reproduced": { "equal": true } } });
        assert_eq!((in_words(&same).len(), exit(&same)), (1, Exit::Done));
        let again = json!({ "equal": false, "stored": { "rule": "NOA-1" }, "differences": ["limbs", "rule"] });
        let other = json!({ "data": { "sentences": [], "reproduced": again } });
        let expected =
            ["Decided again, it comes out otherwise: limbs, rule.", "stored: {\"rule\":\"NOA-1\"}", "again: nothing"];
        assert_eq!(in_words(&other), expected);
        assert_eq!(exit(&other), Exit::No);
    }
}
