//! The verbs that work on the stream of keys itself, whether a ledger runs on it or not.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use indicatif::HumanCount;
use serde_json::json;

use super::{KeyStream, agreed};
use crate::cli::exit::{Exit, Stop};
use crate::cli::meter::Meter;
use crate::cli::output::Output;
use crate::cli::server::Attached;
use crate::cli::wrapping_keys::WrappingKeysFile;
use crate::identity_keys::backup::{self, BackupError};
use crate::identity_keys::keystore::{KeyError, KeyStore};
use crate::identity_keys::lost;
use crate::identity_keys::rewrap::rewrap as wrap_anew;
use crate::identity_keys::wrapping::WrappingKeys;
use crate::log::{Log, NatsLog, StreamSpec};

impl KeyStream {
    async fn attach(&self) -> anyhow::Result<Attached> {
        let data = self.folder.path();
        if self.server.nats.is_none() && !data.join("nats").is_dir() {
            let what = format!("{} holds no ledger", data.display());
            return Err(Stop::usage(what).next("name the data folder with --data, or a server with --nats").into());
        }
        self.server.attach_as(data, "recorder").await
    }
}

/// Wraps every key with the first wrapping key.
pub(super) async fn rewrap(
    stream: &KeyStream,
    wrapping: &WrappingKeysFile,
    output: &mut Output,
) -> anyhow::Result<Exit> {
    let path = wrapping.or_in(stream.folder.path());
    let wrapping = WrappingKeys::read(&path).context(Stop::usage("there are no wrapping keys to wrap with"))?;
    let attached = stream.attach().await?;
    let done = async {
        let log = attached.keys().await?;
        let mut meter = Meter::new(output, "wrapping keys anew", "keys", total(&log).await?);
        let done = wrap_anew(&KeyStore::new(Arc::new(log), wrapping), |keys| meter.at(keys, keys)).await;
        meter.finish();
        done.map_err(|error| stop(error.into()))
    };
    let done = done.await;
    attached.end().await;
    let done = done?;
    if stream.json {
        output.line(json!(done))?;
    } else {
        let (all, anew, left) = (HumanCount(done.keys), HumanCount(done.rewrapped), HumanCount(done.left));
        output.line(format_args!("{all} keys, {anew} of them wrapped anew, {left} left for the next time"))?;
    }
    Ok(if done.left == 0 { Exit::Done } else { Exit::No })
}

/// Writes every key to a file.
pub(super) async fn backup(file: &Path, stream: &KeyStream, output: &mut Output) -> anyhow::Result<Exit> {
    if file.exists() {
        return Err(Stop::usage(format!("{} is there already", file.display())).next("name another file").into());
    }
    let attached = stream.attach().await?;
    // Under its own name only once it is whole.
    let beside = file.with_extension("part");
    let written = async {
        let log = attached.keys().await?;
        let mut meter = Meter::new(output, "copying keys", "keys", total(&log).await?);
        let written = write(&log, &beside, |keys| meter.at(keys, keys)).await;
        meter.finish();
        written.map_err(stop)
    };
    let written = written.await;
    attached.end().await;
    let keys = match written {
        Ok(keys) => keys,
        Err(error) => {
            _ = fs::remove_file(&beside);
            return Err(error);
        }
    };
    let named = fs::rename(&beside, file).and_then(|()| match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        Some(_) | None => Ok(()),
    });
    named.with_context(|| format!("could not write {}", file.display()))?;
    if stream.json {
        output.line(json!({ "file": file, "keys": keys }))?;
    } else {
        output.line(format_args!("{} keys in {}, wrapped as they were", HumanCount(keys), file.display()))?;
    }
    Ok(Exit::Done)
}

async fn write(log: &NatsLog, path: &Path, told: impl FnMut(u64)) -> Result<u64, BackupError> {
    // One that a kill left behind.
    _ = fs::remove_file(path);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut out = BufWriter::new(file);
    let keys = backup::backup(log, &mut out, told).await?;
    out.flush()?;
    out.get_ref().sync_all()?;
    Ok(keys)
}

