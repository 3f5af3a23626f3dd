//! `rollbook identity`: the keys that people's identities are sealed with.

mod keys;

use std::io::{BufRead, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::Context;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::Connection;
use super::exit::{Exit, Stop};
use super::folder::Folder;
use super::member::Member;
use super::output::Output;
use super::server::Server;
use super::wrapping_keys::WrappingKeysFile;

const EXAMPLES: &str = "\
Examples:
  rollbook identity destroy 91234567A --reason \"recorded under the wrong CIN\" --yes
  rollbook identity backup-keys /safe/identity-keys.ndjson

Names, CINs, birth dates and contacts are sealed, each member's with a key of its own. Destroying that key makes them \
unreadable in the stream, its archive and every copy, and leaves every event where it was. deploy/README.md (Key backup) says \
which keys to keep where.";

const DESTROY_EXAMPLES: &str = "\
Examples:
  rollbook identity destroy 018f3c1e-7a10-8c3d-9b4e-0123456789ab --reason \"returned at the end of the contract\"
  rollbook identity destroy - --reason \"recorded under the wrong CIN\" --yes --json < cin.txt

For good: no copy of the key brings it back, for IDENTITY tells that it was destroyed, and every start and every restore \
erases it again. Events and views stay. What is recorded of the same CIN after that is sealed with a new key. Copies of \
wrapped keys made before (backup-keys) still hold the old one; it goes with the wrapping key: see rewrap.

What the first release recorded, in clear, no key protects: the answer counts it. Exit code 1 where there is nothing that a key protects.";

const REWRAP_EXAMPLES: &str = "\
Examples:
  rollbook identity rewrap
  rollbook identity rewrap --nats tls://n1:4222 --replicas 3 --nats-nkey recorder.nk --nats-ca ca.pem --wrapping-keys /etc/rollbook/wrapping.keys

To change the wrapping key: put a new line of 64 hexadecimal digits (openssl rand -hex 32) before the old one in wrapping.keys, \
restart the recorders, run this, make a new backup-keys, take the old line out, restart the recorders, destroy the old line's \
copies and the old backups. Killed, the same command goes on.";

const BACKUP_EXAMPLES: &str = "\
Examples:
  rollbook identity backup-keys /safe/identity-keys.ndjson
  rollbook identity backup-keys /safe/identity-keys.ndjson --data /srv/rollbook --json

The file holds every member's key, wrapped: without the wrapping keys it is of no use to anybody. A ledger that runs may go on \
running. No archive holds these keys: make a copy each day, and keep only the last ones, because each holds the keys that were \
destroyed since. Nothing is left of a file that could not be written whole.";

const LOST_EXAMPLES: &str = "\
Examples:
  rollbook identity give-up-lost --reason \"the last backup is older than they were\"
  rollbook identity give-up-lost --reason \"no backup\" --yes --json --data /srv/rollbook

Where members' keys are missing that no backup holds, after restore-keys. Each is told to be destroyed, on IDENTITY, and stays \
so: whoever it was can then be told of anew. Until then nothing more is recorded of who these members are, and `rollbook verify` finds them.";

const RESTORE_EXAMPLES: &str = "\
Examples:
  rollbook identity restore-keys /safe/identity-keys.ndjson
  rollbook identity restore-keys /safe/identity-keys.ndjson --nats tls://n1:4222 --replicas 3 --nats-nkey recorder.nk --nats-ca ca.pem

After `rollbook restore`, which brings back IDENTITY and no key. A key that is there stays; one that IDENTITY tells was \
destroyed does not come back. The same again changes nothing.";

/// Destroys, wraps anew and copies the keys that people's identities are sealed with
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Identity {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Verb {
    /// Makes who a member is unreadable, everywhere and for good
    #[command(after_help = DESTROY_EXAMPLES)]
    Destroy(Destroy),
    /// Wraps every member's key with the first wrapping key
    #[command(after_help = REWRAP_EXAMPLES)]
    Rewrap {
        #[command(flatten)]
        stream: KeyStream,
        #[command(flatten)]
        wrapping: WrappingKeysFile,
    },
    /// Writes every member's key, wrapped, to a file
    #[command(after_help = BACKUP_EXAMPLES)]
    BackupKeys {
        /// The file, which must not be there yet
        file: PathBuf,
        #[command(flatten)]
        stream: KeyStream,
    },
    /// Tells of members' keys that are missing, and that no backup holds, that they are lost for good
    #[command(after_help = LOST_EXAMPLES)]
    GiveUpLost {
        /// Why, in one line that names nobody; it is recorded
        #[arg(long)]
        reason: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        stream: KeyStream,
    },
    /// Puts the keys of a file back where there are none
    #[command(after_help = RESTORE_EXAMPLES)]
    RestoreKeys {
        /// The file that backup-keys wrote
        file: PathBuf,
        #[command(flatten)]
        stream: KeyStream,
    },
}

#[derive(Debug, Clone, clap::Args)]
struct Destroy {
    /// Whose: pseudonym (a UUID), CIN, or - to read one of them from stdin
    member: Member,
    /// Why, in one line that names nobody; it is recorded
    #[arg(long)]
    reason: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// What became of it as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// The streams of identities and keys.
#[derive(Debug, Clone, clap::Args)]
struct KeyStream {
    #[command(flatten)]
    folder: Folder,
    #[command(flatten)]
    server: Server,
    /// The outcome as JSON
    #[arg(long)]
    json: bool,
}

/// Does what is asked.
///
/// # Errors
/// Where nobody agreed to it, a file or a server cannot be used, or a key cannot be unwrapped.
pub async fn run(identity: &Identity, output: &mut Output) -> anyhow::Result<Exit> {
    let exit = match &identity.verb {
        Verb::Destroy(asked) => destroy(asked, output).await,
        Verb::Rewrap { stream, wrapping } => keys::rewrap(stream, wrapping, output).await,
        Verb::BackupKeys { file, stream } => keys::backup(file, stream, output).await,
        Verb::GiveUpLost { reason, yes, stream } => keys::give_up(stream, reason, *yes, output).await,
        Verb::RestoreKeys { file, stream } => keys::restore(file, stream, output).await,
    }?;
    output.flush()?;
    Ok(exit)
}

async fn destroy(asked: &Destroy, output: &mut Output) -> anyhow::Result<Exit> {
    let client = asked.connection.client()?;
    let member = asked.member.id(&client).await?;
    if !asked.yes && !agreed("Destroy for good who this member is?")? {
        return Err(Stop::no("nothing was destroyed").into());
    }
    let path = ["v1", "members", member.as_str(), "identity", "destroy"];
    let request = client.request(Method::POST, &path, &[]).json(&json!({ "reason": asked.reason }));
    let answer: Value = match client.judged(request).await? {
        Ok(answer) => answer.json().await.context(Stop::unavailable("the answer could not be read"))?,
        Err(problem) => {
            let detail = problem.get("detail").and_then(Value::as_str).unwrap_or("the ledger refused");
            return Err(Stop::no(detail.to_owned()).into());
        }
    };
    let of = answer.get("data").cloned().unwrap_or_default();
    if asked.json {
        output.line(&of)?;
        return Ok(Exit::Done);
    }
    let number = |name: &str| of.get(name).and_then(Value::as_u64).unwrap_or(0);
    let before = of.get("already").and_then(Value::as_bool) == Some(true);
    output.line(format_args!(
        "{}: {} recorded identities can be read by nobody any more; {} quarantined rows were emptied",
        if before { "destroyed before, and erased once more" } else { "destroyed" },
        number("sealed"),
        number("quarantined")
    ))?;
    if number("in_clear") > 0 {
        output.line(format_args!(
            "{} were written by the first release, in clear, and are as they were: no key protects them",
            number("in_clear")
        ))?;
    }
    Ok(Exit::Done)
}

fn agreed(question: &str) -> anyhow::Result<bool> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(Stop::usage("what is destroyed does not come back").next("say that you mean it: --yes").into());
    }
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "{question} [y/N] ").context("could not ask")?;
    stderr.flush().context("could not ask")?;
    let mut answer = String::new();
    stdin.lock().read_line(&mut answer).context("could not read the answer")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
