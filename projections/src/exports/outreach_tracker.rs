//! The Initial Outreach Tracker File: one row an attempt that counts, of a member identified as eligible, before
//! enrollment (OUT-4; layout C1).

use std::fmt::Write;

use rollbook_events::codes::{Month, OutreachChannel, Staff};
use rollbook_events::families::outreach::OutreachAttempted;
use rollbook_events::{Envelope, MemberId, Npi, PlanCode, Program};

use crate::outreach_episodes::outreach_episodes;
use crate::rules::facts::Facts;

/// The file's columns, in their order and as they are written.
pub const HEADER: [&str; 12] = [
    "Primary Payer (MCP) Identifier",
    "MCP Name",
    "ECM Provider Name",
    "ECM Provider National Provider Identifier (NPI)",
    "ECM Provider Tax ID Number(TIN)",
    "Client Name",
    "Member Client Index Number",
    "Provider Type",
    "Date of Outreach Attempt",
    "Outreach Attempt Method",
    "Outreach Attempt Successful",
    "Time Spent Performing Outreach",
];

/// One attempt as the file tells it.
#[derive(Debug, Clone, Copy)]
pub struct TrackerRow<'a> {
    /// The event.
    pub by: &'a Envelope,
    /// What it says.
    pub attempt: &'a OutreachAttempted,
    /// The plan's full name, where the rulebook knows it.
    pub plan_name: Option<&'a str>,
    /// Whether it reached the member, or who may speak for a child.
    pub is_contact: bool,
}

/// The rows of one member in a plan's file for a month of California's days, in the order of the attempts.
pub fn rows<'a>(facts: &Facts<'a>, plan: &PlanCode, month: Month) -> Vec<TrackerRow<'a>> {
    let month = month.to_string();
    let name = facts.rulebook.plans().iter().find(|known| known.code == *plan).map(|known| known.name.as_str());
    let ours = outreach_episodes(facts).into_iter().filter(|of| of.program == Program::Ecm && of.began.plan == *plan);
    let tries = ours.flat_map(|episode| episode.tries);
    let told = tries.filter(|one| one.is_exported && one.day().format("%Y-%m").to_string() == month);
    let mut rows: Vec<TrackerRow<'a>> = told
        .map(|one| TrackerRow { by: one.by, attempt: one.attempt, plan_name: name, is_contact: one.is_contact })
        .collect();
    rows.sort_by_key(|row| (row.by.occurred_at.earliest().utc(), row.by.id));
    rows
}

impl TrackerRow<'_> {
    /// Whose row it is.
    pub fn member(&self) -> Option<MemberId> {
        self.by.subject.member()
    }

    /// The values in the order of [`HEADER`]; names, CIN and tax number are left to whoever knows them.
    pub fn cells(&self) -> [String; 12] {
        let provider = self.attempt.provider.to_string();
        let npi = provider.parse::<Npi>().map(|_| provider).unwrap_or_default();
        let minutes = self.attempt.minutes.map(|minutes| minutes.to_string());
        [
            self.by.plan.to_string(),
            self.plan_name.unwrap_or_default().to_owned(),
            String::new(),
            npi,
            String::new(),
            String::new(),
            String::new(),
            staff(self.attempt.staff).to_owned(),
            self.by.occurred_at.day().to_string(),
            method(self.attempt.channel).to_owned(),
            (if self.is_contact { "Y" } else { "N" }).to_owned(),
            minutes.unwrap_or_default(),
        ]
    }

    /// The row in its one canonical form: the member's pseudonym, then the cells, with commas.
    pub fn line(&self) -> String {
        let mut line = self.by.subject.to_string();
        for cell in self.cells() {
            line.push(',');
            if cell.contains([',', '"']) {
                _ = write!(line, "\"{}\"", cell.replace('"', "\"\""));
            } else {
                line.push_str(&cell);
            }
        }
        line
    }
}

/// The rows of several members as one text, in an order of its own: two files of the same facts are the same bytes.
pub fn text<'r, 'a: 'r>(rows: impl IntoIterator<Item = &'r TrackerRow<'a>>) -> String {
    let mut rows: Vec<&TrackerRow<'_>> = rows.into_iter().collect();
    rows.sort_by_key(|row| (row.by.subject, row.by.occurred_at.earliest().utc(), row.by.id));
    rows.into_iter().fold(String::new(), |text, row| text + &row.line() + "\n")
}

fn staff(staff: Staff) -> &'static str {
    match staff {
        Staff::Clinical => "Clinical",
        Staff::NonClinical => "Non-clinical",
    }
}

fn method(channel: OutreachChannel) -> &'static str {
    match channel {
        OutreachChannel::InPerson => "In-person",
        OutreachChannel::Phone => "Telephonic",
        OutreachChannel::Text => "Text",
        OutreachChannel::Email => "Email",
        OutreachChannel::Mail => "Mail",
        OutreachChannel::Portal => "Portal",
        OutreachChannel::Robocall => "Robocall",
    }
}
