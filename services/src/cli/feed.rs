//! `rollbook feed`: how far the feed of a plan is, its messages, the receipt that both sides compare, and what a subscriber is
//! let to do on the servers of the log.

use reqwest::Method;
use reqwest::header::ACCEPT;
use rollbook_events::PlanCode;
use serde_json::{Value, json};

use super::client::{Client, Connection, Parameter, copy};
use super::exit::{Exit, Stop};
use super::output::Output;
use super::table::{Row, render};
use crate::feed::permissions;

const EXAMPLES: &str = "\
Examples:
  rollbook feed status --plan la-care
  rollbook feed follow --plan la-care --from 1 --no-wait
  rollbook feed receipt --plan la-care --number 1000

Every event of a plan stands in its feed once, numbered 1, 2, 3, ... in the order of the log. The receipt after a message is \
SHA-256 over the receipt before (32 zero bytes at first) and the SHA-256 of the message's bytes: who holds the same receipt at the \
same number has missed nothing. deploy/examples has subscribers in Python and Node.";

const STATUS_EXAMPLES: &str = "\
Examples:
  rollbook feed status --plan la-care
  rollbook feed status --json";

const FOLLOW_EXAMPLES: &str = "\
Examples:
  rollbook feed follow --plan la-care
  rollbook feed follow --plan la-care --from 1 --kind enrolled,disenrolled --no-wait

A message a line, as its bytes stand in the feed, and heartbeats, which are objects of the one key `heartbeat`.";

const RECEIPT_EXAMPLES: &str = "\
Examples:
  rollbook feed receipt --plan la-care
  rollbook feed receipt --plan la-care --number 2 --equals 0000000000000000000000000000000000000000000000000000000000000000

Exit code 1 where the receipt is another than the one given.";

const WEBHOOKS_EXAMPLES: &str = "\
Examples:
  rollbook feed webhooks
  rollbook feed webhooks --json

Exit code 1 where one has given a message up, or the last call failed.";

const REPLAY_EXAMPLES: &str = "\
Examples:
  rollbook feed replay la-care-enrollments --from 120 --to 140
  rollbook feed replay la-care-enrollments --from 1

Messages are called for once more in their order, before anything new. The receiver tells them by the header webhook-id, which is \
the event's id each time.";

const PERMISSIONS_EXAMPLES: &str = "\
Examples:
  rollbook feed permissions la-care --key UAKEYOFTHESUBSCRIBER
  rollbook feed permissions la-care --key UAKEYOFTHESUBSCRIBER --consumers 3

Put it among the users of the account FEED in server.conf and reload the servers. The subscriber asks JetStream under the prefix \
FEED.API, sets the prefix of its inbox to what `subscribe` says, and makes durable pull consumers of these names, filtered to the \
plan's subjects.";

/// Follows the feed of a plan, compares receipts, and prints what a subscriber may do
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Feed {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Verb {
    /// Shows how far the feed of a plan is
    #[command(after_help = STATUS_EXAMPLES)]
    Status(Ask),
    /// Prints the messages of a plan's feed as they come
    #[command(after_help = FOLLOW_EXAMPLES)]
    Follow {
        /// From this number on [default: 1]
        #[arg(long, value_name = "NUMBER")]
        from: Option<u64>,
        /// Of these kinds alone
        #[arg(long, value_name = "KIND,...")]
        kind: Option<String>,
        /// About these programs alone
        #[arg(long, value_name = "PROGRAM,...")]
        program: Option<String>,
        /// End with the last message there is now
        #[arg(long)]
        no_wait: bool,
        #[command(flatten)]
        whose: Whose,
    },
    /// Shows the receipt of a plan's feed up to a number, or compares it
    #[command(after_help = RECEIPT_EXAMPLES)]
    Receipt {
        /// Up to this number [default: the last one]
        #[arg(long, value_name = "NUMBER")]
        number: Option<u64>,
        /// The receipt that a subscriber holds
        #[arg(long, value_name = "RECEIPT")]
        equals: Option<String>,
        #[command(flatten)]
        ask: Ask,
    },
    /// Shows how the webhooks stand
    #[command(after_help = WEBHOOKS_EXAMPLES)]
    Webhooks {
        /// The answer as the API gives it
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        connection: Connection,
    },
    /// Calls a webhook once more for a stretch of its feed
    #[command(after_help = REPLAY_EXAMPLES)]
    Replay {
        /// Its name in the operator's file
        subscription: String,
        /// The first number
        #[arg(long, value_name = "NUMBER")]
        from: u64,
        /// The last number [default: the last one settled]
        #[arg(long, value_name = "NUMBER")]
        to: Option<u64>,
        #[command(flatten)]
        connection: Connection,
    },
    /// Prints what a subscriber of a plan is let to do, for the servers' configuration
    #[command(after_help = PERMISSIONS_EXAMPLES)]
    Permissions {
        /// The plan
        plan: PlanCode,
        /// The subscriber's public nkey, which begins with U
        #[arg(long, value_name = "NKEY")]
        key: String,
        /// How many consumers it may make
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=i64::from(permissions::MOST_CONSUMERS)))]
        consumers: u8,
    },
}

