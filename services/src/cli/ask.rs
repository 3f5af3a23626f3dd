//! What the verbs that ask have in common: as of when, how many rows, and how they are shown.

use reqwest::Response;
use reqwest::header::ACCEPT;
use serde_json::Value;

use super::client::{Client, Cut, Parameter, copy};
use super::exit::{Exit, Stop};
use super::output::Output;
use super::table::{Row, clean, render};

/// Rows that the API gives in one page.
const MOST_ROWS: u32 = 1_000;

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
pub struct AsOf {
    /// What the ledger knew at this position, or at this instant (2025-01-31T12:00:00Z)
    #[arg(long, value_name = "POSITION|INSTANT")]
    known_at: Option<String>,
    /// Wait until the views hold this position
    #[arg(long, value_name = "POSITION")]
    at_least: Option<u64>,
    /// How long to wait for it, in milliseconds, at most 30000
    #[arg(long, value_name = "MS", requires = "at_least", value_parser = clap::value_parser!(u32).range(..=30_000))]
    wait_ms: Option<u32>,
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

impl AsOf {
    /// Its parameters.
    pub fn query(&self) -> Vec<(&'static str, Option<String>)> {
        vec![
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
                Err(Stop::usage("--all streams every row, which neither a table nor one JSON answer can hold")
                    .next(next)
                    .into())
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
    let query = question.query.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    match format {
        Format::Table => {
            let answer = pages(client, question.path, query, show.limit).await?;
            let columns = if show.wide { &[] } else { question.columns };
            output.line(shown(&answer, columns, output.terminal()))?;
        }
        Format::Json => output.line(pages(client, question.path, query, show.limit).await?)?,
        Format::Ndjson => {
            let answer = streamed(client, question.path, query, show.limit, "application/x-ndjson").await?;
            copy(answer, output, show.limit.map(Cut::ndjson)).await?;
        }
        Format::Csv => {
            let answer = streamed(client, question.path, query, show.limit, "text/csv").await?;
            copy(answer, output, show.limit.map(Cut::csv)).await?;
        }
    }
    output.flush()?;
    Ok(Exit::Done)
}

/// Every row, or as many as are wanted: a limit past the API's own is left to the reader of the stream.
async fn streamed(
    client: &Client,
    path: &[&str],
    mut query: Vec<Parameter>,
    limit: Option<u32>,
    accept: &'static str,
) -> anyhow::Result<Response> {
    let within = limit.filter(|limit| *limit <= MOST_ROWS);
    query.extend(within.map(|limit| ("limit", limit.to_string())));
    client.send(client.get(path, &query).header(ACCEPT, accept)).await
}

/// One answer of as many rows as are wanted, from as many pages as that takes. Later pages are as of the first one's position.
async fn pages(client: &Client, path: &[&str], mut query: Vec<Parameter>, limit: Option<u32>) -> anyhow::Result<Value> {
    let Some(mut missing) = limit else { return client.json(client.get(path, &query)).await };
    let mut whole: Option<Value> = None;
    loop {
        let mut page = query.clone();
        page.push(("limit", missing.min(MOST_ROWS).to_string()));
        let answer = client.json(client.get(path, &page)).await?;
        let next = answer.get("next").and_then(Value::as_str).map(str::to_owned);
        let rows = answer.get("data").and_then(Value::as_array).map_or(0, Vec::len);
        missing = missing.saturating_sub(u32::try_from(rows).unwrap_or(u32::MAX));
        let so_far = joined(whole, answer);
        let Some(next) = next.filter(|_| missing > 0 && rows > 0) else { return Ok(so_far) };
        whole = Some(so_far);
        query.retain(|(name, _)| *name != "cursor");
        query.push(("cursor", next));
    }
}

/// An answer with the rows of its next page.
fn joined(whole: Option<Value>, mut page: Value) -> Value {
    let Some(mut whole) = whole else { return page };
    if let (Some(Value::Array(rows)), Some(Value::Array(more))) = (whole.get_mut("data"), page.get_mut("data")) {
        rows.append(more);
    }
    if let (Some(next), Some(later)) = (whole.get_mut("next"), page.get_mut("next")) {
        *next = later.take();
    }
    whole
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

    #[test]
    fn pages_are_joined_and_the_last_cursor_counts() {
        let page = |row: u8, next: Value| json!({ "data": [row], "position": 7, "next": next });
        let whole = joined(Some(page(1, json!("c"))), page(2, Value::Null));
        assert_eq!(whole, json!({ "data": [1, 2], "position": 7, "next": null }));
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
