//! Files as plans send them: an upload is spooled whole, then imported, and its progress streams back.

use std::path::{Path as FilePath, PathBuf};
use std::time::Duration;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use rollbook_events::intake::FileKind;
use rollbook_events::time::Day;
use rollbook_events::{County, Hash, PlanCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncWriteExt, BufWriter};
use tokio::sync::watch;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::accept::Representation;
use super::auth::{Import, Permit, ReadFile as MayRead};
use super::doc::{self, FileBytes, Imported, QueriedOne};
use super::edge::Edge;
use super::params::{Nothing, Params, Segment, segment};
use super::problem::{Kind, Problem};
use crate::clock;
use crate::failpoint;
use crate::files::Defaults;
use crate::import::{ImportError, Importer, Progress, State as ImportState, Upload};
use crate::policy::{Action, Resource};

/// Bytes of an upload.
const MOST_BYTES: u64 = 4 * 1024 * 1024 * 1024;
/// How long an upload may stand still.
const STILL: Duration = Duration::from_secs(60);
/// The time between two lines of progress.
const BETWEEN: Duration = Duration::from_millis(250);
/// Characters of a file's name.
const LONGEST_NAME: usize = 200;

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(import, report))
}

/// What the file leaves out.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct About {
    /// The file's own name, of which a report shows the first 200 characters; a folder before it is dropped.
    #[param(value_type = String, required = false)]
    name: Option<String>,
    /// The plan, where the rows do not say it.
    #[param(schema_with = doc::plan)]
    plan: Option<PlanCode>,
    /// The county, where the rows do not say it.
    #[param(schema_with = doc::county)]
    county: Option<County>,
    /// The civil day in California that the file was made, where it does not say so.
    #[param(schema_with = doc::day)]
    produced_on: Option<Day>,
}

/// Imports a file, and streams how far it is until every row is settled. The same bytes again change nothing; where an import
/// was broken off, they go on after the last settled row. The import goes on where the caller goes away.
#[utoipa::path(
    post,
    path = "/v1/intake/{file}",
    operation_id = "import_file",
    tag = "recording",
    params(("file" = String, Path, description = "The kind of file: member-information, outreach-tracker, return-transmission or events", pattern = "^(member-information|outreach-tracker|return-transmission|events)$"), About),
    request_body(content = FileBytes, content_type = "application/octet-stream", description = "The file as it is, CSV or XLSX, for `events` NDJSON; at most 4 GiB"),
    responses(
        (status = 200, description = "A line a change, at most four a second; the last one is the report", content_type = "application/x-ndjson", body = Progress),
        Imported,
    )
)]
async fn import(
    permit: Permit<Import>,
    State(edge): State<Edge>,
    Segment(kind): Segment<String>,
    Params(about, ..): Params<About>,
    body: Body,
) -> Result<Response, Problem> {
    let kinds = || FileKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ");
    let kind: FileKind =
        kind.parse().map_err(|_| Problem::parameter("file", format!("expected one of {}", kinds())))?;
    let importer = importer(&edge)?;
    let only = only(&permit, about.plan.as_ref())?;
    let spooled = Spooled::fill(&importer.spool(), body).await?;
    let Spooled { sha256, bytes, path } = spooled;
    let upload = Upload {
        kind,
        name: name(about.name.as_deref(), kind),
        defaults: Defaults { plan: about.plan, county: about.county, produced_on: about.produced_on.map(|day| day.0) },
        path: path.keep(),
        sha256,
        bytes,
        actor: permit.caller.actor,
        only,
    };
    let progress = importer.import(upload).await.map_err(|error| match error {
        ImportError::File(why) => Problem::new(Kind::Rejected, why),
        ImportError::Unavailable { .. } => Problem::unavailable(&error),
    })?;
    let content_type = [(CONTENT_TYPE, Representation::Ndjson.content_type())];
    Ok((content_type, Body::from_stream(lines(progress))).into_response())
}

/// The one record that the rows of a file may stand in; none where it is any. The rows that name no plan are of the one named.
///
/// # Errors
/// 403 where the file is to be of another organization's record than the caller's.
fn only(permit: &Permit<Import>, named: Option<&PlanCode>) -> Result<Option<PlanCode>, Problem> {
    if let Some(plan) = named {
        permit.also(Action::Import, Resource::Record(plan))?;
    }
    if permit.scope.sight().is_everything() {
        return Ok(None);
    }
    let nobody = |_| Problem::new(Kind::Forbidden, "the token's organization has no record here");
    permit.caller.actor.org.parse().map(Some).map_err(nobody)
}

fn importer(edge: &Edge) -> Result<Importer, Problem> {
    edge.importer.clone().ok_or_else(|| Problem::new(Kind::NoRecorder, "this program answers and does not import"))
}

/// The file's name without folder and control characters, which a report shows again.
fn name(given: Option<&str>, kind: FileKind) -> String {
    let last = given.unwrap_or_default().rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    if name.is_empty() { kind.to_string() } else { name }
}

