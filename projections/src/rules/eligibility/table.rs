//! The answers as rows, so that whoever prints a view can print them. No database holds them: they are worked out when
//! somebody asks.

use super::{Answer, Question, eligibility};
use crate::rules::facts::Facts;
use crate::view::{Column, ColumnType as T, Row, Table, joined};

/// The answers' columns.
pub const TABLE: Table = Table {
    name: "eligibility",
    comment: "one row per member, program, channel and span on which the answer is the same",
    columns: &[
        Column { name: "program", kind: T::Text, comment: "program asked about" },
        Column { name: "channel", kind: T::Text, comment: "channel, where it makes a difference" },
        Column { name: "plan", kind: T::Text, comment: "plan asked about" },
        Column { name: "county", kind: T::Text, comment: "county asked about" },
        Column { name: "outcome", kind: T::Text, comment: "whether the member may have it" },
        Column { name: "reason", kind: T::Text, comment: "why, as codes with commas" },
        Column { name: "rule", kind: T::Text, comment: "rules of the catalogue, with commas" },
        Column { name: "cites", kind: T::Text, comment: "where they are written, with semicolons" },
        Column { name: "because", kind: T::Text, comment: "events it rests on, with commas" },
        Column { name: "from_on", kind: T::Day, comment: "first day" },
        Column { name: "until_on", kind: T::Day, comment: "first day no longer; none while it holds" },
    ],
};

/// The rows of a question.
pub fn rows(facts: &Facts<'_>, question: &Question<'_>) -> Vec<Row> {
    // Nobody of whom nothing is known has a row.
    let Some(first) = facts.standing.first() else { return Vec::new() };
    eligibility(facts, question).iter().map(|answer| row(question, answer, first.subject)).collect()
}

fn row(question: &Question<'_>, answer: &Answer<'_>, subject: rollbook_events::Subject) -> Row {
    let because: Vec<String> = answer.because.iter().map(ToString::to_string).collect();
    let channel = answer.channel.map(|channel| channel.as_str());
    let cells = vec![
        answer.program.as_str().into(),
        channel.into(),
        question.plan.as_str().into(),
        question.county.as_str().into(),
        answer.outcome.as_str().into(),
        joined(answer.reasons.iter().map(|reason| reason.as_str())).into(),
        joined(answer.rules.iter().copied()).into(),
        (!answer.cites.is_empty()).then(|| answer.cites.join("; ")).into(),
        joined(because.iter().map(String::as_str)).into(),
        answer.span.from.into(),
        answer.span.until.into(),
    ];
    let about = format!("{}|{}|{}", answer.program, question.plan, question.county);
    let key = format!("{subject}|{about}|{}|{}", channel.unwrap_or("-"), answer.span.from);
    Row { key, member: subject.member(), cells }
}