/// Whose feed.
#[derive(Debug, Clone, clap::Args)]
struct Whose {
    /// The plan [default: the organization of the token]
    #[arg(long)]
    plan: Option<PlanCode>,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Debug, Clone, clap::Args)]
struct Ask {
    /// The answer as the API gives it
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    whose: Whose,
}

impl Whose {
    fn parameters(&self) -> Vec<Parameter> {
        self.plan.iter().map(|plan| ("plan", plan.to_string())).collect()
    }
}

/// Follows, shows, compares or prints.
///
/// # Errors
/// Where the ledger cannot answer, or the receipt is another.
pub async fn run(feed: &Feed, output: &mut Output) -> anyhow::Result<Exit> {
    let exit = match &feed.verb {
        Verb::Status(ask) => show("status", ask, Vec::new(), output).await?,
        Verb::Receipt { number, equals, ask } => {
            let mut more: Vec<Parameter> = number.iter().map(|number| ("number", number.to_string())).collect();
            more.extend(equals.iter().map(|receipt| ("receipt", receipt.clone())));
            show("receipt", ask, more, output).await?
        }
        Verb::Follow { from, kind, program, no_wait, whose } => {
            let mut query = whose.parameters();
            query.extend(from.iter().map(|from| ("from", from.to_string())));
            query.extend(kind.iter().map(|kind| ("kind", kind.clone())));
            query.extend(program.iter().map(|program| ("program", program.clone())));
            query.push(("wait", (!no_wait).to_string()));
            let client = whose.connection.client()?;
            let request = client.get(&["v1", "feed"], &query).header(ACCEPT, "application/x-ndjson");
            copy(client.send(request).await?, output, None).await?;
            Exit::Done
        }
        Verb::Webhooks { json, connection } => webhooks(*json, connection, output).await?,
        Verb::Replay { subscription, from, to, connection } => {
            let client = connection.client()?;
            let mut query: Vec<Parameter> = vec![("from", from.to_string())];
            query.extend(to.iter().map(|to| ("to", to.to_string())));
            let path = ["v1", "feed", "webhooks", subscription, "replay"];
            let answer = client.json(client.request(Method::POST, &path, &query)).await?;
            output.line(answer.pointer("/data/replay").unwrap_or(&Value::Null))?;
            Exit::Done
        }
        Verb::Permissions { plan, key, consumers } => {
            let plain = !key.is_empty() && key.bytes().all(|c| c.is_ascii_alphanumeric());
            if !plain {
                return Err(Stop::usage("the key is no public nkey")
                    .next("`nk -pubout` prints it: U and letters")
                    .into());
            }
            output.write(permissions::block(plan, key, *consumers).as_bytes())?;
            Exit::Done
        }
    };
    output.flush()?;
    Ok(exit)
}

async fn webhooks(json: bool, connection: &Connection, output: &mut Output) -> anyhow::Result<Exit> {
    let client = connection.client()?;
    let answer = client.json(client.get(&["v1", "feed", "webhooks"], &[])).await?;
    let rows: Vec<Row> = answer
        .get("data")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .cloned()
        .collect();
    if json {
        output.line(&answer)?;
    } else {
        output.line(render(&rows, &["subscription", "plan", "settled", "given_up", "trouble"], output.terminal()))?;
    }
    let well = |row: &Row| {
        row.get("given_up").and_then(Value::as_u64) == Some(0) && row.get("trouble").is_none_or(Value::is_null)
    };
    Ok(if rows.iter().all(well) { Exit::Done } else { Exit::No })
}

async fn show(what: &str, ask: &Ask, more: Vec<Parameter>, output: &mut Output) -> anyhow::Result<Exit> {
    let client: Client = ask.whose.connection.client()?;
    let query = [ask.whose.parameters(), more].concat();
    let answer = client.json(client.request(Method::GET, &["v1", "feed", what], &query)).await?;
    if ask.json {
        output.line(&answer)?;
    } else {
        let data = answer.get("data").and_then(Value::as_object).cloned().unwrap_or_default();
        let row = |(name, value)| Row::from_iter([("what".to_owned(), json!(name)), ("is".to_owned(), value)]);
        let rows: Vec<Row> = data.into_iter().map(row).collect();
        output.line(render(&rows, &[], output.terminal()))?;
    }
    Ok(if answer.pointer("/data/equal") == Some(&json!(false)) { Exit::No } else { Exit::Done })
}
