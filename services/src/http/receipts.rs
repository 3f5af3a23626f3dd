//! What becomes of submissions, as it is answered: where each event stands, and what they brought about.

use axum::http::StatusCode;
use rollbook_events::{EventId, MemberId};
use rollbook_projections::store::read::kind_of;
use serde::Serialize;
use utoipa::ToSchema;

use super::auth::{Permit, Record};
use crate::recorder::{Finding, Recording};

/// Where an event stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReceiptRow {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    id: EventId,
    /// Its member's pseudonym; null for the rulebook.
    #[schema(value_type = Option<String>, format = Uuid)]
    member: Option<MemberId>,
    /// Its place in the log.
    #[schema(minimum = 1)]
    position: u64,
    /// Whether the ledger held it before.
    known: bool,
}

/// What became of a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct Receipts {
    /// A receipt for each event, in the order of the submissions.
    pub data: Vec<ReceiptRow>,
    /// What the new events brought about that a reader must look at.
    pub findings: Vec<Finding>,
    /// The last of the positions, those of determinations that followed included, to ask the views for with `at_least`.
    #[schema(minimum = 1)]
    pub position: u64,
}

impl Receipts {
    /// Of a recording, with the status it is answered with: 200 where nothing of it was new.
    pub fn of(recording: Recording, permit: &Permit<Record>) -> (StatusCode, Self) {
        let row = |receipt: crate::recorder::Receipt| ReceiptRow {
            id: receipt.id,
            member: receipt.member,
            position: receipt.position.0,
            known: receipt.known,
        };
        let determined = recording.determined.iter().map(|receipt| receipt.position.0).max();
        let data: Vec<ReceiptRow> = recording.receipts.into_iter().map(row).collect();
        let status = if data.iter().all(|row| row.known) { StatusCode::OK } else { StatusCode::CREATED };
        let position = data.iter().map(|row| row.position).max().max(determined).unwrap_or(0);
        let findings = recording.findings.into_iter().filter_map(|finding| told(finding, permit)).collect();
        (status, Self { data, findings, position })
    }
}

/// A finding as the caller is told it: of an overlap with another organization's program only that program's kind, and of
/// one that is none of theirs nothing.
fn told(mut finding: Finding, permit: &Permit<Record>) -> Option<Finding> {
    if permit.scope.sight().is_everything() {
        return Some(finding);
    }
    let is_own = |plan: &String| *plan == permit.caller.actor.org;
    if !finding.plans.iter().any(is_own) {
        return None;
    }
    for (program, plan) in finding.programs.iter_mut().zip(&finding.plans) {
        if !is_own(plan) {
            *program = kind_of(program).to_owned();
            finding.rule = None;
        }
    }
    Some(finding)
}
