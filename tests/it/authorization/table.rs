//! The matrix, read from its file: which cell expects what.

use std::collections::BTreeSet;

/// Relations of a record to a caller.
pub const RELATIONS: [&str; 5] = ["own", "shared", "formerly", "other", "none"];
/// Sensitivities of an event.
pub const SENSITIVITIES: [&str; 4] = ["none", "part2", "hiv", "minor"];

/// Who calls.
#[derive(Debug, Clone)]
pub struct Caller {
    pub name: String,
    pub role: String,
    pub organization: String,
    pub rights: Vec<String>,
    pub purpose: Option<String>,
}

/// A cell of the matrix.
#[derive(Debug, Clone)]
pub struct Cell {
    pub route: String,
    pub caller: String,
    pub relation: String,
    pub sensitivity: String,
    pub statuses: Vec<u16>,
    pub sees: String,
}

fn lines(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines().filter(|line| !line.starts_with('#')).skip(1).map(|line| line.split(',').collect())
}

pub fn callers() -> Vec<Caller> {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    let caller = |line: Vec<&str>| {
        let [name, role, organization, rights, purpose] = line[..] else { panic!("five columns: {line:?}") };
        Caller {
            name: name.to_owned(),
            role: role.to_owned(),
            organization: organization.to_owned(),
            rights: words(rights),
            purpose: (!purpose.is_empty()).then(|| purpose.to_owned()),
        }
    };
    lines(include_str!("callers.csv")).map(caller).collect()
}

/// The relations that a record behind a route may have to a caller.
pub fn relations(route: &str) -> &'static [&'static str] {
    let (method, path) = route.split_once(' ').unwrap();
    let lists =
        ["enrollments", "conflicts", "notices", "findings", "authorizations", "reassessments", "clocks", "events"];
    let is_list = lists.iter().any(|list| path == format!("/v1/{list}"))
        || ["/v1/outreach/episodes", "/v1/outreach/attempts", "/v1/notices/{determination}"].contains(&path);
    match (method, path) {
        ("POST", "/v1/events" | "/v1/intake/{file}") => &["own", "other"],
        // A feed is asked for by its plan, which is no part of the path.
        ("GET", "/v1/feed" | "/v1/feed/status" | "/v1/feed/range" | "/v1/feed/receipt") => &["own", "other"],
        ("GET", "/v1/intake/{file}") => &["own", "other", "none"],
        ("GET", path) if is_list || path.starts_with("/v1/members/{member}") => &RELATIONS,
        _ => &["-"],
    }
}

/// The sensitivities that tell answers of a route apart.
pub fn sensitivities(route: &str) -> &'static [&'static str] {
    let path = route.strip_prefix("GET ").unwrap_or_default();
    if path == "/v1/events" || path.ends_with("/history") || path.ends_with("/outreach/attempts") {
        &SENSITIVITIES
    } else {
        &["-"]
    }
}

/// Every cell, in the order of the file, the lines that hold several taken apart.
pub fn cells() -> Vec<Cell> {
    let everybody: Vec<String> = callers().into_iter().map(|caller| caller.name).collect();
    let mut cells = Vec::new();
    for line in lines(include_str!("matrix.csv")) {
        let [routes, callers, relation, sensitivity, status, sees] = line[..] else { panic!("six columns: {line:?}") };
        let list = |text: &str, all: &[&str]| -> Vec<String> {
            if text == "*" {
                all.iter().map(|one| (*one).to_owned()).collect()
            } else {
                text.split(' ').map(str::to_owned).collect()
            }
        };
        let all: Vec<&str> = everybody.iter().map(String::as_str).collect();
        for route in routes.split("; ") {
            for caller in list(callers, &all) {
                for relation in list(relation, relations(route)) {
                    for sensitivity in list(sensitivity, sensitivities(route)) {
                        cells.push(Cell {
                            route: route.to_owned(),
                            caller: caller.clone(),
                            relation: relation.clone(),
                            sensitivity,
                            statuses: status.split('/').map(|status| status.parse().unwrap()).collect(),
                            sees: sees.to_owned(),
                        });
                    }
                }
            }
        }
    }
    cells
}

/// Every route of the program's own document, as in `GET /v1/events`.
fn documented() -> BTreeSet<String> {
    let document = serde_json::to_value(rollbook::http::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let routes = paths.iter().flat_map(|(path, item)| {
        item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    routes.collect()
}

#[test]
fn the_matrix_says_of_every_route_and_caller_just_one_thing() {
    let cells = cells();
    let told: BTreeSet<String> = cells.iter().map(|cell| cell.route.clone()).collect();
    assert_eq!(told, documented(), "every route of the document stands in the matrix, and no other");
    let mut expected = BTreeSet::new();
    for route in &told {
        for caller in callers() {
            for relation in relations(route) {
                for sensitivity in sensitivities(route) {
                    expected.insert(format!("{route}, {}, {relation}, {sensitivity}", caller.name));
                }
            }
        }
    }
    let mut seen = BTreeSet::new();
    for Cell { route, caller, relation, sensitivity, .. } in &cells {
        let cell = format!("{route}, {caller}, {relation}, {sensitivity}");
        assert!(expected.contains(&cell), "no such cell: {cell}");
        assert!(seen.insert(cell.clone()), "told twice: {cell}");
    }
    assert_eq!(expected.difference(&seen).collect::<Vec<_>>(), Vec::<&String>::new());
    let roles: BTreeSet<String> =
        callers().into_iter().map(|caller| caller.role).filter(|role| !role.is_empty()).collect();
    let all: BTreeSet<String> = rollbook::caller::Role::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(roles, all, "every role calls");
}
