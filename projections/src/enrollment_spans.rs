//! The spans of a member's enrollments: from when until when, through which channel, at which provider, led by whom.
//!
//! Every view that asks who was enrolled on a day reads it here, so that no two of them can disagree.
//!
//! **Invariant:** an id names something in the record it stands in, and nowhere else. Whoever names the id of what stands in
//! another organization's record speaks of nothing, as with an id that nobody has given.

use chrono::NaiveDate;
use rollbook_events::codes::{Channel, Key};
use rollbook_events::families::enrollment::{
    Disenrolled, Enrolled, Enrollment, LeadCareManagerAssigned, ProviderAssigned, Reinstated,
};
use rollbook_events::ids::{AuthorizationId, EnrollmentId};
use rollbook_events::{Envelope, Event, Occurred, PlanCode, Provider};

use crate::spans::{Span, layer_on, layers_of};

/// One unbroken span of one enrollment.
#[derive(Debug, Clone)]
pub struct EnrollmentSpan<'a> {
    /// What the enrollment's last report says.
    pub enrolled: &'a Enrolled,
    /// That report.
    pub report: &'a Envelope,
    /// The days.
    pub span: Span,
    /// Which span of its enrollment, from 1.
    pub number: u32,
    /// The event that began the span: the enrollment or a reinstatement.
    pub opened_by: &'a Envelope,
    /// The disenrollment that ended it.
    pub closed: Option<(&'a Envelope, &'a Disenrolled)>,
    /// The span by channel; never empty, the last is the latest.
    pub segments: Vec<Segment<'a>>,
    /// The span by provider; never empty.
    pub providers: Vec<(Span, &'a Provider)>,
    /// Who leads the care at its end.
    pub manager: Option<&'a Key>,
}

/// The days of a span on which one channel delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment<'a> {
    /// The days.
    pub span: Span,
    /// Who delivers and bills.
    pub channel: Channel,
    /// Who serves, as of the last day.
    pub provider: &'a Provider,
}

impl<'a> EnrollmentSpan<'a> {
    /// The channel and provider of the latest assignment.
    pub fn latest(&self) -> Option<&Segment<'a>> {
        self.segments.last()
    }

    /// Whether an event that names an enrollment speaks of this one.
    pub fn is_meant(&self, by: &Envelope, id: EnrollmentId) -> bool {
        self.enrolled.enrollment == id && self.report.plan == by.plan
    }

    /// Whether the enrollment rests on an authorization that an event tells of.
    pub fn rests_on(&self, by: &Envelope, id: AuthorizationId) -> bool {
        self.enrolled.authorization == Some(id) && self.report.plan == by.plan
    }

    /// When the member became enrolled: the moment of the event where it tells of its own day, else just the day.
    pub fn began(&self) -> Occurred {
        let at = self.opened_by.occurred_at;
        if at.day() == self.span.from { at } else { Occurred::Day(self.span.from) }
    }
}

/// All that is told of one enrollment, each kind in the order it happened.
struct Told<'a> {
    id: (&'a PlanCode, EnrollmentId),
    enrolled: Option<(&'a Envelope, &'a Enrolled)>,
    ends: Vec<(usize, &'a Envelope, &'a Disenrolled)>,
    returns: Vec<(usize, &'a Envelope, &'a Reinstated)>,
    providers: Vec<&'a ProviderAssigned>,
    managers: Vec<&'a LeadCareManagerAssigned>,
}

/// The spans of all enrollments, from the events that stand in the order they happened.
pub fn enrollment_spans<'a>(standing: &[&'a Envelope]) -> Vec<EnrollmentSpan<'a>> {
    let mut told: Vec<Told<'a>> = Vec::new();
    for (order, envelope) in standing.iter().enumerate() {
        if let Event::Enrollment(event) = &envelope.event {
            file(&mut told, order, envelope, event);
        }
    }
    let mut spans = Vec::with_capacity(told.len());
    for told in &told {
        // What is told of an enrollment that nobody reported, or whose report was voided, opens nothing.
        if let Some((report, enrolled)) = told.enrolled {
            told.spans(report, enrolled, &mut spans);
        }
    }
    spans
}

fn file<'a>(told: &mut Vec<Told<'a>>, order: usize, envelope: &'a Envelope, event: &'a Enrollment) {
    match event {
        // The same enrollment reported again is a later word on the same thing.
        Enrollment::Enrolled(e) => of(told, (&envelope.plan, e.enrollment)).enrolled = Some((envelope, e)),
        Enrollment::ProviderAssigned(e) => of(told, (&envelope.plan, e.enrollment)).providers.push(e),
        Enrollment::LeadCareManagerAssigned(e) => of(told, (&envelope.plan, e.enrollment)).managers.push(e),
        Enrollment::Disenrolled(e) => of(told, (&envelope.plan, e.enrollment)).ends.push((order, envelope, e)),
        Enrollment::Reinstated(e) => of(told, (&envelope.plan, e.enrollment)).returns.push((order, envelope, e)),
        Enrollment::ServiceStarted(_)
        | Enrollment::StayRecorded(_)
        | Enrollment::UnitsRecorded(_)
        | Enrollment::OptedOut(_)
        | Enrollment::DiscontinuationRecommended(_)
        | Enrollment::Reassessed(_) => {}
    }
}

