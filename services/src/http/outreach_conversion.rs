//! How outreach turns into enrollment: the episodes of `outreach_conversion`, and their sums.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use rollbook_events::codes::{Month, OutreachChannel};
use rollbook_events::{County, MemberId, PlanCode, Program, Provider};
use rollbook_projections::store::read::{Filter, Sum, SumBy};
use rollbook_projections::view::{Column, ColumnType};
use rollbook_projections::views::outreach_conversion::TABLE;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Asked;
use super::ask::Ask;
use super::auth::{Count, Permit, Read};
use super::doc::{self, Queried};
use super::doc_rows::{self, EpisodePage, EpisodeRow, SumPage, SumRow};
use super::edge::Edge;
use super::params::{AsOf, Paging, Params, Segment, segment};
use super::problem::{Kind, Problem};
use super::rows::Listing;
use super::values::{List, equal, words};
use crate::policy::{Scope, counts};

words! {
    /// What episodes are summed by.
    By {
        /// The plan.
        Plan = "plan",
        /// The program.
        Program = "program",
        /// The county.
        County = "county",
        /// The provider of the identification, else of the first attempt.
        Provider = "provider",
        /// The Population of Focus.
        Population = "population",
        /// The channel of the first attempt that counts.
        Channel = "channel",
        /// The month of the identification.
        Month = "month",
    }
}

impl By {
    const fn column(self) -> &'static str {
        match self {
            Self::Channel => "first_channel",
            Self::Population => "populations",
            Self::Plan | Self::Program | Self::County | Self::Provider | Self::Month => self.as_str(),
        }
    }
}

const SUMS: &[(&str, Sum, &str)] = &[
    ("identified", Sum::Rows, "episodes that began with an identification: all that are summed"),
    ("attempted", Sum::AboveZero("attempts"), "those with an attempt that counts"),
    ("attempts", Sum::Total("attempts"), "attempts that count and precede enrollment"),
    ("contacted", Sum::AboveZero("contacts"), "episodes with a contact"),
    ("contacts", Sum::Total("contacts"), "attempts that reached somebody"),
    ("enrolled", Sum::Filled("enrolled_on"), "episodes that led to an enrollment"),
    ("opted_out", Sum::Filled("opted_out_on"), "episodes in which the member declined"),
];

/// A row of sums: those of the groups that were asked for, then every sum.
pub fn sum_schema() -> RefOr<Schema> {
    let comment = "value of the group; there where it is asked for";
    let group = |by: &By| Column { name: by.as_str(), kind: ColumnType::Text, comment };
    let groups: Vec<Column> = By::ALL.iter().map(group).collect();
    let sums: Vec<Column> =
        SUMS.iter().map(|(name, _, comment)| Column { name, kind: ColumnType::Integer, comment }).collect();
    doc_rows::row(&groups, &sums, "a sum of episodes")
}

/// The routes.
pub fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(sums)).routes(routes!(episodes)).routes(routes!(of_member))
}

/// Which episodes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// Of these plans.
    #[param(schema_with = doc::plans)]
    plan: Option<List<PlanCode>>,
    /// For these programs.
    #[param(schema_with = doc::programs)]
    program: Option<List<Program>>,
    /// In these counties.
    #[param(schema_with = doc::counties)]
    county: Option<List<County>>,
    /// Of these providers.
    #[param(schema_with = doc::providers)]
    provider: Option<List<Provider>>,
    /// With a first attempt by these channels.
    #[param(schema_with = doc::outreach_channels)]
    channel: Option<List<OutreachChannel>>,
    /// That began in these months.
    #[param(schema_with = doc::months)]
    month: Option<List<Month>>,
}

/// What to sum by.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Sums {
    /// What to sum by; `plan,program` where it is left out. By `population` an episode counts under each of the member's
    /// Populations of Focus, so that those sums add up to more than the whole.
    #[param(schema_with = doc::groups)]
    by: Option<List<By>>,
}

impl Which {
    const fn is_uncut(&self) -> bool {
        let Self { plan, program, county, provider, channel, month } = self;
        plan.is_none()
            && program.is_none()
            && county.is_none()
            && provider.is_none()
            && channel.is_none()
            && month.is_none()
    }

