//! One member's life as it really was: the only source of the files and of the truth.

use chrono::{NaiveDate, NaiveDateTime};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;

use super::FileKind;
use super::calendar::{Month, after};
use super::county::{Plan, Program, Provider};
use super::ecm;
use super::person::Person;
use super::supports::{self, Participation, SupportEnrollment};

/// Everything that happened to one member, and how it was reported.
#[derive(Clone, Debug, PartialEq)]
pub struct Life {
    /// The member's number in the county.
    pub index: u32,
    /// Who it is.
    pub person: Person,
    /// What each plan that identified the member for ECM did, one per plan.
    pub episodes: Vec<Episode>,
    /// Outreach to somebody whom no plan ever identified.
    pub stray: Option<Stray>,
    /// Community Supports.
    pub supports: Vec<SupportEnrollment>,
    /// Other programs.
    pub participations: Vec<Participation>,
    /// A row about the member that nobody can read.
    pub blunder: Option<Blunder>,
}

/// One plan's identification of a member for ECM, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Episode {
    /// The plan that identified the member.
    pub plan: Plan,
    /// The provider the member was assigned to.
    pub provider: &'static Provider,
    /// Whether the provider's outreach staff is clinical.
    pub clinical: bool,
    /// The day of the assignment.
    pub assigned: NaiveDate,
    /// The last month in which the plan still answers for the member.
    pub listed_to: Month,
    /// Populations of Focus, as places in the list of nine.
    pub populations: Vec<usize>,
    /// Outreach, earliest first.
    pub attempts: Vec<Attempt>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an identification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet.
    Pending,
    /// The member said no on that day.
    Declined(NaiveDate),
    /// The member said yes.
    Enrolled(Enrollment),
}

/// An enrollment in ECM, with the days that were really so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrollment {
    /// First day.
    pub from: NaiveDate,
    /// A first day that the earlier files stated wrongly.
    pub misstated_from: Option<Misstated>,
    /// The end, if there was one.
    pub end: Option<Ending>,
}

/// The end of an enrollment in ECM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Last day covered; the first day not covered is the next.
    pub last_day: NaiveDate,
    /// The month whose file first tells of it.
    pub known_in: Month,
    /// A last day that the earlier files stated wrongly.
    pub misstated: Option<Misstated>,
    /// The quarterly report's reason code, where the provider gave one.
    pub reason: Option<u32>,
}

/// A day that files stated wrongly until one put it right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Misstated {
    /// The wrong day.
    pub day: NaiveDate,
    /// The first month whose file has the right one.
    pub right_from: Month,
}

/// One outreach attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// When it began, on a Los Angeles clock.
    pub starts: NaiveDateTime,
    /// How long it took.
    pub minutes: u32,
    /// By what means.
    pub method: Method,
    /// Whether the member was reached.
    pub reached: bool,
    /// The file that first tells of it.
    pub filing: Filing,
}

/// A means of outreach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Face to face.
    InPerson,
    /// By telephone.
    Telephonic,
    /// By text message.
    Text,
    /// By electronic mail.
    Email,
    /// By letter, which is no attempt.
    Mail,
}

/// The tracker file that first tells of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filing {
    /// The file's month.
    pub month: Month,
    /// Whether it is the month's second, corrected file.
    pub corrected: bool,
}

/// Outreach to somebody whom no plan ever identified.
#[derive(Clone, Debug, PartialEq)]
pub struct Stray {
    /// The plan the provider reports to.
    pub plan: Plan,
    /// The provider.
    pub provider: &'static Provider,
    /// The attempts, earliest first.
    pub attempts: Vec<Attempt>,
}

/// A spoilt copy of one of the member's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blunder {
    /// The kind of file it stands in.
    pub kind: FileKind,
    /// What is wrong with it.
    pub defect: Defect,
}

/// What makes a row unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// A day no calendar has.
    ImpossibleDate,
    /// A CIN of seven digits.
    ShortCin,
    /// An NPI whose check digit does not fit.
    WrongNpi,
    /// A means of outreach nobody knows.
    CarrierPigeon,
}

/// One stretch of days in a program, as it really was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The program.
    pub program: Program,
    /// The plan, where this is an enrollment and not a report about another program.
    pub enrolled_by: Option<Plan>,
    /// Whether the plan contracts with the provider directly.
    pub plan_direct: bool,
    /// First day.
    pub from: NaiveDate,
    /// First day no longer covered.
    pub until: Option<NaiveDate>,
}

impl Span {
    /// Whether the span covers that day.
    pub fn covers(&self, day: NaiveDate) -> bool {
        self.from <= day && self.until.is_none_or(|until| day < until)
    }
}

