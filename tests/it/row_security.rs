//! PostgreSQL's row security, behind the policy: what a statement that forgot its conditions would be told.

use std::collections::BTreeMap;

use harness::postgres::Postgres;
use rollbook_projections::store::read::{Filter, Grant, Page, Sight};
use rollbook_projections::store::{Db, StoreError, Views};
use rollbook_projections::views;
use serde_json::Value;

use crate::authorization::small_ledger::{COUNTY, OWN_PLAN, PROVIDER, SmallLedger, pseudonym};

const DATABASE: &str = "ledger";
/// Who owns the database in an ordinary installation: neither a superuser nor one who may make roles.
const OWNER: &str = "keeper";
const READER: &str = "rollbook_sight_ledger";
/// Tables without a row about anybody.
const OF_NOBODY: [&str; 4] = ["_sqlx_migrations", "checkpoint", "generation", "projector_lease"];

/// Every table, and everything that is read like one, outside of PostgreSQL's own: by schema, name and kind, whether it has
/// row security, and whether the reader may ask it at all.
const CATALOGUE: &str = "SELECT n.nspname, c.relname, c.relkind, c.relrowsecurity, \
    has_schema_privilege('rollbook_sight_ledger', n.oid, 'USAGE') AND has_table_privilege('rollbook_sight_ledger', c.oid, 'SELECT') \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') \
    AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1, 2";

/// A table that the reader may ask, as SQL names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    schema: String,
    name: String,
}

impl Asked {
    fn sql_name(&self) -> String {
        format!("{}.\"{}\"", self.schema, self.name)
    }
}

/// What the reader may ask, from the catalogue: a table that is not closed, and one that nobody thought of, fail here.
fn asked(postgres: &Postgres) -> Vec<Asked> {
    let mut all = Vec::new();
    for line in postgres.sql_in(DATABASE, "postgres", CATALOGUE).lines() {
        let [schema, name, kind, secured, readable] = line.split('|').collect::<Vec<_>>().try_into().unwrap();
        assert!(kind != "r" || secured == "t" || OF_NOBODY.contains(&name), "{schema}.{name} has no row security");
        assert!(kind == "r" || schema == "reporting" || name == "assigned_now", "{schema}.{name}: whose are its rows?");
        if readable == "t" {
            assert!(secured == "t" || name == "assigned_now", "{schema}.{name} is open to the reader");
            all.push(Asked { schema: schema.to_owned(), name: name.to_owned() });
        }
    }
    all
}

/// How many rows of each table are told to who leaves every condition out, and how many of them a condition holds of.
fn told(postgres: &Postgres, user: &str, settings: &str, tables: &[(&Asked, String)]) -> Vec<(usize, usize)> {
    let mut text = format!("BEGIN; {settings};");
    for (table, condition) in tables {
        let of = table.sql_name();
        text.push_str(&format!(
            " SELECT count(*), count(*) FILTER (WHERE {condition}) FROM (SELECT * FROM {of}) AS \"{}\";",
            table.name
        ));
    }
    let pair = |line: &str| {
        let (all, own) = line.split_once('|').unwrap();
        (all.parse().unwrap(), own.parse().unwrap())
    };
    let answer = postgres.sql_in(DATABASE, user, &format!("{text} COMMIT"));
    let counts: Vec<_> = answer.lines().map(pair).collect();
    assert_eq!(counts.len(), tables.len(), "{answer}");
    counts
}

/// Of each table the reader is told, with the settings of a sight, what a condition in other words says, and not a row more.
/// Gives how many rows that were.
fn tells_only(postgres: &Postgres, settings: &str, condition: impl Fn(&Asked) -> String) -> BTreeMap<String, usize> {
    let tables = asked(postgres);
    let tables: Vec<(&Asked, String)> = tables.iter().map(|table| (table, condition(table))).collect();
    let as_reader = format!("SET LOCAL ROLE {READER}; {settings}");
    let seen = told(postgres, OWNER, &as_reader, &tables);
    // A superuser is held to no policy, and counts what there is; whom a provider is assigned is a view, which reads the settings.
    let there = told(postgres, "postgres", settings, &tables);
    let mut rows = BTreeMap::new();
    for (((table, condition), (seen, own)), (_, there)) in tables.iter().zip(seen).zip(there) {
        assert_eq!((seen, own), (there, there), "{}: {condition}", table.sql_name());
        rows.insert(table.sql_name(), seen);
    }
    rows
}

fn sides(table: &Asked) -> &'static [&'static str] {
    match table.name.as_str() {
        "duplication_conflict" => &["_a", "_b"],
        "member_link" | "stuck_member" | "assigned_now" => &[],
        _ => &[""],
    }
}

fn any(conditions: impl Iterator<Item = String>) -> String {
    conditions.fold("false".to_owned(), |all, one| format!("{all} OR {one}"))
}

fn of_record(table: &Asked, plan: &str) -> String {
    any(sides(table).iter().map(|side| format!("plan{side} = '{plan}'")))
}

