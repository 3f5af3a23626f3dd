//! How each plan lays out its files: which columns, in which order, under which headers.
//!
//! The headers of L.A. Care are the full ones; the other plans' are the variants seen in the field.

use super::FileKind;
use super::cell::{Cell, DateStyle, Style};
use super::county::Plan;
use super::{member_information, outreach_tracker, return_transmission};

/// What a plan's files have in common.
#[derive(Clone, Copy, Debug)]
pub struct Profile {
    /// Workbooks with real dates, rather than text.
    pub workbook: bool,
    /// How cells are written.
    pub style: Style,
    /// Whether the tracker has one row for a client and month instead of one for each attempt.
    pub collapsed: bool,
    /// Whether some members stand there with their whole card number.
    pub card_numbers: bool,
}

impl Plan {
    /// The plan's habits.
    pub const fn profile(self) -> Profile {
        let (dates, yes, no) = match self {
            Self::Anthem => (DateStyle::Bare, "Yes", "No"),
            Self::HealthNet => (DateStyle::Iso, "1", "0"),
            Self::LaCare | Self::Molina => (DateStyle::Padded, "Y", "N"),
        };
        Profile {
            workbook: matches!(self, Self::Molina),
            style: Style { dates, yes, no },
            collapsed: matches!(self, Self::HealthNet),
            card_numbers: matches!(self, Self::HealthNet),
        }
    }
}

/// One column of a plan's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The header as the plan writes it.
    pub header: &'static str,
    source: Source,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// The column of that place in the full layout.
    Full(usize),
    /// A column of the plan's own, with the same words in every row.
    Own(&'static str),
}

impl Column {
    /// The column's cell of a row in the full layout.
    pub fn cell(&self, row: &[Cell]) -> Cell {
        match self.source {
            Source::Full(place) => row.get(place).cloned().unwrap_or(Cell::Empty),
            Source::Own(words) => Cell::text(words),
        }
    }
}

/// The full layout of a kind of file.
pub fn full_headers(kind: FileKind) -> &'static [&'static str] {
    match kind {
        FileKind::MemberInformation => &member_information::HEADERS,
        FileKind::OutreachTracker => &outreach_tracker::HEADERS,
        FileKind::ReturnTransmission => &return_transmission::HEADERS,
        FileKind::Events => &[],
    }
}

/// How a plan's layout differs from the full one.
struct Variant {
    /// Columns that come first, by full header.
    first: &'static [&'static str],
    /// Columns under another header.
    renamed: &'static [(&'static str, &'static str)],
    /// Headers that stand there a second time, at the end.
    repeated: &'static [&'static str],
    /// Columns of the plan's own, at the end, with what stands in them.
    own: &'static [(&'static str, &'static str)],
}

const PLAIN: Variant = Variant { first: &[], renamed: &[], repeated: &[], own: &[] };

const CIN: &str = "Member Client Index Number (CIN)";
/// The tracker's header lacks the abbreviation.
const TRACKER_CIN: &str = "Member Client Index Number";

const ANTHEM_MEMBER_INFORMATION: Variant = Variant {
    first: &[CIN, "Member First Name", "Member Last Name", "Member Date of Birth", "Member Assigned Date"],
    renamed: &[
        (CIN, "CIN"),
        ("Member Date of Birth", "MEMBER DATE OF BIRTH"),
        ("Member Last Name", "member last name"),
        ("Member Assigned Date", "Member  Assigned Date "),
        ("Member Residential City", "Member Resdidential City"),
        ("Member Residential Zip", "Member Resdential Zip Code"),
        ("Member Phone Number", "Primary Phone Number"),
    ],
    repeated: &[CIN],
    own: &[("Authorizatin End Date", "12/31/2025"), ("Client_ID2", "X-0000"), ("Notes", "sample, not real")],
};

const ANTHEM_OUTREACH_TRACKER: Variant = Variant {
    first: &[TRACKER_CIN, "Client Name", "Date of Outreach Attempt", "Outreach Attempt Method"],
    renamed: &[
        (TRACKER_CIN, "MCP CIN"),
        ("ECM Provider Tax ID Number(TIN)", "ECM Provider Tax ID Number (TIN)"),
        ("Outreach Attempt Method", "Outreach Attempt method"),
        ("Outreach Attempt Successful", "OUTREACH ATTEMPT SUCCESSFUL"),
        ("Time Spent Performing Outreach", "Time Spent Performing Outreach "),
    ],
    repeated: &[],
    own: &[("Notes", "")],
};

