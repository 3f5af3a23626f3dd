//! `finding`, one row per matter a reader must look at: its code, the rule that says so, the days it concerns and the
//! events it rests on. What to do about it is nobody's but the reader's: a finding refuses and changes nothing.

use rollbook_events::Event;
use rollbook_events::families::outreach::Outreach;

use crate::catalogue::cite;
use crate::dossier::{Dossier, Recorded};
use crate::rulebook::Rulebook;
use crate::rules::facts::Facts;
use crate::rules::finding::Finding;
use crate::rules::findings::findings;
use crate::view::{Column, ColumnType as T, Row, Table, Touched, View, joined};

/// The findings.
#[derive(Debug)]
pub struct Findings;

/// Its table.
pub const TABLE: Table = Table {
    name: "finding",
    comment: "one row per matter a reader must look at",
    columns: &[
        Column { name: "code", kind: T::Text, comment: "what was found" },
        Column { name: "rule", kind: T::Text, comment: "rule of the catalogue" },
        Column { name: "cite", kind: T::Text, comment: "where the rule is written" },
        Column { name: "plan", kind: T::Text, comment: "whose record it is" },
        Column { name: "county", kind: T::Text, comment: "county of the record" },
        Column { name: "program", kind: T::Text, comment: "program it is about" },
        Column { name: "about", kind: T::Text, comment: "the enrollment, authorization, month or other thing meant" },
        Column { name: "from_on", kind: T::Day, comment: "first day it concerns" },
        Column { name: "until_on", kind: T::Day, comment: "first day no longer; none while it stands" },
        Column { name: "because", kind: T::Text, comment: "ids of the events it rests on, with commas" },
    ],
};

impl View for Findings {
    fn table(&self) -> &'static Table {
        &TABLE
    }

    fn rows(&self, facts: &Facts<'_>) -> Vec<Row> {
        findings(facts).iter().map(row).collect()
    }

    fn touched(&self, _: &Dossier, _: &Rulebook, event: &Recorded) -> Touched {
        match &event.envelope.event {
            Event::Outreach(event) => match event {
                // An episode that is closed ends, and the next attempt begins to count from one.
                Outreach::OutreachAttempted(_) | Outreach::OutreachClosed(_) => Touched::Everything,
                // OUT-20: a look into another system says nothing about the member.
                Outreach::MemberLookedUp(_) => Touched::Nothing,
            },
            Event::Who(_)
            | Event::Coverage(_)
            | Event::OtherPrograms(_)
            | Event::Referral(_)
            | Event::Authorization(_)
            | Event::Enrollment(_)
            | Event::Notice(_)
            | Event::Correction(_) => Touched::Everything,
            Event::Rules(_) => Touched::Nothing,
        }
    }
}

fn row(finding: &Finding<'_>) -> Row {
    let of = finding.of;
    let program = finding.program.map(|program| program.as_str());
    let because: Vec<String> = finding.because.iter().map(ToString::to_string).collect();
    let cells = vec![
        finding.code.into(),
        finding.rule.into(),
        cite(finding.rule).into(),
        of.plan.as_str().into(),
        of.county.as_str().into(),
        program.into(),
        finding.about.as_str().into(),
        finding.from.into(),
        finding.until.into(),
        joined(because.iter().map(String::as_str)).into(),
    ];
    let (member, code, about, from) = (of.subject, finding.code, &finding.about, finding.from);
    let key = format!("{member}|{code}|{}|{}|{about}|{from}", of.plan, program.unwrap_or("-"));
    Row { key, member: member.member(), cells }
}