    fn filter(&self) -> Filter {
        let mut filter = Filter::default();
        filter.equal.extend(equal("plan", self.plan.as_ref()));
        filter.equal.extend(equal("program", self.program.as_ref()));
        filter.equal.extend(equal("county", self.county.as_ref()));
        filter.equal.extend(equal("provider", self.provider.as_ref()));
        filter.equal.extend(equal("first_channel", self.channel.as_ref()));
        filter.equal.extend(equal("month", self.month.as_ref()));
        filter
    }
}

/// How outreach turns into enrollment, summed over the episodes that began with an identification. For a plan's reporting
/// staff numbers under 11 are null, and so are those that would give them back; their sums are by `plan`, `program`, `county`
/// and `month`, in this order, uncut.
#[utoipa::path(
    get,
    path = "/v1/outreach/conversion",
    operation_id = "sum_outreach_conversion",
    tag = "views",
    params(Which, Sums, AsOf, Paging),
    responses(
        (status = 200, description = "A row a group, in the order of the groups", content(
            (SumPage = "application/json"),
            (SumRow = "application/x-ndjson"),
            (String = "text/csv"),
        )),
        Queried,
    )
)]
async fn sums(
    permit: Permit<Count>,
    State(edge): State<Edge>,
    ask: Ask,
    Params(which, by, as_of, paging): Params<Which, Sums, AsOf, Paging>,
) -> Result<Response, Problem> {
    let asked = Asked::of(&edge, &permit.scope, ask, &as_of, paging).await?;
    let mut by = by.by.map_or_else(|| vec![By::Plan, By::Program], |by| by.0);
    let mut seen = Vec::new();
    by.retain(|by| {
        let is_new = !seen.contains(by);
        seen.push(*by);
        is_new
    });
    if permit.fields.least_cell().is_some() {
        may_be_summed(&which, &by, &as_of)?;
    }
    let sums = summed(&edge, &permit.scope, &asked, which.filter(), &by).await?;
    let rows = match permit.fields.least_cell() {
        Some(least) => counts::suppressed(&sums, least),
        None => sums.into_iter().map(|(group, sums)| (group, sums.into_iter().map(Some).collect())).collect(),
    };
    let columns: Vec<&'static str> =
        by.iter().map(|by| by.as_str()).chain(SUMS.iter().map(|(name, ..)| *name)).collect();
    let rows = rows.into_iter().map(|(groups, sums)| {
        let values = groups.into_iter().map(Value::from).chain(sums.into_iter().map(Value::from));
        columns.iter().map(|column| (*column).to_owned()).zip(values).collect()
    });
    let rows: Vec<Map<String, Value>> = rows.collect();
    asked.whole(&edge, &columns, rows)
}

/// Sums without small numbers are of one tree, whose every sum may be asked for, so that no two of them can be subtracted
/// from one another: by plan, program, county and month, in this order, uncut, and as they are now.
fn may_be_summed(which: &Which, by: &[By], as_of: &AsOf) -> Result<(), Problem> {
    const TREE: [By; 4] = [By::Plan, By::Program, By::County, By::Month];
    if TREE.starts_with(by) && which.is_uncut() && as_of.known_at.is_none() {
        return Ok(());
    }
    Err(Problem::new(
        Kind::Forbidden,
        "counts for reporting are by plan, program, county, month, in this order, uncut, and of now",
    ))
}

/// The sums of each group, in the order of the groups.
async fn summed(
    edge: &Edge,
    scope: &Scope,
    asked: &Asked,
    mut filter: Filter,
    by: &[By],
) -> Result<BTreeMap<Vec<Option<String>>, Vec<i64>>, Problem> {
    filter.present.push(("identified_on", true));
    filter.known_at = Some(asked.basis.position);
    let sum = SumBy {
        by: by.iter().map(|by| by.column()).collect(),
        sums: SUMS.iter().map(|(name, sum, _)| (*name, *sum)).collect(),
    };
    let found = edge.db.sum(scope.sight(), &TABLE, &filter, &sum).await?;
    asked.basis.still(edge).await?;
    Ok(by_population(found, by.iter().position(|by| *by == By::Population)))
}