fn of_county(table: &Asked) -> String {
    let served = ["assignment", "authorization", "current_enrollment", "duplication_conflict", "outreach_conversion"];
    let served = sides(table).iter().filter(|_| served.contains(&table.name.as_str()));
    any(served.map(|side| format!("provider{side} = '{COUNTY}'")).chain([of_record(table, COUNTY)]))
}

/// The provider serves members 1 and 2 in the plan's record, and member 3 no more.
fn of_provider(table: &Asked) -> String {
    let members = format!("member IN ('{}', '{}')", pseudonym(1), pseudonym(2));
    if table.name == "assigned_now" {
        return members;
    }
    let of = |side: &&str| format!("({members} AND plan{side} = '{OWN_PLAN}' AND program{side} = 'ecm')");
    any(sides(table).iter().map(of))
}

/// Forgotten conditions, for each kind of sight, in every generation that there is.
fn nothing_of_anybody_else(postgres: &Postgres, generations: &[&str]) {
    let nobody = tells_only(postgres, "SET LOCAL rollbook.nothing = 'set'", |_| "false".to_owned());
    for schema in generations {
        for view in views::ALL {
            let name = format!("{schema}.\"{}\"", view.table().name);
            assert_eq!(nobody.get(&name), Some(&0), "{name}: without a word no row");
        }
    }
    let plan = tells_only(postgres, &format!("SET LOCAL rollbook.record = '{{{OWN_PLAN}}}'"), |table| {
        of_record(table, OWN_PLAN)
    });
    for (table, rows) in &plan {
        let of_ledger = ["assigned_now", "member_link", "stuck_member"].iter().any(|name| table.contains(name));
        assert!(of_ledger || *rows > 0, "{table} has no row to be told apart");
    }
    let county = format!("SET LOCAL rollbook.record = '{{{COUNTY}}}'; SET LOCAL rollbook.served = '{{{COUNTY}}}'");
    assert!(tells_only(postgres, &county, of_county).values().sum::<usize>() > 0);
    let day = "SET LOCAL rollbook.day = '{2024-06-15}'";
    let provider = format!("SET LOCAL rollbook.assigned = '{{{PROVIDER}}}'; {day}");
    assert!(tells_only(postgres, &provider, of_provider).values().sum::<usize>() > 0);
    tells_only(postgres, day, |_| "false".to_owned());
    let rules = tells_only(postgres, "SET LOCAL rollbook.sight = 'rules'", |table| match table.name.as_str() {
        "event_history" => "member IS NULL".to_owned(),
        _ => "false".to_owned(),
    });
    assert!(rules.values().sum::<usize>() > 0);
    let everything = |table: &Asked| (table.name != "assigned_now").to_string();
    tells_only(postgres, "SET LOCAL rollbook.sight = 'everything'", everything);
    // What one transaction was told is forgotten in the next.
    let again = format!(
        "BEGIN; SET LOCAL ROLE {READER}; SET LOCAL rollbook.record = '{{{OWN_PLAN}}}'; SELECT count(*) > 0 FROM event_history; \
        COMMIT; BEGIN; SET LOCAL ROLE {READER}; SELECT count(*) FROM event_history; COMMIT"
    );
    assert_eq!(postgres.sql_in(DATABASE, OWNER, &again), "t\n0");
}

/// Who asks, one for each kind of sight, and of another organization.
const CALLERS: [&str; 6] = ["provider", "plan_compliance", "plan_reporting", "county", "auditor", "other_recorder"];

/// What is asked: lists, sums, a member's everything, one determination's reasons, and a view's dump.
async fn questions(of: &SmallLedger) -> Vec<String> {
    let mut paths: Vec<String> = [
        "/v1/enrollments",
        "/v1/conflicts",
        "/v1/events?known_at=20",
        "/v1/events",
        "/v1/findings",
        "/v1/clocks",
        "/v1/authorizations",
        "/v1/reassessments",
        "/v1/notices",
        "/v1/outreach/conversion",
        "/v1/rulebook",
        "/v1/views/duplication_conflict",
    ]
    .map(str::to_owned)
    .into();
    // One that is shared, one that was left to another provider, and one of the county's.
    for n in [2, 3, 5] {
        let member = pseudonym(n);
        paths.push(format!("/v1/members/{member}"));
        for what in ["history", "enrollments", "conflicts", "notices", "eligibility", "findings"] {
            paths.push(format!("/v1/members/{member}/{what}"));
        }
    }
    let notice = of.ledger.rows("/v1/notices").await[0]["determination"].as_str().unwrap().to_owned();
    paths.push(format!("/v1/notices/{notice}"));
    paths
}

