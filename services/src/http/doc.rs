//! What the API's document says of parameters, rows and failures, made from the types and tables themselves.

use std::collections::BTreeMap;

use rollbook_events::families::outreach::OutreachAttempted;
use rollbook_events::codes::{Basis, Channel, OutreachChannel};
use rollbook_events::{County, Kind, Program};
use rollbook_projections::view::{Column, ColumnType, Table};
use rollbook_projections::views::{current_enrollment, duplication_conflict, event_history, outreach_conversion};
use utoipa::openapi::schema::{ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use super::params::{MOST_ROWS, MOST_WAIT_MS};
use super::problem::{Kind as ProblemKind, PROBLEM_JSON};

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn number(least: u64, most: u64) -> RefOr<Schema> {
    let format = Some(SchemaFormat::KnownFormat(KnownFormat::Int64));
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(format)
        .minimum(Some(least))
        .maximum(Some(most))
        .into()
}

fn list(of: ObjectBuilder) -> RefOr<Schema> {
    ArrayBuilder::new().items(of).min_items(Some(1)).max_items(Some(100)).into()
}

fn codes<'a>(codes: impl Iterator<Item = &'a str>) -> ObjectBuilder {
    text().enum_values(Some(codes.map(str::to_owned)))
}

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

/// Plans.
pub fn plans() -> RefOr<Schema> {
    list(text().pattern(Some("^[a-z0-9][a-z0-9-]{1,39}$")))
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
    list(text().pattern(Some(r"^\d{4}-\d{2}$")))
}

/// Columns to sum by.
pub fn groups() -> RefOr<Schema> {
    list(codes(super::outreach_conversion::By::ALL.iter().map(|by| by.as_str())))
}

/// Outcomes of the rule on two spans.
pub fn outcomes() -> RefOr<Schema> {
    list(codes(super::conflicts::Outcome::ALL.iter().map(|outcome| outcome.as_str())))
}

/// Rules of the catalogue.
pub fn rules() -> RefOr<Schema> {
    list(text().pattern(Some("^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")))
}

fn nullable(kind: Type) -> SchemaType {
    SchemaType::from_iter([kind, Type::Null])
}

fn column(column: &Column) -> ObjectBuilder {
    let (kind, format) = match column.kind {
        // The stored event is given as itself.
        ColumnType::Text if column.name == "event" => (Type::Object, None),
        ColumnType::Text => (Type::String, None),
        ColumnType::Integer => (Type::Integer, Some(KnownFormat::Int64)),
        ColumnType::Boolean => (Type::Boolean, None),
        ColumnType::Day => (Type::String, Some(KnownFormat::Date)),
        ColumnType::Instant => (Type::String, Some(KnownFormat::DateTime)),
        ColumnType::Uuid => (Type::String, Some(KnownFormat::Uuid)),
    };
    let format = format.map(SchemaFormat::KnownFormat);
    ObjectBuilder::new().schema_type(nullable(kind)).format(format).description(Some(column.comment))
}

const MEMBER: Column = Column { name: "member", kind: ColumnType::Uuid, comment: "the member's pseudonym; null for the rulebook" };
const KNOWN_FROM: Column =
    Column { name: "known_from", kind: ColumnType::Integer, comment: "position since which the row reads so" };
const KNOWN_UNTIL: Column =
    Column { name: "known_until", kind: ColumnType::Integer, comment: "first position at which it no longer did; null as known then" };

/// A row of these columns.
pub fn row<'a>(columns: impl IntoIterator<Item = &'a Column>, comment: &str) -> RefOr<Schema> {
    let mut object = ObjectBuilder::new().description(Some(comment));
    for of in columns {
        object = object.property(of.name, column(of)).required(of.name);
    }
    object.into()
}

fn row_of(table: &Table) -> RefOr<Schema> {
    row([&MEMBER].into_iter().chain(table.columns).chain([&KNOWN_FROM, &KNOWN_UNTIL]), table.comment)
}

macro_rules! rows {
    ($($(#[$meta:meta])* $name:ident = $schema:expr;)+) => { $(
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name;
        impl PartialSchema for $name { fn schema() -> RefOr<Schema> { $schema } }
        impl ToSchema for $name {}
    )+ };
}

rows! {
    /// A row of `current_enrollment`.
    EnrollmentRow = row_of(&current_enrollment::TABLE);
    /// A row of `duplication_conflict`.
    ConflictRow = row_of(&duplication_conflict::TABLE);
    /// A row of `event_history`.
    EventRow = row_of(&event_history::TABLE);
    /// A row of `outreach_conversion`.
    EpisodeRow = row_of(&outreach_conversion::TABLE);
    /// An outreach attempt, judged.
    AttemptRow = row(super::outreach_attempts::COLUMNS, "an outreach attempt, and what the rules make of it");
    /// A sum of episodes: the columns it is summed by, then the sums.
    SumRow = super::outreach_conversion::sum_schema();
    /// A submission.
    SubmissionBody = ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some("one submission; /schemas/submission.json is its schema, /schemas lists those of `data`"))
        .into();
}

/// What an outreach attempt holds, for the document alone.
pub type Attempt = OutreachAttempted;

fn failure(kinds: &[ProblemKind]) -> Option<(String, RefOr<Response>)> {
    let status = kinds.first()?.status();
    let titles: Vec<&str> = kinds.iter().map(|kind| kind.title()).collect();
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response = ResponseBuilder::new().description(titles.join("; ")).content(PROBLEM_JSON, content).build();
    Some((status.as_str().to_owned(), response.into()))
}

macro_rules! failures {
    ($($(#[$meta:meta])* $name:ident = $([$($kind:ident),+])+;)+) => { $(
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name;
        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                [$(failure(&[$(ProblemKind::$kind),+])),+].into_iter().flatten().collect()
            }
        }
    )+ };
}

failures! {
    /// What a query may fail with.
    Queried = [BadRequest, BadCursor] [Unauthenticated] [Forbidden] [NotAcceptable] [Internal]
        [Behind, Rebuilding, Unavailable] [TimedOut];
    /// What a query of one thing may fail with.
    QueriedOne = [BadRequest] [Unauthenticated] [Forbidden] [NotFound] [NotAcceptable] [Internal]
        [Behind, Rebuilding, Unavailable] [TimedOut];
    /// What recording may fail with.
    Recorded = [BadRequest, Malformed] [Unauthenticated] [Forbidden] [TooSlow] [IdReused] [TooLarge] [UnsupportedMediaType]
        [Rejected] [Internal] [OutcomeUnknown, Unavailable, NoRecorder];
    /// What an import may fail with.
    Imported = [BadRequest] [Unauthenticated] [Forbidden] [TooSlow] [TooLarge] [Rejected] [Internal] [Unavailable, NoRecorder];
    /// What a look-up may fail with.
    LookedUp = [Malformed] [Unauthenticated] [Forbidden] [TooLarge] [Rejected];
    /// What an operator may be refused.
    Operated = [BadRequest] [Unauthenticated] [Forbidden] [Internal] [Unavailable] [TimedOut];
    /// Where a name is unknown.
    Named = [NotFound];
    /// Where the ledger is not ready.
    Unready = [NotReady];
}
