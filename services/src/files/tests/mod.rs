//! Files as they are in the field: read whole, told to a ledger, told again.

mod broken;
mod corrections;
mod headers;
mod member_information;
mod properties;
mod returns;
mod sample_county;
mod tracker;
mod workbooks;

use std::path::PathBuf;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rollbook_events::intake::FileKind;
use rollbook_events::{
    Actor, Cin, County, Envelope, Event, EventId, Hash, MemberId, PlanCode, Position, Subject, Submission, Whom,
};
use rollbook_projections::{Dossier, Recorded};

use super::{BadRow, Defaults, FileReader, Profile, Quarantine, RawRow, Statement, open, read_row, submissions};

pub(super) const TRACKER: &str = "Primary Payer (MCP) Identifier,MCP Name,ECM Provider Name,\
    ECM Provider National Provider Identifier (NPI),ECM Provider Tax ID Number(TIN),Client Name,\
    Member Client Index Number,Provider Type,Date of Outreach Attempt,Outreach Attempt Method,\
    Outreach Attempt Successful,Time Spent Performing Outreach";

pub(super) const RETURNS: &str = "MCP Name,CIN,Member ECM Status,ECM Enrollment Start Date,ECM Enrollment End Date,\
    Discontinuation Date,Discontinuation Reason Code,ECM Lead Care Manager Name,Member POF,\
    Member Homelessness Indicator,RTF Production Date,ECM Provider NPI";

/// A file on disk, which goes when it is dropped.
pub(super) struct OnDisk {
    _folder: tempfile::TempDir,
    pub(super) path: PathBuf,
}

pub(super) fn on_disk(bytes: &[u8]) -> OnDisk {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, bytes).unwrap();
    OnDisk { _folder: folder, path }
}

pub(super) fn opened(kind: FileKind, text: &str) -> FileReader {
    open(&on_disk(text.as_bytes()).path, "file.csv", kind).unwrap()
}

pub(super) fn rows(kind: FileKind, text: &str) -> (Profile, Vec<Result<RawRow, BadRow>>) {
    let mut reader = opened(kind, text);
    let rows = std::iter::from_fn(|| reader.next_row()).collect();
    (reader.profile().clone(), rows)
}

pub(super) fn plans(text: &str) -> Option<PlanCode> {
    let code = match text.trim().to_lowercase().as_str() {
        "l.a. care" | "l.a. care health plan" | "la-care" => "la-care",
        "anthem" | "anthem blue cross" => "anthem",
        "health-net" | "health net" => "health-net",
        "molina" | "molina healthcare" => "molina",
        _ => return None,
    };
    code.parse().ok()
}

pub(super) fn only_county(_: &PlanCode) -> Option<County> {
    Some(County::LosAngeles)
}

/// What every row of a file says; a row that is none is no part of these tests.
pub(super) fn read(kind: FileKind, text: &str) -> Vec<Result<Statement, Quarantine>> {
    let (profile, rows) = rows(kind, text);
    rows.into_iter().map(|row| read_row(&profile, &row.unwrap(), &Defaults::default(), &plans)).collect()
}

/// What the only row of a file says.
pub(super) fn one(kind: FileKind, header: &str, row: &str) -> Result<Statement, Quarantine> {
    read(kind, &format!("{header}\n{row}\n")).remove(0)
}

pub(super) fn member(cin: &Cin) -> MemberId {
    MemberId(uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, cin.expose().as_bytes()))
}

pub(super) fn told(statement: &Statement, dossier: &Dossier) -> Result<Vec<Submission>, Quarantine> {
    submissions(statement, member(&statement.cin), dossier, Hash::of(b"a file"), &only_county)
}

/// Records submissions as the recorder does; a known id must say the same, and is not recorded again.
pub(super) fn record(dossier: &mut Dossier, submissions: &[Submission]) -> Vec<EventId> {
    let mut recorded = Vec::new();
    for submission in submissions {
        let position = Position(dossier.last().map_or(1, |last| last.position.0 + 1));
        let envelope = envelope(submission, position);
        match dossier.find(envelope.id) {
            Some(held) => assert!(held.envelope.says_the_same(&envelope), "{:?}", envelope.event),
            None => {
                recorded.push(envelope.id);
                let (hash, body) = (Hash::of(envelope.id.to_string().as_bytes()), Arc::from(""));
                dossier.apply(Recorded { position, hash, envelope: Arc::new(envelope), body });
            }
        }
    }
    recorded
}

fn envelope(submission: &Submission, position: Position) -> Envelope {
    let Whom::Member(member) = submission.whom else { panic!("a file speaks of members") };
    let at = 1_800_000_000 + i64::try_from(position.0).unwrap();
    Envelope {
        id: submission.id.unwrap(),
        subject: Subject::Member(member),
        plan: submission.plan.clone(),
        county: submission.county,
        occurred_at: submission.occurred_at,
        recorded_at: DateTime::<Utc>::from_timestamp(at, 0).unwrap(),
        actor: Actor { org: "la-care".to_owned(), id: "test".to_owned(), role: "importer".to_owned() },
        source: submission.source.clone(),
        causation: None,
        correlation: None,
        replaces: submission.replaces,
        sensitivity: submission.sensitivity,
        previous: None,
        event: submission.event.clone(),
        unknown: Default::default(),
    }
}

/// A return transmission row of one member, told to the ledger; the kinds that were recorded.
pub(super) fn returns(dossier: &mut Dossier, row: &str) -> Result<Vec<&'static str>, Quarantine> {
    let statement = one(FileKind::ReturnTransmission, RETURNS, row)?;
    let submissions = told(&statement, dossier)?;
    let recorded = record(dossier, &submissions);
    Ok(recorded.into_iter().map(|id| dossier.find(id).unwrap().envelope.event.name()).collect())
}

/// The events of a kind that stand.
pub(super) fn standing(dossier: &Dossier, kind: &str) -> Vec<Event> {
    dossier.standing().into_iter().map(|envelope| envelope.event.clone()).filter(|event| event.name() == kind).collect()
}
