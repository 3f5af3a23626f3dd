//! What the API's document says of parameters and failures, made from the types themselves.

use std::collections::BTreeMap;

use rollbook_events::codes::{
    AuthorizationOutcome, Basis, Channel, NoticeKind, NoticeOutcome, OutreachChannel, Urgency,
};
use rollbook_events::{County, Kind, Program};
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use super::problem::{Kind as ProblemKind, PROBLEM_JSON};
use super::values::{MOST_ROWS, MOST_VALUES, MOST_WAIT_MS};
use crate::policy::Purpose;

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn number(least: u64, most: u64) -> RefOr<Schema> {
    let format = Some(SchemaFormat::KnownFormat(KnownFormat::Int64));
    ObjectBuilder::new().schema_type(Type::Integer).format(format).minimum(Some(least)).maximum(Some(most)).into()
}

fn list(of: ObjectBuilder) -> RefOr<Schema> {
    ArrayBuilder::new().items(of).min_items(Some(1)).max_items(Some(MOST_VALUES)).into()
}

fn codes<'a>(codes: impl Iterator<Item = &'a str>) -> ObjectBuilder {
    text().enum_values(Some(codes.map(str::to_owned)))
}

/// A file as it is.
#[derive(Debug)]
pub struct FileBytes;

impl PartialSchema for FileBytes {
    fn schema() -> RefOr<Schema> {
        text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary))).into()
    }
}

impl ToSchema for FileBytes {}

/// A civil day.
pub fn day() -> RefOr<Schema> {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Date))).into()
}

/// A position or an instant.
pub fn known_at() -> RefOr<Schema> {
    text().pattern(Some(r"^(\d{1,18}|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2}))$")).into()
}

/// A position or a day.
pub fn place_or_day() -> RefOr<Schema> {
    text().pattern(Some(r"^(\d{1,18}|\d{4}-\d{2}-\d{2})$")).into()
}

/// A position.
pub fn position() -> RefOr<Schema> {
    number(0, i64::MAX.unsigned_abs())
}

/// A number in a feed.
pub fn feed_number() -> RefOr<Schema> {
    number(0, i64::MAX.unsigned_abs())
}

/// A receipt.
pub fn receipt() -> RefOr<Schema> {
    text().pattern(Some("^[0-9a-f]{64}$")).into()
}

/// How long to wait.
pub fn wait_ms() -> RefOr<Schema> {
    number(0, MOST_WAIT_MS)
}

/// Rows of a page.
pub fn limit() -> RefOr<Schema> {
    number(1, u64::from(MOST_ROWS))
}

/// `next` of an answer.
pub fn cursor() -> RefOr<Schema> {
    text().pattern(Some("^[A-Za-z0-9_-]{1,2048}$")).into()
}

/// The header that states a purpose of use.
pub fn purpose() -> RefOr<Parameter> {
    let schema = codes(Purpose::ALL.iter().map(|purpose| purpose.as_str()));
    let parameter = ParameterBuilder::new()
        .name("Rollbook-Purpose")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("What it is for; an auditor must say. In a legal_proceeding no Part 2 event is shown whole."))
        .schema(Some(schema))
        .build();
    RefOr::T(parameter)
}

/// Plans.
pub fn plans() -> RefOr<Schema> {
    list(text().pattern(Some("^[a-z0-9][a-z0-9-]{1,39}$")))
}

/// One plan.
pub fn plan() -> RefOr<Schema> {
    text().pattern(Some("^[a-z0-9][a-z0-9-]{1,39}$")).into()
}

/// One county.
pub fn county() -> RefOr<Schema> {
    codes(County::ALL.iter().map(|code| code.as_str())).into()
}

/// Programs.
pub fn programs() -> RefOr<Schema> {
    list(codes(Program::ALL.iter().map(|code| code.as_str())))
}

/// Counties.
pub fn counties() -> RefOr<Schema> {
    list(codes(County::ALL.iter().map(|code| code.as_str())))
}

/// Providers.
pub fn providers() -> RefOr<Schema> {
    list(text().pattern(Some("^[a-z0-9][a-z0-9_-]{1,63}$")))
}

/// Bases of an enrollment.
pub fn bases() -> RefOr<Schema> {
    list(codes(Basis::ALL.iter().map(|code| code.as_str())))
}

/// One channel of delivery.
pub fn channel() -> RefOr<Schema> {
    codes(Channel::ALL.iter().map(|code| code.as_str())).into()
}

/// Channels of delivery.
pub fn channels() -> RefOr<Schema> {
    list(codes(Channel::ALL.iter().map(|code| code.as_str())))
}

/// Channels of outreach.
pub fn outreach_channels() -> RefOr<Schema> {
    list(codes(OutreachChannel::ALL.iter().map(|code| code.as_str())))
}

/// Kinds of event.
pub fn kinds() -> RefOr<Schema> {
    list(codes(Kind::all().map(|kind| kind.name())))
}

