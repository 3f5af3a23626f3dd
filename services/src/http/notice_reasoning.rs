//! Why a notice is, or is not, required: the whole reasoning of one determination, and whether it comes out the same again.

use axum::extract::State;
use axum::response::Response;
use rollbook_events::families::rules::Rules;
use rollbook_events::{Event, EventId, MemberId, pacific_day};
use rollbook_projections::notice_reasoning::{
    Adopted, Again, Beyond, Reasoning, decided_again, determination, reasoning,
};
use rollbook_projections::rules::facts::Facts;
use rollbook_projections::store::read::{Filter, Page};
use rollbook_projections::views::notice_determination::TABLE;
use rollbook_projections::{Cell, Recorded, Rulebook};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{self, Answer};
use super::ask::Ask;
use super::auth::{Permit, Read};
use super::basis::Basis;
use super::doc::QueriedOne;
use super::doc_rows::NoticeRow;
use super::edge::Edge;
use super::params::{AsOf, Params, Segment, segment};
use super::problem::{Kind, Problem};
use super::withheld::withhold;
use crate::policy::{Action, Resource, Scope};

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(explained))
}

/// The reasoning of a determination.
#[derive(Debug, Serialize, ToSchema)]
struct Explained {
    /// Its row.
    #[schema(value_type = NoticeRow)]
    determination: Map<String, Value>,
    /// The reasoning in plain sentences, in order.
    sentences: Vec<String>,
    /// Why, limb by limb.
    limbs: Vec<LimbTold>,
    /// The events it rests on, that which raised the question first.
    evidence: Vec<EvidenceTold>,
    /// The rulebook it was decided under.
    rulebook: Under,
    /// The determination it took the place of.
    #[schema(format = Uuid)]
    supersedes: Option<String>,
    /// The determination that took its place.
    #[schema(format = Uuid)]
    superseded_by: Option<String>,
    /// What deciding again came to, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    reproduced: Option<Reproduced>,
}

/// A limb of a determination.
#[derive(Debug, Serialize, ToSchema)]
struct LimbTold {
    /// Its code.
    limb: String,
    /// In words.
    says: String,
    /// The rule it is of.
    rule: String,
    /// Where that is written.
    cite: Option<String>,
}

/// An event that a determination rests on; of a sensitive one no more than id and kind.
#[derive(Debug, Serialize, ToSchema)]
struct EvidenceTold {
    /// Its id.
    #[schema(format = Uuid)]
    event: String,
    /// Its kind; null where it is not among the member's events.
    kind: Option<&'static str>,
    /// The civil day it happened.
    #[schema(format = Date)]
    occurred_on: Option<String>,
    /// Its place in the log.
    #[schema(minimum = 1)]
    position: Option<u64>,
}

/// The rulebook that a determination names.
#[derive(Debug, Serialize, ToSchema)]
struct Under {
    /// The edition's name.
    id: String,
    /// SHA-256 of its text, in hex.
    hash: String,
    /// Position of the event that adopted it; null where none is on record.
    #[schema(minimum = 1)]
    adopted_at: Option<u64>,
}

/// What deciding again came to: on the events before the determination, at its time, under the rulebook it names.
#[derive(Debug, Serialize, ToSchema)]
struct Reproduced {
    /// Whether it is the same, byte for byte.
    equal: bool,
    /// `data` as it is stored, where it is not the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    stored: Option<Value>,
    /// `data` as it was decided again, where that came to anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    again: Option<Value>,
    /// The fields that are not the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    differences: Option<Vec<String>>,
}

/// Whether to decide again.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Whether {
    /// Decide it again, under the rulebook it names and on what was known just before it, and compare the bytes. For those
    /// who see everything: an auditor, and the owner.
    #[param(value_type = bool, required = false)]
    reproduce: Option<bool>,
}

/// The whole reasoning of a determination: each limb with its rule and citation, the events it rests on, the rulebook, what
/// it superseded or was superseded by, and what became of the notice; in plain sentences too.
#[utoipa::path(
    get,
    path = "/v1/notices/{determination}",
    operation_id = "explain_notice",
    tag = "views",
    params(("determination" = String, Path, format = Uuid, description = "The id of the determination's event"), Whether, AsOf),
    responses((status = 200, description = "The reasoning", body = Answer<Explained>), QueriedOne)
)]
async fn explained(
    permit: Permit<Read>,
    State(edge): State<Edge>,
    Segment(id): Segment<String>,
    ask: Ask,
    Params(whether, as_of, ..): Params<Whether, AsOf>,
) -> Result<Response, Problem> {
    let id: EventId = segment("determination", &id)?;
    let basis = Basis::of(&edge, &as_of, None).await?;
    let unknown = || Problem::new(Kind::NotFound, "there is no determination with this id");
    let found = edge
        .db
        .events_by_id(permit.scope.sight(), &[id])
        .await?
        .into_iter()
        .find(|found| found.position <= basis.position);
    let determined = found.ok_or_else(unknown)?;
    let told = determination(&determined.envelope).ok_or_else(unknown)?;
    let member = determined.envelope.subject.member().ok_or_else(unknown)?;
    let row = row(&edge, &permit.scope, &basis, id).await?.ok_or_else(unknown)?;
    let adoption = adoption(&edge, &basis, told.rulebook.hash).await?;
    let adopted = adoption.as_ref().map(|(adopted, _)| adopted);
    let reasoning = reasoned(&edge, &permit.scope, &basis, member, id, adopted).await?.ok_or_else(unknown)?;
    let reproduced = match (whether.reproduce, &adoption) {
        (Some(true), Some((_, text))) => {
            // It is decided again on everything that is known, which is nothing to those who see only some of it.
            let whole = permit.also(Action::Replay, Resource::Ledger)?;
            Some(reproduced(&edge, &whole.scope, &determined, member, text).await?)
        }
        (Some(true), None) => {
            return Err(Problem::new(
                Kind::NotFound,
                "the rulebook that the determination names was never adopted here",
            ));
        }
        (Some(false) | None, _) => None,
    };
    basis.still(&edge).await?;
    let rulebook = Under {
        id: told.rulebook.id.to_string(),
        hash: told.rulebook.hash.to_string(),
        adopted_at: adopted.map(|adopted| adopted.position.0),
    };
    answer::one(&ask, &permit.scope, &basis, explain(row, reasoning, rulebook, reproduced))
}