fn of<'t, 'a>(told: &'t mut Vec<Told<'a>>, id: (&'a PlanCode, EnrollmentId)) -> &'t mut Told<'a> {
    let index = told.iter().position(|told| told.id == id).unwrap_or_else(|| {
        let (ends, returns, providers, managers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        told.push(Told { id, enrolled: None, ends, returns, providers, managers });
        told.len() - 1
    });
    &mut told[index]
}

/// A beginning, and the end that belongs to it.
struct Stint<'a> {
    from: NaiveDate,
    opened_by: &'a Envelope,
    order: Option<usize>,
    end: Option<(&'a Envelope, &'a Disenrolled)>,
}

impl<'a> Told<'a> {
    /// Beginnings in order of their days, each with the last word on its end.
    fn stints(&self, report: &'a Envelope, enrolled: &'a Enrolled) -> Vec<Stint<'a>> {
        let mut stints = vec![Stint { from: enrolled.from.0, opened_by: report, order: None, end: None }];
        let mut returns: Vec<_> = self.returns.iter().map(|(order, by, e)| (e.from.0, *order, *by)).collect();
        returns.sort_by_key(|(from, order, _)| (*from, *order));
        for (from, order, opened_by) in returns {
            // Nobody returns to what has not begun.
            let from = from.max(enrolled.from.0);
            stints.push(Stint { from, opened_by, order: Some(order), end: None });
        }
        for (order, by, end) in &self.ends {
            // An end on or before the first day takes the enrollment back, so it belongs to the first stint.
            let index = stints.iter().rposition(|stint| stint.from < end.until.0).unwrap_or(0);
            let stint = &mut stints[index];
            // A reinstatement told after an end that it comes before has withdrawn that end.
            if stint.order.is_none_or(|reinstated| reinstated < *order) {
                stint.end = Some((by, end));
            }
        }
        stints
    }

    fn spans(&self, report: &'a Envelope, enrolled: &'a Enrolled, spans: &mut Vec<EnrollmentSpan<'a>>) {
        let mut number = 0;
        let mut running: Option<Stint<'a>> = None;
        let stints = self.stints(report, enrolled);
        let count = stints.len();
        for (index, stint) in stints.into_iter().enumerate() {
            // Reinstating what never ended changes nothing: the span that runs goes on.
            let mut current = running.take().unwrap_or(Stint { end: None, ..stint });
            current.end = stint.end;
            if current.end.is_none() && index + 1 < count {
                running = Some(current);
                continue;
            }
            // A disenrollment as of the first day leaves no day on which the member was enrolled: no span.
            let Some(span) = Span::new(current.from, current.end.map(|(_, end)| end.until.0)) else { continue };
            number += 1;
            spans.push(EnrollmentSpan {
                enrolled,
                report,
                span,
                number,
                opened_by: current.opened_by,
                closed: current.end,
                segments: self.segments(enrolled, span),
                providers: self.served(enrolled, span),
                manager: self.manager(span),
            });
        }
    }

    fn manager(&self, span: Span) -> Option<&'a Key> {
        let layers = layers_of(self.managers.iter().map(|e| (e.from.0, e.until.map(|day| day.0), &e.manager)));
        layer_on(&layers, span.last_known_day(&layers)).copied()
    }

    fn served(&self, enrolled: &'a Enrolled, span: Span) -> Vec<(Span, &'a Provider)> {
        let assigned = self.providers.iter().map(|e| (e.from.0, e.until.map(|day| day.0), &e.provider));
        let providers = layers_of(assigned);
        let mut served: Vec<(Span, &'a Provider)> = Vec::new();
        for part in span.cut_by(&providers) {
            let provider = layer_on(&providers, part.from).copied().unwrap_or(&enrolled.provider);
            match served.last_mut() {
                Some((last, before)) if *before == provider => last.until = part.until,
                _ => served.push((part, provider)),
            }
        }
        served
    }

    fn segments(&self, enrolled: &'a Enrolled, span: Span) -> Vec<Segment<'a>> {
        if self.providers.is_empty() {
            return vec![Segment { span, channel: enrolled.channel, provider: &enrolled.provider }];
        }
        let assigned = || self.providers.iter().map(|e| (e.from.0, e.until.map(|day| day.0), *e));
        let providers = layers_of(assigned().map(|(from, until, e)| (from, until, &e.provider)));
        let channels = layers_of(assigned().filter_map(|(from, until, e)| Some((from, until, e.channel?))));
        let mut segments: Vec<Segment<'a>> = Vec::new();
        for part in span.cut_by(&channels) {
            let channel = layer_on(&channels, part.from).copied().unwrap_or(enrolled.channel);
            match segments.last_mut() {
                Some(last) if last.channel == channel => last.span.until = part.until,
                _ => segments.push(Segment { span: part, channel, provider: &enrolled.provider }),
            }
        }
        for segment in &mut segments {
            let last = segment.span.last_known_day(&providers);
            segment.provider = layer_on(&providers, last).copied().unwrap_or(&enrolled.provider);
        }
        segments
    }
}