impl Attempt {
    /// Whether outreach by these means counts as an attempt at all.
    pub fn counts(&self) -> bool {
        self.method != Method::Mail
    }
}

impl Enrollment {
    /// The first day not covered.
    pub fn until(&self) -> Option<NaiveDate> {
        self.end.as_ref().map(|end| after(end.last_day, 1))
    }
}

impl Episode {
    /// The enrollment this led to.
    pub fn enrollment(&self) -> Option<&Enrollment> {
        match &self.outcome {
            Outcome::Enrolled(enrollment) => Some(enrollment),
            Outcome::Pending | Outcome::Declined(_) => None,
        }
    }

    /// The attempts that count: by means that count, and before the enrollment.
    pub fn counted(&self) -> impl Iterator<Item = &Attempt> {
        let enrolled = self.enrollment().map(|enrollment| enrollment.from);
        self.attempts
            .iter()
            .filter(move |attempt| attempt.counts() && enrolled.is_none_or(|from| attempt.starts.date() < from))
    }
}

impl Life {
    /// The life of the member of that number; the same for the same seed, however often it is asked for.
    pub fn simulated(seed: u64, index: u32) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::from(index));
        let person = Person::drawn(seed, index, &mut rng);
        let home = Plan::drawn(&mut rng);
        let mut taken = BTreeSet::new();
        let (mut episodes, mut stray) = (Vec::new(), None);
        match rng.random_range(0..100_u32) {
            0..85 => episodes = ecm::episodes(home, &mut taken, &mut rng),
            85..90 => stray = Some(ecm::stray(home, &mut taken, &mut rng)),
            _ => {}
        }
        let blunder = (!episodes.is_empty() && rng.random_bool(0.05)).then(|| Blunder::drawn(&mut rng));
        let (supports, participations) = supports::drawn(home, &episodes, &mut rng);
        Self { index, person, episodes, stray, supports, participations, blunder }
    }

    /// Whether any of that plan's tables has something to say of the member.
    pub fn concerns(&self, plan: Plan) -> bool {
        let stray = self.stray.as_ref().is_some_and(|stray| stray.plan == plan);
        stray || self.episodes.iter().any(|episode| episode.plan == plan)
    }

    /// Every stretch of days in a program that stands when all reports and corrections are in.
    pub fn spans(&self) -> Vec<Span> {
        let ecm = self.episodes.iter().filter_map(|episode| {
            let enrollment = episode.enrollment()?;
            let (from, until) = (enrollment.from, enrollment.until());
            Some(Span { program: Program::Ecm, enrolled_by: Some(episode.plan), plan_direct: true, from, until })
        });
        let supports = self.supports.iter().map(SupportEnrollment::span);
        ecm.chain(supports).chain(self.participations.iter().filter_map(Participation::span)).collect()
    }

    /// Where the spoilt row stands, if there is one and the member has a row there that it can be a copy of.
    pub fn blunder_at(&self) -> Option<(Plan, Month)> {
        let blunder = self.blunder?;
        let episode = self.episodes.first()?;
        let month = match (blunder.kind, blunder.defect) {
            (FileKind::MemberInformation, _) => Month::of(episode.assigned),
            (FileKind::OutreachTracker, _) => {
                episode.attempts.iter().find(|attempt| !attempt.filing.corrected)?.filing.month
            }
            (FileKind::ReturnTransmission, Defect::ImpossibleDate) => Month::of(episode.enrollment()?.from),
            (FileKind::ReturnTransmission, _) => Month::of(episode.assigned),
            (FileKind::Events, _) => return None,
        };
        Some((episode.plan, month))
    }

    /// The defect of the spoilt row that stands in that file.
    pub fn defect_in(&self, plan: Plan, kind: FileKind, month: Month) -> Option<Defect> {
        let blunder = self.blunder.filter(|blunder| blunder.kind == kind)?;
        (self.blunder_at()? == (plan, month)).then_some(blunder.defect)
    }
}

impl Blunder {
    fn drawn(rng: &mut impl Rng) -> Self {
        let kind = match rng.random_range(0..3_u32) {
            0 => FileKind::MemberInformation,
            1 => FileKind::OutreachTracker,
            _ => FileKind::ReturnTransmission,
        };
        let defects = if kind == FileKind::OutreachTracker { 4_u32 } else { 3 };
        let defect = match rng.random_range(0..defects) {
            0 => Defect::ImpossibleDate,
            1 => Defect::ShortCin,
            2 => Defect::WrongNpi,
            _ => Defect::CarrierPigeon,
        };
        Self { kind, defect }
    }
}