/// Takes a group of several populations apart, one group a population.
fn by_population(
    found: Vec<(Vec<Option<String>>, Vec<i64>)>,
    population: Option<usize>,
) -> BTreeMap<Vec<Option<String>>, Vec<i64>> {
    let mut groups: BTreeMap<Vec<Option<String>>, Vec<i64>> = BTreeMap::new();
    for (values, sums) in found {
        let several = population.and_then(|index| values.get(index)).cloned().flatten();
        let alone: Vec<Option<String>> = match &several {
            Some(several) => several.split(',').map(|one| Some(one.to_owned())).collect(),
            None => vec![None],
        };
        for one in alone {
            let mut values = values.clone();
            if let Some(value) = population.and_then(|index| values.get_mut(index)) {
                *value = one;
            }
            let totals = groups.entry(values).or_insert_with(|| vec![0; sums.len()]);
            for (total, sum) in totals.iter_mut().zip(&sums) {
                *total += sum;
            }
        }
    }
    groups
}

/// Each outreach episode: from the identification or first attempt until the member enrolls, declines, or outreach ends.
#[utoipa::path(
    get,
    path = "/v1/outreach/episodes",
    operation_id = "list_outreach_episodes",
    tag = "views",
    params(Which, AsOf, Paging),
    responses(
        (status = 200, description = "Episodes, in the order of their keys", content(
            (EpisodePage = "application/json"),
            (EpisodeRow = "application/x-ndjson"),
            (String = "text/csv"),
        )),
        Queried,
    )
)]
async fn episodes(
    permit: Permit<Read>,
    State(edge): State<Edge>,
    ask: Ask,
    Params(which, as_of, paging, _): Params<Which, AsOf, Paging>,
) -> Result<Response, Problem> {
    let asked = Asked::of(&edge, &permit.scope, ask, &as_of, paging).await?;
    asked.rows(edge, Listing::of(&TABLE, which.filter())).await
}

/// The outreach episodes of a member, under every pseudonym that is the same person.
#[utoipa::path(
    get,
    path = "/v1/members/{member}/outreach",
    operation_id = "member_outreach_episodes",
    tag = "members",
    params(("member" = String, Path, format = Uuid, description = "The member's pseudonym"), Which, AsOf, Paging),
    responses(
        (status = 200, description = "Episodes, in the order of their keys; none for a member nothing is known of", content(
            (EpisodePage = "application/json"),
            (EpisodeRow = "application/x-ndjson"),
            (String = "text/csv"),
        )),
        Queried,
    )
)]
async fn of_member(
    permit: Permit<Read>,
    State(edge): State<Edge>,
    Segment(member): Segment<String>,
    ask: Ask,
    Params(which, as_of, paging, _): Params<Which, AsOf, Paging>,
) -> Result<Response, Problem> {
    let member: MemberId = segment("member", &member)?;
    let asked = Asked::of(&edge, &permit.scope, ask, &as_of, paging).await?;
    let group = asked.basis.group(&edge, &permit.scope, member).await?;
    asked.rows(edge, Listing::of(&TABLE, which.filter()).about(Some(group))).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_episode_counts_under_each_of_its_populations() {
        let group = |plan: &str, populations: Option<&str>| vec![Some(plan.to_owned()), populations.map(str::to_owned)];
        let found = vec![
            (group("a", Some("adults_homeless,adults_smi")), vec![2, 1]),
            (group("a", Some("adults_smi")), vec![3, 0]),
            (group("a", None), vec![1, 1]),
        ];
        let sums = by_population(found.clone(), Some(1));
        assert_eq!(sums[&group("a", Some("adults_smi"))], [5, 1]);
        assert_eq!(sums[&group("a", Some("adults_homeless"))], [2, 1]);
        assert_eq!(sums[&group("a", None)], [1, 1]);
        assert_eq!(by_population(found, None).len(), 3);
    }
}