/// Each change, at most four a second; the last is final.
fn lines(progress: watch::Receiver<Progress>) -> impl futures_util::Stream<Item = Result<Bytes, serde_json::Error>> {
    stream::unfold(Some(progress), |progress| async move {
        let mut progress = progress?;
        let seen = progress.borrow_and_update().clone();
        let line = serde_json::to_vec(&seen).map(|mut line| {
            line.push(b'\n');
            Bytes::from(line)
        });
        if seen.state != ImportState::Running {
            return Some((line, None));
        }
        // The end is told at once, other changes not so often.
        let ended = |progress: &Progress| progress.state != ImportState::Running;
        let waited = tokio::time::timeout(BETWEEN, progress.wait_for(ended)).await.map(|ended| ended.is_ok());
        let goes_on = match waited {
            Ok(ended) => ended,
            Err(_) => progress.changed().await.is_ok(),
        };
        // Where the import ended without a word, the line that says so is missing, which a caller takes for a break.
        Some((line, goes_on.then_some(progress)))
    })
}

/// An upload that lies whole in the spool.
struct Spooled {
    sha256: Hash,
    bytes: u64,
    path: Removed,
}

/// A file that is removed unless somebody keeps it: an upload may break off at any point.
struct Removed(Option<PathBuf>);

impl Removed {
    fn keep(mut self) -> PathBuf {
        self.0.take().unwrap_or_default()
    }
}

impl Drop for Removed {
    fn drop(&mut self) {
        if let Some(path) = &self.0
            && let Err(error) = std::fs::remove_file(path)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(error = %error, "could not remove a spooled file");
        }
    }
}

impl Spooled {
    async fn fill(spool: &FilePath, body: Body) -> Result<Self, Problem> {
        let (path, file) = created(spool).await.map_err(|error| Problem::unavailable(&error))?;
        let mut file = BufWriter::with_capacity(1 << 18, file);
        let (mut digest, mut bytes) = (Sha256::new(), 0);
        let mut chunks = body.into_data_stream();
        loop {
            let next = tokio::time::timeout(STILL, chunks.next()).await;
            let chunk = match next.map_err(|_| Problem::new(Kind::TooSlow, "nothing came for 60 seconds"))? {
                Some(Ok(chunk)) => chunk,
                Some(Err(_)) => return Err(Problem::new(Kind::BadRequest, "the body broke off")),
                None => break,
            };
            bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
            if bytes > MOST_BYTES {
                return Err(Problem::new(Kind::TooLarge, "a file has at most 4 GiB"));
            }
            digest.update(&chunk);
            file.write_all(&chunk).await.map_err(|error| Problem::unavailable(&error))?;
        }
        file.flush().await.map_err(|error| Problem::unavailable(&error))?;
        file.get_ref().sync_all().await.map_err(|error| Problem::unavailable(&error))?;
        failpoint!("import.after_spooled");
        Ok(Self { sha256: Hash::from_bytes(digest.finalize().into()), bytes, path })
    }
}

async fn created(spool: &FilePath) -> std::io::Result<(Removed, File)> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(spool).await?;
    let path = spool.join(format!("upload-{}", clock::new_event_id()));
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).await?;
    Ok((Removed(Some(path)), file))
}

/// What became of a file.
#[derive(Debug, Serialize, ToSchema)]
struct Report {
    /// The report.
    data: Progress,
}

/// What became of a file, or how far it is, by the SHA-256 of its bytes.
#[utoipa::path(
    get,
    path = "/v1/intake/{file}",
    operation_id = "get_intake",
    tag = "recording",
    params(("file" = String, Path, description = "SHA-256 of the file in hexadecimal", pattern = "^[0-9a-f]{64}$")),
    responses((status = 200, description = "The report", body = Report), QueriedOne)
)]
async fn report(
    permit: Permit<MayRead>,
    State(edge): State<Edge>,
    Segment(sha256): Segment<String>,
    _: Params<Nothing>,
) -> Result<Json<Report>, Problem> {
    let sha256: Hash = segment("file", &sha256)?;
    let found = importer(&edge)?.report(sha256).await.map_err(|error| Problem::unavailable(&error))?;
    // Another organization's file is answered as one that never came.
    let own = |found: &Progress| permit.also(Action::ReadFile, Resource::File(&found.by)).is_ok();
    let data = found.filter(own).ok_or_else(|| Problem::new(Kind::NotFound, "no file with this hash was received"))?;
    Ok(Json(Report { data }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_the_files_alone() {
        let of = |given| name(given, FileKind::Events);
        assert_eq!(of(Some("/home/x/MIF 2024.csv")), "MIF 2024.csv");
        assert_eq!(of(Some("C:\\x\\a.xlsx")), "a.xlsx");
        assert_eq!(of(Some("a\nb.csv")), "ab.csv");
        assert_eq!((of(Some("x/")), of(None)), ("events".to_owned(), "events".to_owned()));
    }

    #[tokio::test]
    async fn an_upload_is_private_hashed_and_gone_where_nobody_keeps_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let spooled = Spooled::fill(&folder.path().join("spool"), Body::from("abc")).await.unwrap();
        let path = spooled.path.0.clone().unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!((spooled.sha256, spooled.bytes), (Hash::of(b"abc"), 3));
        drop(spooled);
        assert!(!path.exists());
    }
}
