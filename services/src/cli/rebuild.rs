//! `rollbook rebuild`: the views anew from the log, beside the living ones; or one member's.

use std::io::{BufRead, IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::HumanCount;
use reqwest::Method;
use serde_json::Value;

use super::client::{Client, Connection, Parameter};
use super::exit::{Exit, Stop};
use super::member::Member;
use super::meter::Meter;
use super::output::Output;
use super::pace::{duration, whole};
use super::standing::Standing;
use super::table::{Row, render};

const EXAMPLES: &str = "\
Examples:
  rollbook rebuild --yes
  rollbook rebuild --accept-differences --yes
  rollbook rebuild --status
  rollbook rebuild --back --yes
  rollbook rebuild --member 018f3c1e-7a10-8c3d-9b4e-0123456789ab

Views are functions of the log. A rebuild reads the whole log into new tables beside the living ones, which go on answering; \
once it has caught up it compares both, row by row, and switches all programs to the new ones at once. Where rows differ it \
does not switch: look at what it names, then accept or cancel. The old tables stay until --forget or the next rebuild, and \
--back lets them catch up and switches back. A rebuild that is interrupted goes on by itself. The log is never touched.

--member makes one person's rows anew, with those of linked members, in one transaction: after a fix, for a member whose \
views stand still. A new program version tries all of these by itself when it starts.";

/// Between two looks at how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long one member may take.
const MOST_FOR_A_MEMBER: Duration = Duration::from_secs(180);

/// Builds the views anew from the log, beside the living ones, and switches to them
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Rebuild {
    /// Do not ask first
    #[arg(long)]
    yes: bool,
    /// Switch though the new views differ from the live ones; also for those that wait for it already
    #[arg(long, conflicts_with_all = ["status", "cancel", "back", "forget", "member"])]
    accept_differences: bool,
    #[command(flatten)]
    instead: Instead,
    /// The answer as the API gives it
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// What is wanted instead of a rebuild.
#[derive(Debug, Clone, clap::Args)]
#[group(multiple = false)]
struct Instead {
    /// Show which views are live, kept from before and being built, and how far they are
    #[arg(long)]
    status: bool,
    /// Give up what is being built
    #[arg(long)]
    cancel: bool,
    /// Go back to the views that were live before, once they have caught up
    #[arg(long)]
    back: bool,
    /// Drop the views that were live before
    #[arg(long)]
    forget: bool,
    /// Make one member's rows anew: pseudonym (a UUID), CIN, or - to read one of them from stdin
    #[arg(long, value_name = "MEMBER")]
    member: Option<Member>,
}

/// Rebuilds, or does what is wanted instead.
///
/// # Errors
/// Where nobody agreed to it, or the ledger is not there any more.
pub async fn run(rebuild: &Rebuild, output: &mut Output) -> anyhow::Result<Exit> {
    let client = rebuild.connection.client()?;
    let path = ["v1", "views", "rebuild"];
    let instead = &rebuild.instead;
    if let Some(member) = &instead.member {
        return one_member(&client, member, rebuild.json, output).await;
    }
    if instead.status {
        let found = client.json(client.get(&path, &[])).await?;
        return show(&found, rebuild.json, output);
    }
    if instead.cancel {
        let answer = asked(&client, Method::DELETE, &path, &[]).await?;
        return show(&answer, rebuild.json, output);
    }
    if instead.forget {
        let answer = asked(&client, Method::DELETE, &["v1", "views", "previous"], &[]).await?;
        return show(&answer, rebuild.json, output);
    }
    let head = Standing::of(&client).await?.head;
    let under_way = building(&client.json(client.get(&path, &[])).await?);
    if under_way.is_none() && !rebuild.yes && !agreed(head, instead.back)? {
        return Err(Stop::no("nothing was done").into());
    }
    let start = Instant::now();
    let answer = match under_way {
        Some(_) if rebuild.accept_differences => {
            asked(&client, Method::POST, &["v1", "views", "rebuild", "accept"], &[]).await?
        }
        Some(_) if !instead.back => {
            output.note(format_args!("views are being built already: watching them"));
            client.json(client.get(&path, &[])).await?
        }
        Some(_) | None if instead.back => asked(&client, Method::POST, &["v1", "views", "previous"], &[]).await?,
        Some(_) | None => {
            let accept = [("accept_differences", rebuild.accept_differences.to_string())];
            asked(&client, Method::POST, &path, &accept).await?
        }
    };
    let number = building(&answer).ok_or_else(|| Stop::no("nothing is being built; see rollbook rebuild --status"))?;
    let mut meter = Meter::new(output, "rebuilding", "events", head);
    let ended = watch(&client, number, &mut meter).await;
    meter.finish();
    told(&ended?, head, start.elapsed(), rebuild.json, output)
}

/// What the watching came to.
fn told(of: &Value, head: u64, took: Duration, json: bool, output: &mut Output) -> anyhow::Result<Exit> {
    let text = |name: &str| of.get(name).and_then(Value::as_str).unwrap_or_default();
    let switched = text("role") == "live";
    if json {
        output.line(of)?;
    } else if switched {
        let events = f64::from(u32::try_from(head).unwrap_or(u32::MAX));
        let rate = whole(events / took.as_secs_f64().max(0.001));
        output.line(format_args!("rebuilt from {} events in {}: {rate} events/s", HumanCount(head), duration(took)))?;
        if !text("told").is_empty() {
            output.line(text("told"))?;
        }
    }
    output.flush()?;
    match (switched, text("stage")) {
        (true, _) => Ok(Exit::Done),
        (false, "differs") => {
            let next = "if that is what the new program should say: rollbook rebuild --accept-differences; else: \
                rollbook rebuild --cancel";
            Err(Stop::no(format!("the new views differ and were not switched to: {}", text("told"))).next(next).into())
        }
        (false, "failed") => Err(Stop::no(format!("the rebuild has stopped: {}", text("told"))).into()),
        (false, _) => Err(Stop::no("the rebuild was given up").into()),
    }
}

/// Waits until a generation is live, or will not be without more ado.
async fn watch(client: &Client, number: i64, meter: &mut Meter) -> anyhow::Result<Value> {
    loop {
        let found = client.json(client.get(&["v1", "views", "rebuild"], &[])).await.context(
            Stop::unavailable("the rebuild could not be watched")
                .next("it goes on by itself as long as a projector runs: look with rollbook rebuild --status"),
        )?;
        let Some(of) = generations(&found).find(|of| of.get("number").and_then(Value::as_i64) == Some(number)) else {
            return Ok(Value::Null);
        };
        let position = of.get("position").and_then(Value::as_u64).unwrap_or(0);
        meter.at(position, position);
        let stage = of.get("stage").and_then(Value::as_str);
        // What was accepted a moment ago is still told to wait for it.
        let waits = stage == Some("differs") && of.get("accepted").and_then(Value::as_bool) != Some(true);
        let over = of.get("role").and_then(Value::as_str) != Some("building") || waits || stage == Some("failed");
        if over {
            return Ok(of.clone());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn generations(answer: &Value) -> impl Iterator<Item = &Value> {
    answer.get("data").and_then(Value::as_array).into_iter().flatten()
}

fn building(answer: &Value) -> Option<i64> {
    let building = generations(answer).find(|of| of.get("role").and_then(Value::as_str) == Some("building"))?;
    building.get("number").and_then(Value::as_i64)
}

fn show(answer: &Value, json: bool, output: &mut Output) -> anyhow::Result<Exit> {
    if json {
        output.line(answer)?;
    } else {
        let rows: Vec<Row> =
            generations(answer).filter_map(Value::as_object).map(|of| of.clone().into_iter().collect()).collect();
        let columns = ["number", "role", "stage", "position", "head", "told"];
        output.line(render(&rows, &columns, output.terminal()))?;
    }
    output.flush()?;
    Ok(Exit::Done)
}

/// Asks for something whose refusal is an answer.
async fn asked(client: &Client, method: Method, path: &[&str], query: &[Parameter]) -> anyhow::Result<Value> {
    match client.judged(client.request(method, path, query)).await? {
        Ok(answer) => answer.json().await.context(Stop::unavailable("the answer could not be read")),
        Err(problem) => {
            let detail = problem.get("detail").and_then(Value::as_str).unwrap_or("the ledger refused");
            Err(Stop::no(detail.to_owned()).next("see rollbook rebuild --status").into())
        }
    }
}

fn agreed(head: u64, back: bool) -> anyhow::Result<bool> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(Stop::usage("a rebuild changes what is answered").next("say that you mean it: --yes").into());
    }
    let mut stderr = std::io::stderr().lock();
    let asked = if back {
        write!(stderr, "Go back to the views that were live before? [y/N] ")
    } else {
        write!(stderr, "Read {} events again, into new views beside the live ones? [y/N] ", HumanCount(head))
    };
    asked.context("could not ask")?;
    stderr.flush().context("could not ask")?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer).context("could not read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

async fn one_member(client: &Client, member: &Member, json: bool, output: &mut Output) -> anyhow::Result<Exit> {
    let member = member.id(client).await?;
    let path = ["v1", "views", "members", member.as_str()];
    asked(client, Method::POST, &path, &[]).await?;
    let start = Instant::now();
    let answer = loop {
        let answer = client.json(client.get(&path, &[])).await?;
        if answer.pointer("/data/done").and_then(Value::as_bool) == Some(true) {
            break answer;
        }
        if start.elapsed() > MOST_FOR_A_MEMBER {
            let next = "is a projector running? see rollbook status";
            return Err(Stop::unavailable("no projector has done it yet").next(next).into());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    };
    if json {
        output.line(&answer)?;
    } else {
        output.line(answer.pointer("/data/told").and_then(Value::as_str).unwrap_or_default())?;
    }
    output.flush()?;
    let rebuilt = answer.pointer("/data/rebuilt").and_then(Value::as_bool) == Some(true);
    Ok(if rebuilt { Exit::Done } else { Exit::No })
}
