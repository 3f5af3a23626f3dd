//! What can be told of a message by itself: its hash, and whether it can be read.

use rollbook_events::access::AccessRecorded;
use rollbook_events::identity::sealed::IdentityEvent;
use rollbook_events::intake::IntakeEvent;
use rollbook_events::{EventId, Hash, Subject, decode};

use super::walk::Step;
use crate::archive::Record;
use crate::log::StreamSpec;

/// A message that was looked at.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) record: Record,
    pub(super) hash: Hash,
    /// The event's id and whose it is, or what is wrong with it, in words without a value.
    pub(super) read: Result<(Option<EventId>, Option<Subject>), String>,
}

/// A step that was looked at.
#[derive(Debug)]
pub(super) enum Seen {
    Message(Box<Looked>),
    Missing(u64, u64),
}

/// Looks at messages; it takes as long as it takes, so off the runtime's threads.
pub(super) fn look(spec: StreamSpec, steps: Vec<Step>) -> Vec<Seen> {
    let seen = steps.into_iter().map(|step| match step {
        Step::Missing(from, to) => Seen::Missing(from, to),
        Step::Message(record) => {
            let (hash, read) = (Hash::of(&record.body), read(spec, &record));
            Seen::Message(Box::new(Looked { record, hash, read }))
        }
    });
    seen.collect()
}

fn read(spec: StreamSpec, record: &Record) -> Result<(Option<EventId>, Option<Subject>), String> {
    if !spec.admits(&record.subject) {
        return Err("has a subject that the stream does not keep".to_owned());
    }
    let token = record.subject.rsplit('.').next().unwrap_or_default();
    if spec == StreamSpec::ENROLLMENT {
        let envelope = decode(&record.body).map_err(|error| format!("cannot be read: {error}"))?;
        if token.parse::<Subject>().ok() != Some(envelope.subject) {
            return Err("speaks of another subject than the one it stands under".to_owned());
        }
        return Ok((Some(envelope.id), Some(envelope.subject)));
    }
    // Their errors may quote what they read, which is about a person.
    if spec == StreamSpec::IDENTITY {
        let event = IdentityEvent::read(&record.body).map_err(|error| error.to_string())?;
        if event.member().to_string() != token {
            return Err("speaks of another member than the one it stands under".to_owned());
        }
    } else if spec == StreamSpec::ACCESS {
        let recorded: AccessRecorded =
            serde_json::from_slice(&record.body).map_err(|_| "cannot be read as an access".to_owned())?;
        if recorded.member.map_or_else(|| "export".to_owned(), |member| member.to_string()) != token {
            return Err("speaks of another member than the one it stands under".to_owned());
        }
    } else if spec == StreamSpec::INTAKE {
        serde_json::from_slice::<IntakeEvent>(&record.body).map_err(|_| "cannot be read as an intake".to_owned())?;
    } else {
        return Err("is of a stream that this program cannot read".to_owned());
    }
    Ok((None, None))
}