/// The determination's row as known at the position.
async fn row(edge: &Edge, scope: &Scope, basis: &Basis, id: EventId) -> Result<Option<Map<String, Value>>, Problem> {
    let equal = vec![("determination", vec![Cell::Uuid(id.0)])];
    let filter = Filter { known_at: Some(basis.position), equal, ..Filter::default() };
    let page = Page { order: None, after: None, most: 1 };
    let mut rows = edge.db.page(scope.sight(), &TABLE, &filter, &page).await?;
    withhold(edge, scope, &TABLE, &mut rows).await?;
    Ok(rows.pop().map(|mut known| {
        // That the row was to change later was not known then.
        known.known_until = None;
        known.json(&TABLE)
    }))
}

/// The adoption of the rulebook of a hash, and its text.
async fn adoption(
    edge: &Edge,
    basis: &Basis,
    hash: rollbook_events::Hash,
) -> Result<Option<(Adopted, String)>, Problem> {
    let adoptions = edge.db.rulebooks(basis.position).await?;
    Ok(adoptions.iter().rev().find_map(|recorded| {
        let Event::Rules(Rules::RulebookAdopted(event)) = &recorded.envelope.event else { return None };
        let on = pacific_day(&recorded.envelope.recorded_at);
        let adopted = Adopted { hash, position: recorded.position, on };
        (event.hash == hash).then(|| (adopted, event.text.as_str().to_owned()))
    }))
}

/// The reasoning, on everything that the scope shows of what is known at the position of everybody who is one person with the member.
async fn reasoned(
    edge: &Edge,
    scope: &Scope,
    basis: &Basis,
    member: MemberId,
    id: EventId,
    adopted: Option<&Adopted>,
) -> Result<Option<Reasoning>, Problem> {
    let Some(rulebook) = &basis.rulebook else { return Ok(None) };
    let dossier = basis.dossier(edge, scope, member).await?;
    let beyond = if scope.sight().is_everything() { Beyond::Named } else { Beyond::NotTold };
    Ok(reasoning(&Facts::of(&dossier, rulebook), id, adopted, beyond))
}

/// Decides again, as the recorder did: on what is recorded of everybody who was one person with the member where the
/// determination stands. What made them one person stands before it, in the same batch or earlier.
async fn reproduced(
    edge: &Edge,
    scope: &Scope,
    determined: &Recorded,
    member: MemberId,
    text: &str,
) -> Result<Reproduced, Problem> {
    let rulebook = Rulebook::parse(text).map_err(|error| Problem::internal(&error))?;
    let person = edge.db.links(determined.position).await?.group(member);
    let events = edge.db.events_of(scope.sight(), &person).await?;
    let unreadable = || Problem::new(Kind::Internal, "the stored determination cannot be read");
    Ok(match decided_again(&events, determined, &rulebook).ok_or_else(unreadable)? {
        Again::Equal => Reproduced { equal: true, stored: None, again: None, differences: None },
        Again::Different { stored, again, differences } => {
            Reproduced { equal: false, stored: Some(stored), again, differences: Some(differences) }
        }
    })
}

fn explain(
    determination: Map<String, Value>,
    reasoning: Reasoning,
    rulebook: Under,
    reproduced: Option<Reproduced>,
) -> Explained {
    let limbs = reasoning.limbs.into_iter();
    let evidence = reasoning.evidence.into_iter();
    Explained {
        determination,
        sentences: reasoning.sentences,
        limbs: limbs.map(|of| LimbTold { limb: of.limb, says: of.says, rule: of.rule, cite: of.cite }).collect(),
        evidence: evidence
            .map(|of| EvidenceTold {
                event: of.event.to_string(),
                kind: of.kind,
                occurred_on: of.occurred_on.map(|day| day.to_string()),
                position: of.position.map(|position| position.0),
            })
            .collect(),
        rulebook,
        supersedes: reasoning.supersedes.map(|id| id.to_string()),
        superseded_by: reasoning.superseded_by.map(|id| id.to_string()),
        reproduced,
    }
}
