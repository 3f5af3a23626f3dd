//! `event_history`, one row an event: who said what, when it was true, when it was known, and what corrected it.

use rollbook_events::families::correction::Correction;
use rollbook_events::{Event, Occurred};

use crate::dossier::{Dossier, Recorded};
use crate::rulebook::Rulebook;
use crate::rules::facts::Facts;
use crate::view::{Cell, Column, ColumnType as T, Row, Table, Touched, View, integer};

/// The audit view.
#[derive(Debug)]
pub struct EventHistory;

/// Its table; `event` is the stored event itself, byte for byte, from which a dossier is made again.
pub const TABLE: Table = Table {
    name: "event_history",
    comment: "one row per event: who said what, when it was true, when it was known, what corrected it",
    columns: &[
        Column { name: "position", kind: T::Integer, comment: "place in the log" },
        Column { name: "id", kind: T::Uuid, comment: "event id" },
        Column { name: "kind", kind: T::Text, comment: "kind of event" },
        Column { name: "program", kind: T::Text, comment: "program it is about, where it names one" },
        Column { name: "plan", kind: T::Text, comment: "whose record it is" },
        Column { name: "county", kind: T::Text, comment: "county" },
        Column { name: "occurred_on", kind: T::Day, comment: "civil day it was true, in California" },
        Column { name: "occurred_at", kind: T::Instant, comment: "instant it was true, where one is known" },
        Column { name: "recorded_at", kind: T::Instant, comment: "when the ledger learned it" },
        Column { name: "actor_org", kind: T::Text, comment: "organization that said so" },
        Column { name: "actor_id", kind: T::Text, comment: "who in it" },
        Column { name: "actor_role", kind: T::Text, comment: "in which role" },
        Column { name: "source_system", kind: T::Text, comment: "where it was read" },
        Column { name: "source_file", kind: T::Text, comment: "SHA-256 of the file it was read in" },
        Column { name: "source_row", kind: T::Integer, comment: "row in that file" },
        Column { name: "replaces", kind: T::Uuid, comment: "voided event it is the corrected version of" },
        Column { name: "sensitivity", kind: T::Text, comment: "what hides its detail" },
        Column { name: "hash", kind: T::Text, comment: "SHA-256 of the stored event" },
        Column { name: "voided_by", kind: T::Uuid, comment: "event that voided it" },
        Column { name: "event", kind: T::Text, comment: "the stored CloudEvents event, byte for byte" },
    ],
};

impl View for EventHistory {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn rows(&self, facts: &Facts<'_>) -> Vec<Row> {
        let dossier = facts.dossier;
        dossier.recorded().iter().map(|recorded| row(dossier, recorded)).collect()
    }

    fn names_its_rows(&self) -> bool {
        true
    }

    fn touched(&self, dossier: &Dossier, _: &Rulebook, event: &Recorded) -> Touched {
        let added = vec![row(dossier, event)];
        let mut replaced = Vec::new();
        // A voiding changes the row of what it voids, and, where that was itself a voiding, of what that one voided.
        let mut at = event;
        while let Event::Correction(Correction::EventVoided(void)) = &at.envelope.event {
            let Some(voided) = dossier.find(void.event).filter(|voided| voided.position < at.position) else { break };
            replaced.push(row(dossier, voided));
            at = voided;
        }
        Touched::These { added, replaced }
    }
}

fn row(dossier: &Dossier, recorded: &Recorded) -> Row {
    let e = &recorded.envelope;
    let source = e.source.as_ref();
    let at = match e.occurred_at {
        Occurred::At(instant) => Some(instant.utc()),
        Occurred::Day(_) => None,
    };
    let cells = vec![
        integer(recorded.position.0),
        e.id.0.into(),
        e.event.name().into(),
        e.event.program().map(|program| program.as_str()).into(),
        e.plan.as_str().into(),
        e.county.as_str().into(),
        e.occurred_at.day().into(),
        at.into(),
        e.recorded_at.into(),
        e.actor.org.as_str().into(),
        e.actor.id.as_str().into(),
        e.actor.role.as_str().into(),
        source.map(|source| source.system.as_str()).into(),
        source.and_then(|source| source.file_sha256).map(|hash| hash.to_string()).into(),
        source.and_then(|source| source.row).into(),
        e.replaces.map(|id| id.0).into(),
        e.sensitivity.as_str().into(),
        recorded.hash.to_string().into(),
        dossier.voided_by(e.id).map(|by| by.envelope.id.0).into(),
        Cell::Text(recorded.body.to_string()),
    ];
    Row { key: e.id.to_string(), member: e.subject.member(), cells }
}
