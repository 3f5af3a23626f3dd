//! Whether what is sealed opens where its key exists, and whether what was destroyed has none. The settings of the keystore and
//! each key in it are looked at as well.

use std::collections::{HashMap, HashSet};

use rollbook_events::identity::sealed::{IdentityEvent, IdentitySealed};
use rollbook_events::ids::KeyId;
use rollbook_events::{MemberId, Position};

use super::finding::{Report, Told};
use super::walk::{Step, walk};
use crate::error_chain::chain;
use crate::identity_keys::keystore::read;
use crate::identity_keys::message::KeyMessage;
use crate::identity_keys::{Found, KeyStore};
use crate::log::{Log, NatsLog, ReadError, SettingsError, StreamSpec};

/// Where findings about keys are.
const KEYS: &str = StreamSpec::IDENTITY_KEYS.name;
const IDENTITY: &str = StreamSpec::IDENTITY.name;

/// What to do about keys that are missing or damaged.
const PUT_BACK: &str =
    "put the keys back from their backup: rollbook identity restore-keys (deploy/README.md, Key backup)";

/// What to do about a key that came back.
const ERASE: &str = "start the recorder: it erases again what was destroyed";

/// The keystore as it is now.
#[derive(Default)]
struct Keys {
    /// The key of each member that has one.
    live: HashMap<MemberId, KeyId>,
    /// Copies that another message of the same subject stands in the place of.
    beside: Vec<(MemberId, KeyId)>,
    unusable: HashSet<MemberId>,
}

/// What became of the messages.
#[derive(Default)]
struct Counts {
    opened: u64,
    in_clear: u64,
    destroyed: HashSet<(MemberId, KeyId)>,
    /// Sealed messages whose key is not there, by key: how many, and where the first stands.
    keyless: HashMap<(MemberId, KeyId), (u64, u64)>,
}

/// Looks at the keystore, then opens every message.
pub(super) async fn verify(
    log: &NatsLog,
    keys: &KeyStore,
    report: &mut Report,
    told: &mut Told<'_>,
) -> Result<(), ReadError> {
    let mut there = true;
    match keys.log().check().await {
        Ok(()) => report.checked(KEYS, "settings", 1),
        Err(SettingsError::NotChecked) => {}
        Err(SettingsError::Unavailable { source }) => return Err(ReadError::Unavailable { source }),
        // No damage where nothing is sealed yet.
        Err(SettingsError::NoStream { .. }) => there = false,
        Err(error @ (SettingsError::TooOld { .. } | SettingsError::Drift { .. } | SettingsError::Missing { .. })) => {
            report.found(KEYS, error.to_string(), "set it back as deploy/README.md says")
        }
    }
    let stored = if there { look_at_keys(keys, report).await? } else { Keys::default() };
    let head = log.head().await?;
    let (mut counts, mut at) = (Counts::default(), 0);
    let mut steps = walk(log.clone(), head);
    while let Some(chunk) = steps.recv().await {
        let mut sealed = Vec::new();
        for step in chunk? {
            match step {
                Step::Missing(_, to) => at = to,
                Step::Message(record) => {
                    at = record.position.0;
                    match IdentityEvent::read(&record.body) {
                        Ok(IdentityEvent::Sealed(event)) => sealed.push((at, event)),
                        Ok(IdentityEvent::InClear(_)) => counts.in_clear += 1,
                        Ok(IdentityEvent::Destroyed(of)) => _ = counts.destroyed.insert((of.member, of.key)),
                        // Found already, where the stream itself was read.
                        Err(_) => {}
                    }
                }
            }
        }
        open(keys, &stored, sealed, &mut counts, report).await?;
        told("opening identities", at, head.0);
    }
    judge(&stored, &counts, report);
    Ok(())
}

