//! What a member takes part in, and when, from whichever source: enrollments, reports of other programs, coverage.

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDate;
use rollbook_events::codes::{Channel, Evidence, MediCal, Medicare};
use rollbook_events::families::coverage::{Coverage, CoverageReported};
use rollbook_events::families::other_programs::{OtherPrograms, ParticipationReported};
use rollbook_events::ids::EnrollmentId;
use rollbook_events::{Envelope, Event, PlanCode, Program, Provider};

use crate::enrollment_spans::EnrollmentSpan;
use crate::rulebook::{CoverageCode, Selector};
use crate::spans::Span;

/// A program or a coverage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// A program.
    Program(Program),
    /// A coverage that a rule can speak of.
    Coverage(CoverageCode),
}

impl What {
    /// The code as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Program(program) => program.as_str(),
            Self::Coverage(coverage) => coverage.as_str(),
        }
    }

    /// As one side of a rule names it.
    pub fn selector(self) -> Selector {
        match self {
            Self::Program(program) => Selector::of(program),
            Self::Coverage(coverage) => Selector::Coverage(coverage),
        }
    }
}

/// What makes a side the same side when it is reported again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identity<'a> {
    /// An enrollment, and whose record it stands in.
    Enrollment(EnrollmentId, &'a PlanCode),
    /// A report of a program or a coverage, by whom and from when.
    Reported(What, &'a PlanCode, NaiveDate),
}

impl<'a> Identity<'a> {
    /// That of an enrollment.
    pub fn of(span: &EnrollmentSpan<'a>) -> Self {
        Self::Enrollment(span.enrolled.enrollment, &span.report.plan)
    }
}

impl fmt::Display for Identity<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enrollment(id, plan) => write!(f, "{id}@{plan}"),
            Self::Reported(what, plan, from) => write!(f, "{}@{plan}@{from}", what.as_str()),
        }
    }
}

/// Something held on a span of days.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// What.
    pub what: What,
    /// Which one.
    pub identity: Identity<'a>,
    /// The days.
    pub span: Span,
    /// Through which channel, where one is known.
    pub channel: Option<Channel>,
    /// Who serves, where it is known.
    pub provider: Option<&'a Provider>,
    /// The event that says so.
    pub evidence: &'a Envelope,
}

impl<'a> Held<'a> {
    /// Whose record it is.
    pub fn plan(&self) -> &'a PlanCode {
        &self.evidence.plan
    }
}

/// Everything held, from the events that stand in the order they happened. What is only suspected is not held (DUP-11).
pub fn held<'a>(standing: &[&'a Envelope], enrolled: &[EnrollmentSpan<'a>]) -> Vec<Held<'a>> {
    let mut held = Vec::new();
    for of in enrolled {
        held.extend(of.segments.iter().map(|segment| Held {
            what: What::Program(of.enrolled.program),
            identity: Identity::of(of),
            span: segment.span,
            channel: Some(segment.channel),
            provider: Some(segment.provider),
            evidence: of.report,
        }));
    }
    participations(standing, &mut held);
    coverages(standing, &mut held);
    held
}

fn participations<'a>(standing: &[&'a Envelope], held: &mut Vec<Held<'a>>) {
    type Key<'a> = (&'a PlanCode, Program, Option<NaiveDate>);
    let mut last: BTreeMap<Key<'a>, (&'a Envelope, &'a ParticipationReported)> = BTreeMap::new();
    for envelope in standing {
        if let Event::OtherPrograms(OtherPrograms::ParticipationReported(report)) = &envelope.event {
            if report.from.is_none() && report.evidence == Evidence::RuledOut {
                // Ruled out without a first day says: not in this program at all.
                last.retain(|(plan, program, _), _| (*plan, *program) != (&envelope.plan, report.program));
            }
            // A later report of the same plan, program and first day replaces the earlier one (vocabulary).
            last.insert((&envelope.plan, report.program, report.from.map(|day| day.0)), (envelope, report));
        }
    }
    for ((plan, program, from), (evidence, report)) in last {
        // A report without a first day is no span: which days it covers would be a guess. It stays in the history.
        let (Some(from), Evidence::Verified) = (from, report.evidence) else { continue };
        let Some(span) = Span::new(from, report.until.map(|day| day.0)) else { continue };
        let what = What::Program(program);
        held.push(Held {
            what,
            identity: Identity::Reported(what, plan, from),
            span,
            channel: report.channel,
            provider: report.provider.as_ref(),
            evidence,
        });
    }
}

/// A report of coverage, and the days on which it is the plan's last word.
#[derive(Debug, Clone, Copy)]
pub struct CoverageSpan<'a> {
    /// The days.
    pub span: Span,
    /// What it says.
    pub report: &'a CoverageReported,
    /// The event that says so.
    pub evidence: &'a Envelope,
}

/// A person has one Medi-Cal status at a time, so that a plan's next report ends the one before. In order of the plans
/// and their days.
pub fn coverage_spans<'a>(standing: &[&'a Envelope]) -> Vec<CoverageSpan<'a>> {
    let mut last: BTreeMap<(&'a PlanCode, NaiveDate), (&'a Envelope, &'a CoverageReported)> = BTreeMap::new();
    for envelope in standing {
        if let Event::Coverage(Coverage::CoverageReported(report)) = &envelope.event {
            last.insert((&envelope.plan, report.from.0), (envelope, report));
        }
    }
    let mut spans = Vec::with_capacity(last.len());
    let mut reports = last.into_iter().peekable();
    while let Some(((plan, from), (evidence, report))) = reports.next() {
        let next = reports.peek().and_then(|((of, next), _)| (*of == plan).then_some(*next));
        let until = [report.until.map(|day| day.0), next].into_iter().flatten().min();
        spans.extend(Span::new(from, until).map(|span| CoverageSpan { span, report, evidence }));
    }
    spans
}

/// Reports that go on saying the same, as monthly files do, are one span.
fn coverages<'a>(standing: &[&'a Envelope], held: &mut Vec<Held<'a>>) {
    let first = held.len();
    for CoverageSpan { span, report, evidence } in coverage_spans(standing) {
        let plan = &evidence.plan;
        for what in codes(report).into_iter().flatten().map(What::Coverage) {
            let goes_on =
                |held: &&mut Held<'a>| held.what == what && held.plan() == plan && held.span.until == Some(span.from);
            if let Some(before) = held.iter_mut().skip(first).find(goes_on) {
                before.span.until = span.until;
                continue;
            }
            let identity = Identity::Reported(what, plan, span.from);
            held.push(Held { what, identity, span, channel: None, provider: None, evidence });
        }
    }
}

/// The codes of a report that a rule can speak of: of Medi-Cal and of Medicare.
pub fn codes(report: &CoverageReported) -> [Option<CoverageCode>; 2] {
    let medi_cal = match report.medi_cal {
        MediCal::ManagedCare => None,
        MediCal::FeeForService => Some(CoverageCode::FeeForService),
        MediCal::Inactive => Some(CoverageCode::MediCalInactive),
    };
    let medicare = match report.medicare {
        Medicare::None => None,
        Medicare::Ffs => Some(CoverageCode::MedicareFfs),
        Medicare::DSnp => Some(CoverageCode::DSnp),
        Medicare::DSnpLookalike => Some(CoverageCode::DSnpLookalike),
        Medicare::OtherMedicareAdvantage => Some(CoverageCode::OtherMedicareAdvantage),
        Medicare::CalMediconnect => Some(CoverageCode::CalMediconnect),
        Medicare::FideSnp => Some(CoverageCode::FideSnp),
    };
    [medi_cal, medicare]
}