/// Puts the keys of a file back.
pub(super) async fn restore(file: &Path, stream: &KeyStream, output: &mut Output) -> anyhow::Result<Exit> {
    let opened = File::open(file).with_context(|| format!("could not read {}", file.display()))?;
    let keys = backup::read(BufReader::new(opened)).map_err(stop)?;
    let attached = stream.attach().await?;
    let restored = async {
        let log = attached.made_keys().await?;
        let identities = attached.one(StreamSpec::IDENTITY).await?;
        let all = u64::try_from(keys.len()).unwrap_or(u64::MAX);
        let mut meter = Meter::new(output, "putting keys back", "keys", all);
        let restored = backup::restore(&identities, &log, keys, |keys| meter.at(keys, keys)).await;
        meter.finish();
        restored.map_err(stop)
    };
    let restored = restored.await;
    attached.end().await;
    let done = restored?;
    if stream.json {
        output.line(json!(done))?;
    } else {
        output.line(format_args!(
            "{} keys in the file: {} put back, {} were there, {} were destroyed and stay so, {} have another key now",
            HumanCount(done.keys),
            HumanCount(done.restored),
            HumanCount(done.there),
            HumanCount(done.destroyed),
            HumanCount(done.other)
        ))?;
    }
    Ok(Exit::Done)
}

/// Tells of missing keys that they are lost.
pub(super) async fn give_up(stream: &KeyStream, reason: &str, yes: bool, output: &mut Output) -> anyhow::Result<Exit> {
    if reason.trim().is_empty() || reason.chars().any(char::is_control) || reason.chars().count() > 500 {
        return Err(Stop::usage("the reason must be one line of 1 to 500 characters").into());
    }
    let attached = stream.attach().await?;
    let given_up = async {
        let (identities, log) = (attached.one(StreamSpec::IDENTITY).await?, attached.made_keys().await?);
        let mut meter = Meter::new(output, "looking for missing keys", "messages", total(&identities).await?);
        let found = lost::lost(&identities, &log, |at| meter.at(at, at)).await;
        meter.finish();
        let found = found.map_err(|error| stop(error.into()))?;
        output.note(format_args!("{} keys are missing", HumanCount(u64::try_from(found.len()).unwrap_or(u64::MAX))));
        if found.is_empty() || !(yes || agreed("Give them up for good?")?) {
            return anyhow::Ok((found.len(), 0));
        }
        let mut meter = Meter::new(output, "giving up", "keys", u64::try_from(found.len()).unwrap_or(u64::MAX));
        let given_up = lost::give_up(&identities, &log, &found, reason.trim(), |keys| meter.at(keys, keys)).await;
        meter.finish();
        given_up.map_err(|error| stop(error.into()))?;
        Ok((found.len(), found.len()))
    };
    let given_up = given_up.await;
    attached.end().await;
    let (missing, given_up) = given_up?;
    if stream.json {
        output.line(json!({ "missing": missing, "given_up": given_up }))?;
    } else {
        output.line(format_args!("{missing} keys were missing, {given_up} are given up"))?;
    }
    Ok(if missing == given_up { Exit::Done } else { Exit::No })
}

async fn total(log: &NatsLog) -> anyhow::Result<u64> {
    Ok(log.head().await.context(Stop::unavailable("the stream cannot be read"))?.0)
}

fn stop(error: BackupError) -> anyhow::Error {
    let how = match &error {
        BackupError::File(_) => Stop::usage("the backup cannot be used"),
        BackupError::Damaged { .. } => Stop::no("nothing was put back").next("take another copy of the backup"),
        BackupError::Keys(KeyError::NotUnwrapped { .. }) => Stop::no("not every key could be wrapped anew")
            .next("wrapping.keys must hold the key that it is wrapped with as its second line"),
        BackupError::Keys(KeyError::Malformed { .. }) => {
            Stop::no("the stream IDENTITY_KEYS is damaged").next("rollbook verify says where")
        }
        BackupError::Keys(KeyError::Read(_) | KeyError::Append(_) | KeyError::NotMade(_) | KeyError::Contended) => {
            Stop::unavailable("the keys cannot be reached").next("try again: it goes on from where it was")
        }
    };
    anyhow::Error::new(error).context(how)
}
