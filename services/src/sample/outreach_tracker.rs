//! The ECM Provider Initial Outreach Tracker File: the month's attempts, and those of earlier months that came late.

use chrono::TimeDelta;

use super::calendar::Month;
use super::cell::{Cell, MOMENT};
use super::county::{Plan, Provider};
use super::life::{Attempt, Defect, Filing, Life, Method};
use super::{FileKind, spoilt};

/// The full layout; the tax id's header lacks a space, as in the field.
pub const HEADERS: [&str; 12] = [
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

impl Method {
    /// The word on the tracker.
    pub const fn word(self) -> &'static str {
        match self {
            Self::InPerson => "In-person",
            Self::Telephonic => "Telephonic",
            Self::Text => "Text",
            Self::Email => "Email",
            Self::Mail => "Mail",
        }
    }
}

/// Who tried to reach whom.
struct Parties<'life> {
    life: &'life Life,
    plan: Plan,
    provider: &'static Provider,
    clinical: bool,
}

/// The member's rows in a plan's file of that month; the corrected file has the first one's rows and the late ones.
pub fn rows(life: &Life, plan: Plan, month: Month, corrected: bool) -> Vec<Vec<Cell>> {
    let filed = |attempt: &&Attempt| {
        let Filing { month: filed_in, corrected: filed_late } = attempt.filing;
        filed_in == month && (corrected || !filed_late)
    };
    let identified = life.episodes.iter().filter(|episode| episode.plan == plan).map(|episode| {
        let parties = Parties { life, plan, provider: episode.provider, clinical: episode.clinical };
        (parties, &episode.attempts)
    });
    let stray = life.stray.iter().filter(|stray| stray.plan == plan).map(|stray| {
        let parties = Parties { life, plan, provider: stray.provider, clinical: false };
        (parties, &stray.attempts)
    });
    let mut rows = Vec::new();
    for (parties, attempts) in identified.chain(stray) {
        let attempts: Vec<_> = attempts.iter().filter(filed).collect();
        if plan.profile().collapsed {
            rows.extend((!attempts.is_empty()).then(|| parties.collapsed_row(&attempts)));
        } else {
            rows.extend(attempts.iter().map(|attempt| parties.row(attempt)));
        }
        let defect = life.defect_in(plan, FileKind::OutreachTracker, month).filter(|_| !corrected);
        if let (Some(defect), Some(first)) = (defect, attempts.first()) {
            rows.push(parties.spoilt_row(first, defect));
        }
    }
    rows
}

impl Parties<'_> {
    fn row(&self, attempt: &Attempt) -> Vec<Cell> {
        let mut row = self.opening();
        row.extend([
            Cell::Moment(attempt.starts),
            Cell::text(attempt.method.word()),
            Cell::Flag(attempt.reached),
            Cell::Count(attempt.minutes),
        ]);
        row
    }

    fn collapsed_row(&self, attempts: &[&Attempt]) -> Vec<Cell> {
        let style = self.plan.profile().style;
        let joined = |word: &dyn Fn(&Attempt) -> String| {
            Cell::text(attempts.iter().map(|attempt| word(attempt)).collect::<Vec<_>>().join(", "))
        };
        let minutes: u32 = attempts.iter().map(|attempt| attempt.minutes).sum();
        let mut row = self.opening();
        row.extend([
            joined(&start_and_end),
            joined(&|attempt| attempt.method.word().to_owned()),
            joined(&|attempt| style.written(&Cell::Flag(attempt.reached))),
            Cell::text(format!("{} h {} mins", minutes / 60, minutes % 60)),
        ]);
        row
    }

    fn opening(&self) -> Vec<Cell> {
        let person = &self.life.person;
        vec![
            Cell::text(self.plan.code()),
            Cell::text(self.plan.name()),
            Cell::text(self.provider.name),
            Cell::text(self.provider.npi()),
            Cell::text(self.provider.tin),
            Cell::text(format!("{} {}", person.first_name, person.last_name)),
            Cell::text(person.number(self.plan.profile().card_numbers)),
            Cell::text(if self.clinical { "Clinical" } else { "Non-clinical" }),
        ]
    }

    /// A copy of one attempt's row, even in a collapsed file, so that the whole row is unreadable or none of it.
    fn spoilt_row(&self, attempt: &Attempt, defect: Defect) -> Vec<Cell> {
        let collapsed = self.plan.profile().collapsed;
        let row = if collapsed { self.collapsed_row(&[attempt]) } else { self.row(attempt) };
        let (header, cell) = match defect {
            Defect::ImpossibleDate if collapsed => {
                ("Date of Outreach Attempt", Cell::text("02/30/2025 10:00 - 02/30/2025 10:15"))
            }
            Defect::ImpossibleDate => ("Date of Outreach Attempt", Cell::NoSuchMoment),
            Defect::ShortCin => ("Member Client Index Number", Cell::text(&self.life.person.cin[..7])),
            Defect::WrongNpi => {
                ("ECM Provider National Provider Identifier (NPI)", Cell::text(self.provider.wrong_npi()))
            }
            Defect::CarrierPigeon => ("Outreach Attempt Method", Cell::text("Carrier pigeon")),
        };
        spoilt(row, &HEADERS, header, cell)
    }
}

fn start_and_end(attempt: &Attempt) -> String {
    let end = attempt.starts + TimeDelta::minutes(i64::from(attempt.minutes));
    format!("{} - {}", attempt.starts.format(MOMENT), end.format(MOMENT))
}
