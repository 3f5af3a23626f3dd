//! From a row to what it says, and from what it says to submissions.

use rollbook_events::intake::FileKind;
use rollbook_events::{County, Hash, MemberId, PlanCode, Source, Submission};
use rollbook_projections::Dossier;

use super::aliases::Field;
use super::cells::Cells;
use super::header::Profile;
use super::restated::{Desk, external_id};
use super::{
    Defaults, Facts, Quarantine, RawRow, Statement, attempts, member_information, outreach_tracker, return_submissions,
    return_transmission,
};

/// Reads a row of a table; `plans` finds a plan by its code or its name as files write it.
///
/// # Errors
/// The column it cannot be read for, and why.
pub fn read_row(
    profile: &Profile,
    row: &RawRow,
    defaults: &Defaults,
    plans: &dyn Fn(&str) -> Option<PlanCode>,
) -> Result<Statement, Quarantine> {
    let cells = Cells::of(profile, row);
    let cin = cells.cin()?;
    let plan = match cells.plan(plans)?.or_else(|| defaults.plan.clone()) {
        Some(plan) => plan,
        None => return Err(cells.missing(Field::Plan)),
    };
    let county = cells.county()?.or(defaults.county);
    let produced_on = cells.day(Field::ProducedOn)?.or(defaults.produced_on);
    let mut identity = cells.identity(cin.clone())?;
    let facts = match profile.kind() {
        FileKind::MemberInformation => {
            Facts::MemberInformation(member_information::read(cells, &identity, produced_on)?)
        }
        FileKind::OutreachTracker => Facts::OutreachTracker(outreach_tracker::read(cells, &mut identity)?),
        FileKind::ReturnTransmission => {
            Facts::ReturnTransmission(Box::new(return_transmission::read(cells, &mut identity, produced_on)?))
        }
        FileKind::Events => return Err(Quarantine::row("malformed: is a submission, not a row of a table")),
    };
    Ok(Statement { row: row.row, cin, identity, plan, county, facts })
}

/// The submissions that say what the statement says, given what the ledger holds of that member; `plan_county` is the
/// only county of a plan. They belong together and are recorded all or none: a correction voids before it says anew.
///
/// None at all where the statement says nothing new of the member's enrollment.
///
/// # Errors
/// Where the ledger says otherwise and it cannot be decided which is right.
pub fn submissions(
    statement: &Statement,
    member: MemberId,
    dossier: &Dossier,
    file: Hash,
    plan_county: &dyn Fn(&PlanCode) -> Option<County>,
) -> Result<Vec<Submission>, Quarantine> {
    let plan = &statement.plan;
    let (system, produced_on) = match &statement.facts {
        Facts::MemberInformation(facts) => (FileKind::MemberInformation.as_str(), facts.produced_on),
        Facts::OutreachTracker(facts) if facts.collapsed => ("outreach-tracker/collapsed", None),
        Facts::OutreachTracker(_) => (FileKind::OutreachTracker.as_str(), None),
        Facts::ReturnTransmission(facts) => (FileKind::ReturnTransmission.as_str(), Some(facts.produced_on)),
    };
    let source = Source {
        system: system.to_owned(),
        file_sha256: Some(file),
        row: Some(statement.row),
        external_id: produced_on.map(external_id),
    };
    let county = statement.county.or_else(|| last_county(dossier, plan)).or_else(|| plan_county(plan));
    let desk = Desk { member, plan, county, source, produced_on, dossier };
    match &statement.facts {
        Facts::MemberInformation(facts) => attempts::identified(&desk, facts),
        Facts::OutreachTracker(facts) => attempts::attempted(&desk, facts),
        Facts::ReturnTransmission(facts) => return_submissions::returned(&desk, facts),
    }
}

/// The county of the plan's latest word on the member.
fn last_county(dossier: &Dossier, plan: &PlanCode) -> Option<County> {
    let latest = dossier.recorded().iter().rev().map(|recorded| &recorded.envelope);
    latest
        .filter(|envelope| envelope.plan == *plan && dossier.voided_by(envelope.id).is_none())
        .map(|e| e.county)
        .next()
}