/// Every key, and whether it can be unwrapped.
async fn look_at_keys(keys: &KeyStore, report: &mut Report) -> Result<Keys, ReadError> {
    let mut stored = Keys::default();
    let (mut at, mut tombstones, mut by_second) = (Position(0), 0, 0);
    loop {
        let some = keys.log().some_after(at).await?;
        let Some(last) = some.last() else { break };
        at = last.position;
        for message in &some {
            let position = message.position;
            match read(message) {
                Some(KeyMessage::Wrapped(wrapped)) => {
                    by_second += u64::from(wrapped.wrapped_by != keys.wrapping().first());
                    if let Err(error) = keys.wrapping().unwrap(&wrapped) {
                        let what = format!("the key at position {position} cannot be used: {}", chain(&error));
                        report.found(KEYS, what, PUT_BACK);
                        stored.unusable.insert(wrapped.member);
                    }
                    let before = stored.live.insert(wrapped.member, wrapped.key);
                    stored.beside.extend(before.map(|key| (wrapped.member, key)));
                }
                Some(KeyMessage::Destroyed(of)) => {
                    tombstones += 1;
                    stored.beside.extend(stored.live.remove(&of.member).map(|key| (of.member, key)));
                }
                None => {
                    let what = format!("the message at position {position} is no key of its member");
                    report.found(KEYS, what, PUT_BACK);
                }
            }
        }
    }
    report.checked(KEYS, "keys", u64::try_from(stored.live.len()).unwrap_or(u64::MAX));
    report.checked(KEYS, "keys that were destroyed", tombstones);
    if by_second > 0 {
        let how = "rollbook identity rewrap wraps them anew";
        report.note(format!("{KEYS}: {by_second} keys are not wrapped with the first wrapping key: {how}"));
    }
    Ok(stored)
}

/// Opens what some messages have sealed.
async fn open(
    keys: &KeyStore,
    stored: &Keys,
    sealed: Vec<(u64, IdentitySealed)>,
    counts: &mut Counts,
    report: &mut Report,
) -> Result<(), ReadError> {
    let has_key = |event: &IdentitySealed| stored.live.get(&event.member) == Some(&event.key);
    let (with, without): (Vec<_>, Vec<_>) = sealed.into_iter().partition(|(_, event)| has_key(event));
    for (position, event) in without {
        let (number, _) = counts.keyless.entry((event.member, event.key)).or_insert((0, position));
        *number += 1;
    }
    let members: Vec<MemberId> =
        with.iter().map(|(_, event)| event.member).filter(|member| !stored.unusable.contains(member)).collect();
    let found = match keys.of(&members).await {
        Ok(found) => found,
        Err(error) => return Err(ReadError::unavailable(error)),
    };
    for (position, event) in with {
        match found.get(&event.member) {
            Some(Found::Key(key)) if key.id() == event.key => match key.open(&event) {
                Ok(_) => counts.opened += 1,
                Err(error) => {
                    let what = format!("what is sealed at position {position} {error}");
                    report.found(IDENTITY, what, super::finding::RESTORE);
                }
            },
            // Unusable, and found as such; or destroyed while this was going on.
            Some(Found::Key(_) | Found::Destroyed(_) | Found::None) | None => {}
        }
    }
    Ok(())
}

fn judge(stored: &Keys, counts: &Counts, report: &mut Report) {
    let mut unreadable = 0;
    let (mut lost, mut first) = (0, u64::MAX);
    let mut members = HashSet::new();
    for (of, (messages, at)) in &counts.keyless {
        if counts.destroyed.contains(of) {
            unreadable += messages;
        } else {
            (lost, first) = (lost + messages, first.min(*at));
            members.insert(of.0);
        }
    }
    report.checked(IDENTITY, "sealed messages opened", counts.opened);
    report.checked(IDENTITY, "sealed messages whose key was destroyed", unreadable);
    report.checked(
        IDENTITY,
        "keys told to be destroyed, and gone",
        u64::try_from(counts.destroyed.len()).unwrap_or(u64::MAX),
    );
    if counts.in_clear > 0 {
        let why = "written by the first release; no key protects them";
        report.note(format!("{IDENTITY}: {} messages are in clear: {why}", counts.in_clear));
    }
    if lost > 0 {
        let members = members.len();
        let what = format!(
            "the keys of {members} members are missing: {lost} messages cannot be opened, the first at position {first}"
        );
        report.found(KEYS, what, PUT_BACK);
    }
    let live = stored.live.iter().map(|(member, key)| (*member, *key));
    let back = live.chain(stored.beside.iter().copied()).filter(|of| counts.destroyed.contains(of)).count();
    if back > 0 {
        report.found(KEYS, format!("{back} keys are there that IDENTITY tells were destroyed"), ERASE);
    }
}