const ANTHEM_RETURN_TRANSMISSION: Variant = Variant {
    first: &[CIN, "Member Last Name", "Member First Name", "Member ECM Status", "ECM Enrollment Start Date"],
    renamed: &[
        (CIN, "CIN"),
        ("Member ECM Status", "MEMBER ECM STATUS"),
        ("ECM Enrollment Start Date", "ECM  Enrollment Start Date"),
        ("ECM Enrollment End Date", "ECM Enrollment End Date "),
        ("Member Residential City", "Member Resdidential City"),
        ("Member Residential Zip", "Member Resdential Zip Code"),
    ],
    repeated: &[CIN],
    own: &[("Client_ID2", "X-0000")],
};

const HEALTH_NET_MEMBER_INFORMATION: Variant = Variant {
    first: &["Primary Payer (MCP) Identifier", CIN],
    renamed: &[(CIN, "MCP_CIN"), ("Member Residential Zip", "Member Residential Zip Code")],
    repeated: &[],
    own: &[],
};

const HEALTH_NET_OUTREACH_TRACKER: Variant =
    Variant { first: &[], renamed: &[(TRACKER_CIN, "MCP_CIN")], repeated: &[], own: &[] };

const HEALTH_NET_RETURN_TRANSMISSION: Variant =
    Variant { first: &[], renamed: &[(CIN, "MCP_CIN")], repeated: &[], own: &[("Notes", "")] };

const MOLINA_MEMBER_INFORMATION: Variant = Variant {
    first: &[],
    renamed: &[(CIN, "Medi-Cal Member Client Index Number (CIN)")],
    repeated: &[],
    own: &[("Referring Organization", "Nobody & Sons")],
};

fn variant(plan: Plan, kind: FileKind) -> &'static Variant {
    match (plan, kind) {
        (Plan::Anthem, FileKind::MemberInformation) => &ANTHEM_MEMBER_INFORMATION,
        (Plan::Anthem, FileKind::OutreachTracker) => &ANTHEM_OUTREACH_TRACKER,
        (Plan::Anthem, FileKind::ReturnTransmission) => &ANTHEM_RETURN_TRANSMISSION,
        (Plan::HealthNet, FileKind::MemberInformation) => &HEALTH_NET_MEMBER_INFORMATION,
        (Plan::HealthNet, FileKind::OutreachTracker) => &HEALTH_NET_OUTREACH_TRACKER,
        (Plan::HealthNet, FileKind::ReturnTransmission) => &HEALTH_NET_RETURN_TRANSMISSION,
        (Plan::Molina, FileKind::MemberInformation) => &MOLINA_MEMBER_INFORMATION,
        (Plan::Molina, FileKind::OutreachTracker | FileKind::ReturnTransmission)
        | (Plan::LaCare, _)
        | (_, FileKind::Events) => &PLAIN,
    }
}

/// The columns of a plan's file, in the plan's order.
pub fn columns(plan: Plan, kind: FileKind) -> Vec<Column> {
    let variant = variant(plan, kind);
    let full = full_headers(kind);
    let rest = full.iter().filter(|header| !variant.first.contains(header));
    let placed = variant.first.iter().chain(rest).chain(variant.repeated);
    let shared = placed.filter_map(|header| {
        let place = full.iter().position(|candidate| candidate == header)?;
        let renamed = variant.renamed.iter().find(|(old, _)| old == header);
        Some(Column { header: renamed.map_or(*header, |(_, new)| *new), source: Source::Full(place) })
    });
    let own = variant.own.iter().map(|(header, words)| Column { header, source: Source::Own(words) });
    shared.chain(own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plan_has_every_column_and_no_variant_names_a_column_that_is_not_there() {
        for plan in Plan::ALL {
            for kind in FileKind::TABLES {
                let (full, variant, columns) = (full_headers(kind), variant(plan, kind), columns(plan, kind));
                assert_eq!(columns.len(), full.len() + variant.repeated.len() + variant.own.len());
                for header in variant.first.iter().chain(variant.repeated) {
                    assert!(full.contains(header), "{header}");
                }
                for (header, _) in variant.renamed {
                    assert!(full.contains(header), "{header}");
                }
            }
        }
    }
}
