//! Submissions in the ledger's own vocabulary: Community Supports and other programs, one JSON object a line.

use chrono::NaiveDate;
use serde_json::{Value, json};
use uuid::Uuid;

use super::county::COUNTY_AGENCY;
use super::life::Life;
use super::supports::{Evidence, Participation, Report, SupportEnrollment};

/// A line, with the day it was reported.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The day of the report.
    pub on: NaiveDate,
    /// The submission.
    pub submission: Value,
}

/// The lines an agency reports about a member, in the order they must be read.
pub fn lines(life: &Life, agency: &str) -> Vec<Line> {
    let supports = life.supports.iter().filter(|support| support.plan.code() == agency);
    let participations = life.participations.iter().filter(|participation| participation.agency == agency);
    let mut lines: Vec<_> = supports.flat_map(|support| support_lines(life, support)).collect();
    lines.extend(participations.flat_map(|participation| participation_lines(life, participation)));
    lines.sort_by_key(|line| line.on);
    lines
}

fn line(life: &Life, agency: &str, report: Report, kind: &str, occurred_on: NaiveDate, data: Value) -> Line {
    let submission = json!({
        "id": report.id,
        "kind": kind,
        "cin": life.person.cin,
        "plan": agency,
        "county": "los-angeles",
        "occurred_at": occurred_on,
        "source": {"system": "sample"},
        "data": data,
    });
    Line { on: report.on, submission }
}

fn support_lines(life: &Life, support: &SupportEnrollment) -> Vec<Line> {
    let plan = support.plan.code();
    let mut lines = Vec::new();
    match support.corrected {
        None => lines.push(enrolled_line(life, support, support.reported, support.from, None)),
        Some(correction) => {
            lines.push(enrolled_line(life, support, support.reported, correction.wrong_from, None));
            let data = json!({
                "event": support.reported.id,
                "reason": "first day reported wrongly",
                "approved_by": "sample-supervisor",
            });
            lines.push(line(life, plan, correction.voided, "event_voided", correction.voided.on, data));
            let replaces = Some(support.reported.id);
            lines.push(enrolled_line(life, support, correction.replaced, support.from, replaces));
        }
    }
    if let Some((until, reason)) = support.end {
        let data = json!({
            "enrollment": support.id,
            "until": until,
            "reason": reason,
            "agreed_by": ["plan", "provider"],
        });
        lines.push(line(life, plan, support.end_reported, "disenrolled", until, data));
    }
    lines
}

fn enrolled_line(
    life: &Life,
    support: &SupportEnrollment,
    report: Report,
    from: NaiveDate,
    replaces: Option<Uuid>,
) -> Line {
    let data = json!({
        "enrollment": support.id,
        "program": support.program.code(),
        "basis": "opt_in",
        "channel": if support.plan_direct { "plan_direct" } else { "dhs_subcontract" },
        "provider": support.provider.npi(),
        "from": from,
    });
    let mut line = line(life, support.plan.code(), report, "enrolled", from, data);
    if let Some(replaced) = replaces {
        line.submission["replaces"] = json!(replaced);
    }
    line
}

fn participation_lines(life: &Life, participation: &Participation) -> Vec<Line> {
    let reports = participation.reports.iter().map(|(report, until, evidence)| {
        let mut data = json!({"program": participation.program.code(), "from": participation.from});
        if let Some(until) = until {
            data["until"] = json!(until);
        }
        if participation.agency == COUNTY_AGENCY {
            data["provider"] = json!(COUNTY_AGENCY);
        }
        data["evidence"] = json!(evidence.code());
        line(life, participation.agency, *report, "participation_reported", report.on, data)
    });
    reports.collect()
}

impl Evidence {
    const fn code(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Suspected => "suspected",
            Self::RuledOut => "ruled_out",
        }
    }
}
