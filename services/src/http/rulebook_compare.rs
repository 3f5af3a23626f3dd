//! What would differ under another rulebook: the whole ledger replayed member by member, and nothing touched.

use std::collections::BTreeSet;
use std::io;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use futures_util::stream;
use rollbook_events::MemberId;
use rollbook_projections::compare::{Difference, differences};
use rollbook_projections::links::Links;
use rollbook_projections::{Dossier, Rulebook};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::accept::Representation;
use super::answer::broken_off;
use super::ask::Ask;
use super::auth::{Permit, Replay as MayReplay};
use super::basis::Basis;
use super::doc::{Compared, QueriedOne};
use super::edge::Edge;
use super::params::{AsOf, Params};
use super::problem::{Kind, Problem};
use super::shown::{About, Shown};
use crate::policy::Scope;
use std::sync::Arc;

/// Members read at once.
const MEMBERS_IN_A_GO: u32 = 500;

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(compare))
}

/// One line of the answer: a difference, how far the replay is, or what it came to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// Something that would read differently.
    Difference(Differs),
    /// How far it is.
    Progress(Count),
    /// The last line.
    Done(Count),
}

/// Something that would read differently.
#[derive(Debug, Serialize, ToSchema)]
struct Differs {
    /// The member's pseudonym.
    #[schema(value_type = String, format = Uuid)]
    member: MemberId,
    /// The row, as it is and as it would be, and why.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    difference: Difference,
}

/// What was replayed.
#[derive(Debug, Default, Clone, Copy, Serialize, ToSchema)]
struct Count {
    /// Members.
    #[schema(minimum = 0)]
    members: u64,
    /// Their events.
    #[schema(minimum = 0)]
    events: u64,
    /// What would read differently.
    #[schema(minimum = 0)]
    differences: u64,
}

/// Replays every member under the rulebook in the body, a whole text as `GET /v1/rulebook` gives it, and tells what would
/// differ of determinations, conflicts and findings. Nothing is recorded and no view is touched.
#[utoipa::path(
    post,
    path = "/v1/rulebook/compare",
    operation_id = "compare_rulebook",
    tag = "views",
    params(AsOf),
    request_body(content = String, content_type = "application/toml", description = "The rulebook's whole text"),
    responses(
        (status = 200, description = "A line a difference, with lines that say how far it is; the last begins with `done`", content_type = "application/x-ndjson", body = Line),
        QueriedOne,
        Compared,
    )
)]
async fn compare(
    permit: Permit<MayReplay>,
    State(edge): State<Edge>,
    ask: Ask,
    Params(as_of, ..): Params<AsOf>,
    body: String,
) -> Result<Response, Problem> {
    let refused = |detail: String| Problem::new(Kind::Rejected, "").and("body", "malformed", &detail);
    let other = Rulebook::parse(&body).map_err(|error| refused(error.to_string()))?;
    let basis = Basis::of(&edge, &as_of, None).await?;
    let Some(former) = basis.rulebook.clone() else {
        return Err(Problem::new(Kind::NotFound, "no rulebook was adopted by this position"));
    };
    let shown = ask.question_of.answered(&edge, basis.position)?.into_export().await?;
    let links = edge.db.links(basis.position).await?;
    let now = crate::clock::now();
    let replay = Replay {
        edge,
        shown,
        scope: permit.scope,
        basis,
        links,
        rulebooks: Arc::new((former, other)),
        now,
        after: MemberId(uuid::Uuid::nil()),
        seen: BTreeSet::new(),
        count: Count::default(),
        done: false,
    };
    let lines = stream::try_unfold(replay, |mut replay| async move {
        let lines = replay.next().await.map_err(broken_off)?;
        Ok::<_, io::Error>(lines.map(|lines| (lines, replay)))
    });
    let kind = HeaderValue::from_static(Representation::Ndjson.content_type());
    Ok(([(CONTENT_TYPE, kind)], Body::from_stream(lines)).into_response())
}

/// The walk over every member.
struct Replay {
    edge: Edge,
    shown: Shown,
    scope: Scope,
    basis: Basis,
    links: Links,
    rulebooks: Arc<(Arc<Rulebook>, Rulebook)>,
    now: DateTime<Utc>,
    after: MemberId,
    /// Groups of linked pseudonyms that had their turn.
    seen: BTreeSet<MemberId>,
    count: Count,
    done: bool,
}

impl Replay {
    /// The lines of the next members; none after the last line.
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        if self.done {
            return Ok(None);
        }
        let members = self.edge.db.members_after(self.scope.sight(), self.after, MEMBERS_IN_A_GO).await?;
        let mut lines = Vec::new();
        if let Some(last) = members.last() {
            self.after = *last;
            let found = self.differences(&members).await?;
            self.shown.about(About::Members(found.iter().map(|differs| differs.member).collect())).await?;
            self.count.members += count(members.len());
            self.count.differences += count(found.len());
            lines.extend(found.into_iter().map(Line::Difference));
            lines.push(Line::Progress(self.count));
        } else {
            self.basis.still(&self.edge).await?;
            self.done = true;
            lines.push(Line::Done(self.count));
        }
        let mut text = Vec::new();
        for line in &lines {
            serde_json::to_writer(&mut text, line).map_err(|error| Problem::internal(&error))?;
            text.push(b'\n');
        }
        Ok(Some(text.into()))
    }

    async fn differences(&mut self, members: &[MemberId]) -> Result<Vec<Differs>, Problem> {
        let mut keepers = BTreeSet::new();
        for member in members {
            let keeper = self.links.keeper(*member);
            if self.links.alone(*member) || self.seen.insert(keeper) {
                keepers.insert(keeper);
            }
        }
        let people: BTreeSet<MemberId> = keepers.iter().flat_map(|keeper| self.links.group(*keeper)).collect();
        let events = self.edge.db.events_of(self.scope.sight(), &people).await?;
        let mut dossiers: std::collections::BTreeMap<MemberId, Dossier> = std::collections::BTreeMap::new();
        for recorded in events.into_iter().filter(|recorded| recorded.position <= self.basis.position) {
            if let Some(member) = recorded.envelope.subject.member() {
                self.count.events += 1;
                dossiers.entry(self.links.keeper(member)).or_default().apply(recorded);
            }
        }
        let (rulebooks, now) = (self.rulebooks.clone(), self.now);
        // The folds are work for a processor, and a reader's thread has other readers to serve.
        let compared = tokio::task::spawn_blocking(move || {
            let of = |(member, dossier): (MemberId, Dossier)| {
                let found = differences(&dossier, &rulebooks.0, &rulebooks.1, now);
                found.into_iter().map(move |difference| Differs { member, difference }).collect::<Vec<_>>()
            };
            dossiers.into_iter().flat_map(of).collect::<Vec<_>>()
        });
        compared.await.map_err(|error| Problem::internal(&error))
    }
}

fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
