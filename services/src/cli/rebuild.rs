//! `rollbook rebuild`: the views anew, from the log.

use std::io::{BufRead, IsTerminal, Write};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::HumanCount;
use reqwest::Method;

use super::client::{Client, Connection};
use super::exit::{Exit, Stop};
use super::meter::Meter;
use super::output::Output;
use super::pace::{duration, whole};
use super::standing::Standing;

const EXAMPLES: &str = "\
Examples:
  rollbook rebuild
  rollbook rebuild --yes

Views are functions of the log: a rebuild empties them and reads the log again, and they come out the same to the byte. \
The log itself is never touched. Until it is done, answers are incomplete.";

/// Between two looks at how far it is.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Empties the views and builds them anew from the log
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Rebuild {
    /// Do not ask first
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Rebuilds, and waits until the views hold what the log held at the start.
///
/// # Errors
/// Where nobody agreed to it, or the ledger is not there any more.
pub async fn run(rebuild: &Rebuild, output: &mut Output) -> anyhow::Result<Exit> {
    let client = rebuild.connection.client()?;
    let head = Standing::of(&client).await?.head;
    if !rebuild.yes && !agreed(head)? {
        return Err(Stop::no("nothing was done").into());
    }
    let start = Instant::now();
    client.send(client.request(Method::POST, &["v1", "views", "rebuild"], &[])).await?;
    let mut meter = Meter::new(output, "rebuilding", "events", head);
    let caught_up = caught_up(&client, head, &mut meter).await;
    meter.finish();
    caught_up?;
    let took = start.elapsed();
    let events = f64::from(u32::try_from(head).unwrap_or(u32::MAX));
    let rate = whole(events / took.as_secs_f64().max(0.001));
    output.line(format_args!("rebuilt from {} events in {}: {rate} events/s", HumanCount(head), duration(took)))?;
    output.flush()?;
    Ok(Exit::Done)
}

fn agreed(head: u64) -> anyhow::Result<bool> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(Stop::usage("a rebuild empties the views").next("say that you mean it: --yes").into());
    }
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "Empty the views and read {} events again? [y/N] ", HumanCount(head)).context("could not ask")?;
    stderr.flush().context("could not ask")?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer).context("could not read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

async fn caught_up(client: &Client, head: u64, meter: &mut Meter) -> anyhow::Result<()> {
    loop {
        let standing = Standing::of(client).await.context(
            Stop::unavailable("the rebuild could not be watched")
                .next("it goes on by itself as long as the ledger runs: look with rollbook status"),
        )?;
        meter.at(standing.position, standing.position);
        if standing.position >= head {
            return Ok(());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