/// Every answer to everybody, without how far the views were behind.
async fn answers(of: &SmallLedger) -> BTreeMap<(&'static str, String), (u16, String)> {
    let mut answers = BTreeMap::new();
    for path in questions(of).await {
        let accept = if path.starts_with("/v1/views/") { "application/x-ndjson" } else { "application/json" };
        let asked = CALLERS.map(|caller| of.get(caller, &path, accept));
        for (caller, answer) in CALLERS.into_iter().zip(futures_util::future::join_all(asked).await) {
            let text = match serde_json::from_str::<Value>(&answer.text) {
                Ok(Value::Object(mut told)) if accept == "application/json" => {
                    told.remove("lag_ms");
                    told.remove("instance");
                    Value::Object(told).to_string()
                }
                Ok(_) | Err(_) => answer.text,
            };
            answers.insert((caller, path.clone()), (answer.status, text));
        }
    }
    answers
}

/// What stands between who says what to do and where it is explained.
fn advice(error: &StoreError) -> String {
    let said = error.to_string();
    let (_, what) = said.split_once("run ").unwrap_or_else(|| panic!("{said}"));
    what.split_once(" (").unwrap().0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_condition_tells_nobody_anything_of_others() {
    let Some(postgres) = Postgres::start() else { return };
    postgres.sql(&format!("CREATE ROLE {OWNER} LOGIN"));
    postgres.sql(&format!("CREATE DATABASE {DATABASE} OWNER {OWNER}"));
    let address = postgres.url_of(DATABASE, OWNER);

    // An ordinary owner may not make the role: the program says what is to be done, and that helps.
    let error = Views::open(&address).await.unwrap_err();
    for statement in advice(&error).split_inclusive(';') {
        postgres.sql(statement);
    }
    let folder = tempfile::tempdir().unwrap();
    let ledger = SmallLedger::up(folder.path()).await;
    let on_sqlite = answers(&ledger).await;
    let rows_on_sqlite = rows_of(&ledger).await;
    let ledger = ledger.over(&address).await;
    let same = |answers: BTreeMap<(&'static str, String), (u16, String)>| {
        for (asked, answer) in &answers {
            assert_eq!(answer, &on_sqlite[asked], "{asked:?}");
        }
    };
    same(answers(&ledger).await);
    assert!(on_sqlite.values().filter(|(status, _)| *status == 200).count() > 80, "most have something to be told");
    nothing_of_anybody_else(&postgres, &["public"]);

    // A rebuild makes other tables, in a schema of their own.
    ledger.ledger.ok(&["rebuild", "--yes"]);
    nothing_of_anybody_else(&postgres, &["public", "rollbook_views_2"]);
    assert_eq!(rows_of(&ledger).await, rows_on_sqlite);

    // With policies that let nothing pass nobody is told a row, whatever route they take: all of them are held to it.
    for table in asked(&postgres).iter().filter(|table| table.name != "assigned_now") {
        let close = format!("ALTER POLICY sight ON {} USING (false)", table.sql_name());
        postgres.sql_in(DATABASE, OWNER, &close);
    }
    for ((caller, path), (status, text)) in rows_of(&ledger).await {
        assert!(status != 200 || text.is_empty(), "{caller} {path}: {text}");
    }
    ledger.ledger.stop();
    a_superuser_is_held_too(&postgres).await;
}

/// Lists of rows as lines, of which a closed table gives none.
async fn rows_of(of: &SmallLedger) -> Vec<((&'static str, String), (u16, String))> {
    let mut answers = Vec::new();
    for path in
        ["enrollments", "conflicts", "events", "findings", "clocks", "authorizations", "notices", "reassessments"]
    {
        let address = format!("/v1/{path}");
        let asked = CALLERS.map(|caller| of.get(caller, &address, "application/x-ndjson"));
        for (caller, answer) in CALLERS.into_iter().zip(futures_util::future::join_all(asked).await) {
            answers.push(((caller, path.to_owned()), (answer.status, answer.text)));
        }
    }
    answers
}

/// A superuser makes the role by itself, and takes it to read; a role that row security does not hold is not taken for one.
async fn a_superuser_is_held_too(postgres: &Postgres) {
    let db = Db::open(&postgres.url()).await.unwrap();
    let table = views::find("current_enrollment").unwrap().table();
    let page = Page { order: None, after: None, most: 1 };
    let asked = async |sight: &Sight| db.page(sight, table, &Filter::default(), &page).await;
    let held = [Sight::of(vec![Grant::Record(OWN_PLAN.to_owned())]), Sight::everything_for_a_caller()];
    for sight in &held {
        asked(sight).await.unwrap();
    }
    let role = "rollbook_sight_postgres";
    postgres.sql(&format!("REVOKE SELECT ON current_enrollment FROM {role}"));
    for sight in &held {
        asked(sight).await.unwrap_err();
    }
    asked(&Sight::everything_for_the_ledger_itself()).await.unwrap();
    db.close().await;
    // The next start mends it; but not a role that passes row security by.
    Db::open(&postgres.url()).await.unwrap().close().await;
    postgres.sql(&format!("ALTER ROLE {role} BYPASSRLS"));
    let error = Db::open(&postgres.url()).await.unwrap_err();
    assert!(matches!(error, StoreError::RowSecurity { .. }), "{error}");
}
