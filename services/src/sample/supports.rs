//! Community Supports and other programs: what a member has, and how it was reported.

use chrono::NaiveDate;
use rand::Rng;
use uuid::{Builder, Uuid};

use super::calendar::{Month, after, as_of};
use super::county::{COUNTY_AGENCY, Plan, Program, Provider};
use super::life::{Episode, Span};

/// An enrollment in a Community Support.
#[derive(Clone, Debug, PartialEq)]
pub struct SupportEnrollment {
    /// The enrollment's id.
    pub id: Uuid,
    /// The plan.
    pub plan: Plan,
    /// The Community Support.
    pub program: Program,
    /// Whether the plan contracts with the provider directly, and not through the county agency.
    pub plan_direct: bool,
    /// The provider.
    pub provider: &'static Provider,
    /// First day.
    pub from: NaiveDate,
    /// First day no longer covered, and why.
    pub end: Option<(NaiveDate, &'static str)>,
    /// The report of the enrollment.
    pub reported: Report,
    /// The report that put a wrong first day right: the voiding and the replacement.
    pub corrected: Option<Correction>,
    /// The report of the end.
    pub end_reported: Report,
}

/// A submission: its id, and the day it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The event's id.
    pub id: Uuid,
    /// The day of the report.
    pub on: NaiveDate,
}

/// How a wrongly reported first day was put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Correction {
    /// The first day as first reported.
    pub wrong_from: NaiveDate,
    /// The voiding of the first report.
    pub voided: Report,
    /// Its replacement.
    pub replaced: Report,
}

/// Part in a program that is not an enrollment of the plan's.
#[derive(Clone, Debug, PartialEq)]
pub struct Participation {
    /// The code of the agency whose report it is.
    pub agency: &'static str,
    /// The program.
    pub program: Program,
    /// First day.
    pub from: NaiveDate,
    /// First day no longer covered.
    pub until: Option<NaiveDate>,
    /// The evidence that stands in the end.
    pub evidence: Evidence,
    /// The reports, each with the end and evidence it knew; each replaces the one before.
    pub reports: Vec<(Report, Option<NaiveDate>, Evidence)>,
}

/// How sure a report about another program is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Sure.
    Verified,
    /// Not checked.
    Suspected,
    /// Checked and wrong.
    RuledOut,
}

impl SupportEnrollment {
    /// The days that were really so.
    pub fn span(&self) -> Span {
        Span {
            program: self.program,
            enrolled_by: Some(self.plan),
            plan_direct: self.plan_direct,
            from: self.from,
            until: self.end.map(|(until, _)| until),
        }
    }
}

impl Participation {
    /// The days that were really so; nothing for what was only suspected, or ruled out.
    pub fn span(&self) -> Option<Span> {
        (self.evidence == Evidence::Verified).then_some(Span {
            program: self.program,
            enrolled_by: None,
            plan_direct: false,
            from: self.from,
            until: self.until,
        })
    }
}

/// A member's Community Supports and other programs.
///
/// A program that excludes ECM, or that a member must choose against it, comes alone: its meeting with a Community
/// Support is a question the sample does not ask.
pub fn drawn(home: Plan, episodes: &[Episode], rng: &mut impl Rng) -> (Vec<SupportEnrollment>, Vec<Participation>) {
    if let [episode] = episodes
        && let Some(enrollment) = episode.enrollment()
        && rng.random_bool(0.08)
    {
        let program = one_of([Program::Mssp, Program::Alw, Program::Pace, Program::Hospice], rng);
        let from = after(enrollment.from, rng.random_range(-60..60)).min(after(as_of(), -15));
        return (Vec::new(), vec![participation(home.code(), program, from, rng)]);
    }
    let mut supports = Vec::new();
    let housing = one_of([Program::HousingNavigation, Program::TenancySustaining], rng);
    if rng.random_bool(0.07) {
        let program = one_of([Program::IcmsHfh, Program::IcmsOdr], rng);
        let from = after(Month::FIRST.plus(-2).day(1), rng.random_range(0..330));
        match rng.random_range(0..100_u32) {
            0..40 => supports.push(support(home, housing, true, rng)),
            40..70 => supports.push(support(home, housing, false, rng)),
            70..80 => supports.push(support(home, Program::TailoredMeals, true, rng)),
            _ => {}
        }
        return (supports, vec![participation(COUNTY_AGENCY, program, from, rng)]);
    }
    if rng.random_bool(0.08) {
        let plan_direct = rng.random_bool(0.9);
        supports.push(support(home, housing, plan_direct, rng));
    }
    if rng.random_bool(0.05) {
        supports.push(support(home, Program::TailoredMeals, true, rng));
    }
    (supports, Vec::new())
}

fn support(plan: Plan, program: Program, plan_direct: bool, rng: &mut impl Rng) -> SupportEnrollment {
    let from = after(Month::FIRST.day(1), rng.random_range(0..330));
    let reported = Report { id: id(rng), on: after(from, rng.random_range(1..12)) };
    let shift = rng.random_range(1..12) * if rng.random_bool(0.5) { 1 } else { -1 };
    let voided = Report { id: id(rng), on: after(reported.on, rng.random_range(5..25)) };
    let replaced = Report { id: id(rng), on: voided.on };
    let corrected = rng.random_bool(0.06).then_some(Correction { wrong_from: after(from, shift), voided, replaced });
    let until = after(from, rng.random_range(40..250));
    let reason = one_of(["goals_met", "no_longer_wishes", "moved_out_of_county", "other"], rng);
    SupportEnrollment {
        id: id(rng),
        plan,
        program,
        plan_direct,
        provider: Provider::drawn(plan, rng),
        from,
        end: (rng.random_bool(0.4) && until <= as_of()).then_some((until, reason)),
        reported,
        corrected,
        // Never before a correction, so that nobody ends what is voided at that moment.
        end_reported: Report { id: id(rng), on: after(until, rng.random_range(1..15)) },
    }
}

fn participation(agency: &'static str, program: Program, from: NaiveDate, rng: &mut impl Rng) -> Participation {
    let first = Report { id: id(rng), on: after(from, rng.random_range(3..30)).max(Month::FIRST.day(1)) };
    let until = after(from, rng.random_range(45..240));
    let second = Report { id: id(rng), on: after(until.max(first.on), rng.random_range(2..20)) };
    let until = (rng.random_bool(0.4) && until <= as_of()).then_some(until);
    let (evidence, reports) = match (rng.random_range(0..100_u32), until) {
        (0..8, _) => (Evidence::Suspected, vec![(first, until, Evidence::Suspected)]),
        (8..16, _) => {
            let ruled_out = Report { id: second.id, on: after(first.on, 20) };
            (Evidence::RuledOut, vec![(first, until, Evidence::Verified), (ruled_out, until, Evidence::RuledOut)])
        }
        (_, None) => (Evidence::Verified, vec![(first, None, Evidence::Verified)]),
        (_, Some(_)) => {
            let reports = vec![(first, None, Evidence::Verified), (second, until, Evidence::Verified)];
            (Evidence::Verified, reports)
        }
    };
    Participation { agency, program, from, until, evidence, reports }
}

fn id(rng: &mut impl Rng) -> Uuid {
    Builder::from_custom_bytes(rng.random()).into_uuid()
}

fn one_of<T: Copy, const N: usize>(choices: [T; N], rng: &mut impl Rng) -> T {
    choices[rng.random_range(0..u32::try_from(N).unwrap_or(1)) as usize]
}
