//! What the API's document says of rows and pages, made from the tables of the views.

use rollbook_events::{County, Kind};
use rollbook_projections::rules::eligibility::table as eligibility;
use rollbook_projections::view::{Column, ColumnType, Table};
use rollbook_projections::views::{
    authorization, clock, current_enrollment, duplication_conflict, event_history, finding, notice_determination,
    outreach_conversion, reassessment,
};
use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use super::doc::position;

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

const MEMBER: Column =
    Column { name: "member", kind: ColumnType::Uuid, comment: "the member's pseudonym; null for the rulebook" };
const KNOWN_FROM: Column =
    Column { name: "known_from", kind: ColumnType::Integer, comment: "position since which the row reads so" };
const KNOWN_UNTIL: Column = Column {
    name: "known_until",
    kind: ColumnType::Integer,
    comment: "first position at which it no longer did; null as known then",
};

const STATUS: Column = Column {
    name: "status",
    kind: ColumnType::Text,
    comment: "active, ended or planned on the day that is asked about",
};

/// A row of these columns, of which some may be left out.
pub fn row(optional: &[Column], always: &[Column], comment: &str) -> RefOr<Schema> {
    let mut object = ObjectBuilder::new().description(Some(comment));
    for of in optional {
        object = object.property(of.name, column(of));
    }
    for of in always {
        object = object.property(of.name, column(of)).required(of.name);
    }
    object.into()
}

fn row_of(table: &Table, more: &[Column]) -> RefOr<Schema> {
    let columns = [&[MEMBER], table.columns, &[KNOWN_FROM, KNOWN_UNTIL], more].concat();
    row(&[], &columns, table.comment)
}

/// A page of rows: those of [`Answer`](super::answer::Answer), with rows in it.
fn page(row: &str) -> RefOr<Schema> {
    let about =
        |kind: Type, description: &str| ObjectBuilder::new().schema_type(nullable(kind)).description(Some(description));
    let rows = ArrayBuilder::new().items(Ref::from_schema_name(row)).description(Some("the rows"));
    ObjectBuilder::new()
        .property("data", rows)
        .property("position", position())
        .property("lag_ms", position())
        .property("rulebook", about(Type::String, "SHA-256 of the rulebook in force at the position, in hex"))
        .property("next", about(Type::String, "the cursor of the next page; null on the last"))
        .required("data")
        .required("position")
        .required("lag_ms")
        .required("rulebook")
        .required("next")
        .description(Some(
            "rows, the position of the log they are known at, and how far the views are behind in milliseconds",
        ))
        .into()
}

macro_rules! rows {
    ($($(#[$meta:meta])* $name:ident in $page:ident = $schema:expr;)+) => { $(
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name;
        impl PartialSchema for $name { fn schema() -> RefOr<Schema> { $schema } }
        impl ToSchema for $name {}

        /// A page of them.
        #[derive(Debug)]
        pub struct $page;
        impl PartialSchema for $page { fn schema() -> RefOr<Schema> { page(stringify!($name)) } }
        impl ToSchema for $page {
            fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
                schemas.push((stringify!($name).to_owned(), $name::schema()));
            }
        }
    )+ };
}

rows! {
    /// A row of `current_enrollment`.
    EnrollmentRow in EnrollmentPage = row_of(&current_enrollment::TABLE, &[STATUS]);
    /// A row of `duplication_conflict`.
    ConflictRow in ConflictPage = row_of(&duplication_conflict::TABLE, super::conflicts::OF_BOTH_SIDES);
    /// A row of `finding`.
    FindingRow in FindingPage = row_of(&finding::TABLE, &[]);
    /// A row of `authorization`.
    AuthorizationRow in AuthorizationPage = row_of(&authorization::TABLE, &[]);
    /// A row of `reassessment`.
    ReassessmentRow in ReassessmentPage = row_of(&reassessment::TABLE, &[]);
    /// A row of `clock`.
    ClockRow in ClockPage = row_of(&clock::TABLE, &[]);
    /// A row of `notice_determination`.
    NoticeRow in NoticePage = row_of(&notice_determination::TABLE, &[]);
    /// An answer on eligibility.
    EligibilityRow in EligibilityPage = row_of(&eligibility::TABLE, &[]);
    /// A row of `event_history`.
    EventRow in EventPage = row_of(&event_history::TABLE, &[]);
    /// A row of `outreach_conversion`.
    EpisodeRow in EpisodePage = row_of(&outreach_conversion::TABLE, &[]);
    /// An outreach attempt, judged.
    AttemptRow in AttemptPage = row(&[], super::outreach_attempts::COLUMNS, "an outreach attempt, and what the rules make of it");
    /// A sum of episodes: the columns it is summed by, then the sums.
    SumRow in SumPage = super::outreach_conversion::sum_schema();
}

/// A submission, of which the events' own schemas say more.
#[derive(Debug)]
pub struct SubmissionBody;

impl PartialSchema for SubmissionBody {
    fn schema() -> RefOr<Schema> {
        let text = |description: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(description));
        let kinds: Vec<&str> = Kind::all().map(|kind| kind.name()).collect();
        let data = ObjectBuilder::new().description(Some("what the kind holds; /schemas lists their schemas"));
        let submission = ObjectBuilder::new()
            .property("kind", text("kind of event").enum_values(Some(kinds)))
            .property("plan", text("whose record it is").pattern(Some("^[a-z0-9][a-z0-9-]{1,39}$")))
            .property("county", text("county").enum_values(Some(County::ALL.iter().map(|county| county.as_str()))))
            .property("occurred_at", text("when it was true: a civil day in California, or an instant with its zone"))
            .property("data", data)
            .required("kind")
            .required("plan")
            .required("county")
            .required("occurred_at")
            .required("data")
            .description(Some("one submission; /schemas/submission.json says all of it"))
            .build();
        let several = ArrayBuilder::new().items(submission.clone()).min_items(Some(1)).max_items(Some(1_000));
        OneOfBuilder::new().item(submission).item(several).into()
    }
}

impl ToSchema for SubmissionBody {}
