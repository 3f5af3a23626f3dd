//! What the verbs that ask have in common: as of when, how many rows, and how they are shown.

use reqwest::header::ACCEPT;
use serde_json::Value;

use super::client::{Client, Cut, Parameter, copy};
use super::exit::{Exit, Stop};
use super::output::Output;
use super::table::{Row, clean, render};

/// How an answer is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A table of the main columns, and under it how far the ledger had read.
    Table,
    /// The answer as the API gives it: a page of rows, with position and rulebook.
    Json,
    /// Every row as a JSON object on a line, streamed.
    Ndjson,
    /// Every row as CSV with a header, streamed.
    Csv,
}

/// How rows are shown, and how many.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "What is shown")]
pub struct Show {
    /// How the answer is shown [default: table; with --all: ndjson]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Rows at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Every row there is, streamed
    #[arg(long, conflicts_with_all = ["limit", "json"])]
    all: bool,
    /// Every column, not the main ones alone
    #[arg(long)]
    wide: bool,
}

/// As of when a question is asked.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "As of when")]
pub struct When {
    /// What was true on this day
    #[arg(long, value_name = "DAY")]
    effective_at: Option<chrono::NaiveDate>,
    /// What the ledger knew at this position, or at this instant (2025-01-31T12:00:00Z)
    #[arg(long, value_name = "POSITION|INSTANT")]
    known_at: Option<String>,
    /// Wait until the views hold this position
    #[arg(long, value_name = "POSITION")]
    at_least: Option<u64>,
    /// How long to wait for it, in milliseconds
    #[arg(long, value_name = "MS", requires = "at_least")]
    wait_ms: Option<u64>,
}

/// A question.
#[derive(Debug)]
pub struct Question<'a> {
    /// Its path, in segments.
    pub path: &'a [&'a str],
    /// Its parameters; those without a value are not sent.
    pub query: Vec<(&'static str, Option<String>)>,
    /// The columns of its table, where all would be too many.
    pub columns: &'a [&'a str],
}

impl When {
    /// Its parameters.
    pub fn query(&self) -> Vec<(&'static str, Option<String>)> {
        vec![
            ("effective_at", self.effective_at.map(|day| day.to_string())),
            ("known_at", self.known_at.clone()),
            ("at_least", self.at_least.map(|position| position.to_string())),
            ("wait_ms", self.wait_ms.map(|ms| ms.to_string())),
        ]
    }
}

impl Show {
    fn format(&self) -> anyhow::Result<Format> {
        match (self.format, self.all) {
            (Some(Format::Table | Format::Json), true) => {
                let next = "leave --format out, or give --format ndjson or --format csv";
                Err(Stop::usage("--all streams every row, which neither a table nor one JSON answer can hold").next(next).into())
            }
            (Some(format), _) => Ok(format),
            (None, true) => Ok(Format::Ndjson),
            (None, false) => Ok(if self.json { Format::Json } else { Format::Table }),
        }
    }
}

/// Asks, and shows the answer.
///
/// # Errors
/// Where the ledger cannot answer, or the output fails.
pub async fn ask(client: &Client, question: Question<'_>, show: &Show, output: &mut Output) -> anyhow::Result<Exit> {
    let format = show.format()?;
    let limit = ("limit", show.limit.map(|limit| limit.to_string()));
    let given = question.query.into_iter().chain([limit]);
    let query: Vec<Parameter> = given.filter_map(|(name, value)| Some((name, value?))).collect();
    let request = client.get(question.path, &query);
    let streamed = |request: reqwest::RequestBuilder, accept| client.send(request.header(ACCEPT, accept));
    match format {
        Format::Table => {
            let answer = client.json(request).await?;
            let columns = if show.wide { &[] } else { question.columns };
            output.line(shown(&answer, columns, output.terminal()))?;
        }
        Format::Json => output.line(client.json(request).await?)?,
        Format::Ndjson => {
            copy(streamed(request, "application/x-ndjson").await?, output, show.limit.map(Cut::ndjson)).await?;
        }
        Format::Csv => copy(streamed(request, "text/csv").await?, output, show.limit.map(Cut::csv)).await?,
    }
    output.flush()?;
    Ok(Exit::Done)
}

fn shown(answer: &Value, columns: &[&str], terminal: bool) -> String {
    let rows = rows(answer);
    let table = if rows.is_empty() { "no rows".to_owned() } else { render(&rows, columns, terminal) };
    let more = answer.get("next").is_some_and(|next| !next.is_null());
    let more = if more { "there are more rows: --limit N for more of them, --all for all\n" } else { "" };
    format!("{table}\n\n{more}{}", footer(answer))
}

/// The rows of an answer; one thing is one row.
fn rows(answer: &Value) -> Vec<Row> {
    let one = |value: &Value| value.as_object().cloned();
    match answer.get("data") {
        Some(Value::Array(rows)) => rows.iter().filter_map(one).collect(),
        Some(data) => one(data).into_iter().collect(),
        None => Vec::new(),
    }
}

/// How far the ledger had read, and by which rules it answered.
fn footer(answer: &Value) -> String {
    let number = |name: &str| answer.get(name).and_then(Value::as_u64);
    let position = number("position").map(|position| format!("position {position}"));
    let lag = number("lag_ms").map(|lag| format!("{lag} ms behind"));
    let rulebook = answer.get("rulebook").and_then(Value::as_str);
    let rulebook = rulebook.map(|hash| format!("rulebook {}", clean(&hash.chars().take(8).collect::<String>())));
    [position, lag, rulebook].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn under_a_table_stands_how_far_the_ledger_had_read() {
        let answer = json!({
            "data": [{ "plan": "la-care" }], "position": 7, "lag_ms": 0, "rulebook": "abcd1234ffff", "next": "c",
        });
        let expected = " plan\n la-care\n\nthere are more rows: --limit N for more of them, --all for all\n\
                        position 7, 0 ms behind, rulebook abcd1234";
        assert_eq!(shown(&answer, &[], false), expected);
        assert_eq!(shown(&json!({ "data": [], "position": 7 }), &[], false), "no rows\n\nposition 7");
    }

    fn show(format: Option<Format>, json: bool, all: bool) -> Show {
        Show { format, json, limit: None, all, wide: false }
    }

    #[test]
    fn all_rows_are_streamed_and_a_table_is_a_page() {
        assert_eq!(show(None, false, false).format().unwrap(), Format::Table);
        assert_eq!(show(None, true, false).format().unwrap(), Format::Json);
        assert_eq!(show(None, false, true).format().unwrap(), Format::Ndjson);
        assert_eq!(show(Some(Format::Csv), false, true).format().unwrap(), Format::Csv);
        assert_eq!(Exit::of(&show(Some(Format::Table), false, true).format().unwrap_err()), Exit::Usage);
    }
}