/// Months.
pub fn months() -> RefOr<Schema> {
    list(text().pattern(Some(r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$")))
}

/// Columns to sum by.
pub fn groups() -> RefOr<Schema> {
    list(codes(super::outreach_conversion::By::ALL.iter().map(|by| by.as_str())))
}

/// Outcomes of the rule on two spans.
pub fn outcomes() -> RefOr<Schema> {
    list(codes(super::conflicts::Outcome::ALL.iter().map(|outcome| outcome.as_str())))
}

/// How a span stands.
pub fn span_status() -> RefOr<Schema> {
    codes(super::spans::SpanStatus::ALL.iter().map(|status| status.as_str())).into()
}

/// Programs and coverages, as sides of an overlap.
pub fn sides() -> RefOr<Schema> {
    list(text().pattern(Some("^[a-z0-9][a-z0-9_]{0,39}$")))
}

/// Rules of the catalogue.
pub fn rules() -> RefOr<Schema> {
    list(text().pattern(Some("^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")))
}

/// Codes of findings.
pub fn finding_codes() -> RefOr<Schema> {
    list(codes(rollbook_projections::rules::finding::CODES.iter().map(|code| code.code)))
}

/// Urgencies of a request.
pub fn urgencies() -> RefOr<Schema> {
    list(codes(Urgency::ALL.iter().map(|code| code.as_str())))
}

/// Outcomes of a decision.
pub fn authorization_outcomes() -> RefOr<Schema> {
    list(codes(AuthorizationOutcome::ALL.iter().map(|code| code.as_str())))
}

/// Names of clocks.
pub fn clocks() -> RefOr<Schema> {
    list(text().pattern(Some("^[a-z][a-z_]{0,39}$")))
}

/// Rules of clocks.
pub fn clock_rules() -> RefOr<Schema> {
    list(text().pattern(Some("^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}( extended)?$")))
}

/// Outcomes of a determination.
pub fn notice_outcomes() -> RefOr<Schema> {
    list(codes(NoticeOutcome::ALL.iter().map(|code| code.as_str())))
}

/// Kinds of notice.
pub fn notice_kinds() -> RefOr<Schema> {
    list(codes(NoticeKind::ALL.iter().map(|code| code.as_str())))
}

/// Whether something is so, or either.
pub fn whether() -> RefOr<Schema> {
    codes(super::notices::Whether::ALL.iter().map(|whether| whether.as_str())).into()
}

fn failure(kinds: &[ProblemKind]) -> Option<(String, RefOr<Response>)> {
    let status = kinds.first()?.status();
    let titles: Vec<&str> = kinds.iter().map(|kind| kind.title()).collect();
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response = ResponseBuilder::new().description(titles.join("; ")).content(PROBLEM_JSON, content).build();
    Some((status.as_str().to_owned(), response.into()))
}

/// Whatever asks who calls is limited: in how often, and in how long a question may be.
fn with_limits(mut failures: BTreeMap<String, RefOr<Response>>) -> BTreeMap<String, RefOr<Response>> {
    if failures.contains_key("401") {
        failures.extend([ProblemKind::UriTooLong, ProblemKind::TooMany].iter().filter_map(|kind| failure(&[*kind])));
    }
    failures
}

macro_rules! failures {
    ($($(#[$meta:meta])* $name:ident = $([$($kind:ident),+])+;)+) => { $(
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name;
        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                with_limits([$(failure(&[$(ProblemKind::$kind),+])),+].into_iter().flatten().collect())
            }
        }
    )+ };
}

failures! {
    /// What a query may fail with.
    Queried = [BadRequest, BadCursor] [Unauthenticated] [Forbidden] [NotAcceptable] [LogEndsBefore] [Internal]
        [Behind, Rebuilding, Unavailable] [TimedOut];
    /// What a query of one thing may fail with.
    QueriedOne = [BadRequest] [Unauthenticated] [Forbidden] [NotFound] [NotAcceptable] [LogEndsBefore] [Internal]
        [Behind, Rebuilding, Unavailable] [TimedOut];
    /// What recording may fail with.
    Recorded = [BadRequest, Malformed] [Unauthenticated] [Forbidden] [TooSlow] [IdReused] [TooLarge] [UnsupportedMediaType]
        [Rejected] [Internal] [OutcomeUnknown, RecordingStopped, Unavailable, NoRecorder];
    /// What an import may fail with.
    Imported = [BadRequest] [Unauthenticated] [Forbidden] [TooSlow] [TooLarge] [Rejected] [Internal] [RecordingStopped, Unavailable, NoRecorder];
    /// What a look-up may fail with.
    LookedUp = [Malformed] [Unauthenticated] [Forbidden] [TooLarge] [Rejected];
    /// What a question of the feed may fail with.
    FeedAsked = [BadRequest] [Unauthenticated] [Forbidden] [NotFound] [NotAcceptable] [FeedEndsBefore] [Internal] [Unavailable] [TimedOut];
    /// What following the feed may fail with.
    Followed = [BadRequest] [Unauthenticated] [Forbidden] [NotFound] [NotAcceptable] [FeedEndsBefore] [Internal] [Unavailable];
    /// What an operator may be refused.
    Operated = [BadRequest] [Unauthenticated] [Forbidden] [Internal] [Unavailable] [TimedOut];
    /// What a request for a token may be refused with.
    TokenRefused = [BadRequest, UnsupportedGrant] [InvalidClient] [TooLarge] [UnsupportedMediaType] [Internal] [Unavailable] [TimedOut];
    /// What destroying an identity may fail with.
    Destroying = [BadRequest, Malformed] [Unauthenticated] [Forbidden] [NotFound] [TooLarge] [Rejected] [Internal]
        [OutcomeUnknown, RecordingStopped, NotReady, Unavailable, NoRecorder] [TimedOut];
    /// What else comparing rulebooks may fail with.
    Compared = [TooLarge] [Rejected];
    /// Where what is asked for is against how things are.
    AgainstWhatIs = [AgainstWhatIs];
    /// Where a name is unknown.
    Named = [NotFound];
    /// Where the ledger is not ready.
    Unready = [NotReady];
}
