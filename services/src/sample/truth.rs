//! What a ledger that read every file must say, counted from the lives themselves and never from the files.

use chrono::NaiveDate;
use serde::Serialize;
use std::collections::BTreeMap;

use super::FileKind;
use super::calendar::{Month, as_of, census_days};
use super::county::{Plan, Program};
use super::life::{Life, Span};

/// The contents of `truth.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Truth {
    /// The county's seed.
    pub seed: u64,
    /// The day the outreach totals are as of.
    pub as_of: NaiveDate,
    /// Members enrolled, by day, plan and program.
    pub enrolled: Vec<Enrolled>,
    /// Overlaps that stand open, by day and outcome.
    pub conflicts: Vec<Conflicts>,
    /// How outreach turned into enrollment, by plan.
    pub outreach: Vec<Outreach>,
    /// The files with rows that nobody can read.
    pub quarantined: Vec<Quarantined>,
}

/// How many members were enrolled on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Enrolled {
    /// The day.
    pub on: NaiveDate,
    /// The plan's code.
    pub plan: &'static str,
    /// The program's code.
    pub program: &'static str,
    /// Distinct members whose enrollment covers the day.
    pub members: u64,
}

/// How many overlaps stood open on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conflicts {
    /// The day.
    pub on: NaiveDate,
    /// What follows from the overlap.
    pub outcome: &'static str,
    /// Pairs of spans of one member that both cover the day.
    pub open: u64,
}

/// What outreach led to at one plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outreach {
    /// The plan's code.
    pub plan: &'static str,
    /// The program's code.
    pub program: &'static str,
    /// Members the plan identified.
    pub identified: u64,
    /// Of these, members with an attempt that counts.
    pub attempted: u64,
    /// Attempts that count, made to them before enrollment.
    pub attempts: u64,
    /// Of these members, those reached by an attempt that counts.
    pub contacted: u64,
    /// Of these members, those who enrolled with the plan.
    pub enrolled: u64,
}

/// How many rows of a file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quarantined {
    /// The file's name.
    pub file: String,
    /// Its unreadable rows.
    pub rows: u64,
}

/// What follows when two programs run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Overlap {
    Choose,
    Conflict,
    DuplicateEnrollment,
    Exclude,
}

impl Overlap {
    const ALL: [Self; 4] = [Self::Choose, Self::Conflict, Self::DuplicateEnrollment, Self::Exclude];

    const fn code(self) -> &'static str {
        match self {
            Self::Choose => "choose",
            Self::Conflict => "conflict",
            Self::DuplicateEnrollment => "duplicate_enrollment",
            Self::Exclude => "exclude",
        }
    }

    /// What follows from two spans of one member, whatever their days.
    fn of(one: &Span, other: &Span) -> Option<Self> {
        if one.program == other.program {
            return (one.enrolled_by.is_some() && other.enrolled_by.is_some()).then_some(Self::DuplicateEnrollment);
        }
        Self::ordered(one, other).or_else(|| Self::ordered(other, one))
    }

    fn ordered(one: &Span, other: &Span) -> Option<Self> {
        let housing = matches!(one.program, Program::HousingNavigation | Program::TenancySustaining);
        let ecm = one.program == Program::Ecm;
        match other.program {
            Program::IcmsHfh | Program::IcmsOdr => (housing && one.plan_direct).then_some(Self::Conflict),
            Program::Mssp | Program::Alw => ecm.then_some(Self::Choose),
            Program::Pace | Program::Hospice => ecm.then_some(Self::Exclude),
            Program::Ecm | Program::HousingNavigation | Program::TenancySustaining | Program::TailoredMeals => None,
        }
    }
}

/// The counts while lives are being added.
#[derive(Debug)]
pub struct Tally {
    days: Vec<NaiveDate>,
    enrolled: BTreeMap<(NaiveDate, Plan, Program), u64>,
    conflicts: BTreeMap<(NaiveDate, Overlap), u64>,
    outreach: BTreeMap<Plan, Outreach>,
    quarantined: BTreeMap<(Plan, FileKind, Month), u64>,
}

impl Tally {
    /// Every count at zero.
    pub fn new() -> Self {
        let days = census_days();
        let (mut enrolled, mut conflicts) = (BTreeMap::new(), BTreeMap::new());
        for day in &days {
            for plan in Plan::ALL {
                enrolled.extend(Program::ENROLLED_IN.map(|program| ((*day, plan, program), 0)));
            }
            conflicts.extend(Overlap::ALL.map(|overlap| ((*day, overlap), 0)));
        }
        let none = |plan: Plan| Outreach {
            plan: plan.code(),
            program: Program::Ecm.code(),
            identified: 0,
            attempted: 0,
            attempts: 0,
            contacted: 0,
            enrolled: 0,
        };
        let outreach = Plan::ALL.map(|plan| (plan, none(plan))).into();
        Self { days, enrolled, conflicts, outreach, quarantined: BTreeMap::new() }
    }

    /// Counts one life.
    pub fn add(&mut self, life: &Life) {
        let spans = life.spans();
        for day in self.days.clone() {
            self.add_day(day, &spans);
        }
        for episode in &life.episodes {
            let Some(outreach) = self.outreach.get_mut(&episode.plan) else { continue };
            outreach.identified += 1;
            outreach.attempted += u64::from(episode.counted().next().is_some());
            outreach.attempts += episode.counted().map(|_| 1).sum::<u64>();
            outreach.contacted += u64::from(episode.counted().any(|attempt| attempt.reached));
            outreach.enrolled += u64::from(episode.enrollment().is_some());
        }
        if let (Some((plan, month)), Some(blunder)) = (life.blunder_at(), life.blunder) {
            *self.quarantined.entry((plan, blunder.kind, month)).or_default() += 1;
        }
    }

    fn add_day(&mut self, day: NaiveDate, spans: &[Span]) {
        let open: Vec<_> = spans.iter().filter(|span| span.covers(day)).collect();
        for ((on, plan, program), members) in self.enrolled.range_mut((day, Plan::Anthem, Program::Ecm)..) {
            if *on != day {
                break;
            }
            let enrolled = open.iter().any(|span| span.program == *program && span.enrolled_by == Some(*plan));
            *members += u64::from(enrolled);
        }
        for (place, one) in open.iter().enumerate() {
            for other in &open[place + 1..] {
                if let Some(overlap) = Overlap::of(one, other) {
                    *self.conflicts.entry((day, overlap)).or_default() += 1;
                }
            }
        }
    }

    /// The counts as they stand; `file_name` says what the file of a plan, kind and month is called.
    pub fn truth(self, seed: u64, file_name: impl Fn(Plan, FileKind, Month) -> String) -> Truth {
        let quarantined = self.quarantined.into_iter();
        let mut quarantined: Vec<_> = quarantined
            .map(|((plan, kind, month), rows)| Quarantined { file: file_name(plan, kind, month), rows })
            .collect();
        quarantined.sort_by(|one, other| one.file.cmp(&other.file));
        let enrolled = self.enrolled.into_iter().map(|((on, plan, program), members)| Enrolled {
            on,
            plan: plan.code(),
            program: program.code(),
            members,
        });
        let conflicts = self.conflicts.into_iter();
        Truth {
            seed,
            as_of: as_of(),
            enrolled: enrolled.collect(),
            conflicts: conflicts.map(|((on, overlap), open)| Conflicts { on, outcome: overlap.code(), open }).collect(),
            outreach: self.outreach.into_values().collect(),
            quarantined,
        }
    }
}
