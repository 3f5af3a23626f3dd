//! The house rules that no compiler checks.

use std::path::{Path, PathBuf};

/// Lines of a file: more means that it answers two questions.
const MOST_LINES: usize = 330;

/// What may stand at the top.
const TOP: [&str; 9] =
    ["Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "deploy", "events", "projections", "services", "tests"];

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file of the workspace with its text, by its path from the top.
fn sources() -> Vec<(String, String)> {
    let mut sources = Vec::new();
    let mut waiting: Vec<PathBuf> =
        ["events", "projections", "services", "tests"].iter().map(|room| top().join(room)).collect();
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(top()).unwrap().to_str().unwrap().to_owned();
                sources.push((name, std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(sources.len() > 50, "the sources were not found");
    sources
}

/// The files that name something they must not.
fn that_name(word: &str, allowed: impl Fn(&str) -> bool) -> Vec<String> {
    let named = |(name, text): (String, String)| (text.contains(word) && !allowed(&name)).then_some(name);
    sources().into_iter().filter_map(named).collect()
}

#[test]
fn nothing_else_stands_at_the_top() {
    let names = std::fs::read_dir(top()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let others: Vec<String> = names
        .filter(|name| {
            !name.starts_with('.') && !TOP.contains(&name.as_str()) && name != "target" && name != "rollbook-data"
        })
        .collect();
    assert!(others.is_empty(), "{others:?}");
}

#[test]
fn files_are_short() {
    let long: Vec<(String, usize)> = sources()
        .into_iter()
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, lines)| *lines > MOST_LINES)
        .collect();
    assert!(long.is_empty(), "{long:?}");
}

#[test]
fn sql_stands_in_the_store_alone() {
    let named = that_name("sqlx::", |name| name.starts_with("projections/src/store") || name.starts_with("tests/"));
    assert!(named.is_empty(), "{named:?}");
}

#[test]
fn the_pure_rooms_know_no_clock_no_randomness_and_no_network() {
    for word in [
        "Utc::now",
        "Local::now",
        "SystemTime",
        "Instant::now",
        "now_v7",
        "new_v4",
        "rand::",
        "tokio::",
        "async_nats",
        "axum",
    ] {
        let pure = |name: &str| name.starts_with("events/src") || name.starts_with("projections/src");
        let named = that_name(word, |name| !pure(name));
        assert!(named.is_empty(), "{word} in {named:?}");
    }
}

#[test]
fn no_test_is_ignored_and_no_room_is_a_drawer() {
    let ignored = that_name(concat!("#[", "ignore"), |_| false);
    assert!(ignored.is_empty(), "{ignored:?}");
    let drawers: Vec<String> = sources()
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| name.contains("util") || name.contains("common"))
        .collect();
    assert!(drawers.is_empty(), "{drawers:?}");
}

#[test]
fn recorder_projector_and_query_do_not_know_one_another() {
    let knows = |room: &str, other: &str| {
        let inside = format!("services/src/{room}/");
        that_name(&format!("crate::{other}"), |name| !name.starts_with(&inside))
    };
    assert_eq!(knows("projector", "recorder"), Vec::<String>::new());
    assert_eq!(knows("projector", "http"), Vec::<String>::new());
    assert_eq!(knows("recorder", "http"), Vec::<String>::new());
    assert_eq!(knows("recorder", "import"), Vec::<String>::new());
}

#[test]
fn nobody_but_the_policy_says_what_a_caller_sees() {
    let inside = |room: &str| {
        let room = room.to_owned();
        move |name: &str| name.starts_with(&room)
    };
    // The store makes a sight, the policy gives it to callers, and the ledger's own parts take everything.
    let of_a_caller = |name: &str| {
        inside("projections/src/store/read")(name) || inside("services/src/policy")(name) || inside("tests/")(name)
    };
    for word in [concat!("Sight::", "of("), concat!("everything_for_", "a_caller"), concat!("Grant", "::")] {
        assert_eq!(that_name(word, of_a_caller), Vec::<String>::new(), "{word}");
    }
    let word = concat!("everything_for_", "the_ledger_itself");
    let of_the_ledger = that_name(word, |name| {
        ["services/src/recorder/", "services/src/projector/", "services/src/verify/"]
            .iter()
            .any(|room| inside(room)(name))
            || inside("projections/src/store/read")(name)
            || inside("tests/")(name)
    });
    assert_eq!(of_the_ledger, Vec::<String>::new(), "these answer callers");
    // On PostgreSQL every question says in whose name it is asked; how far the views are is about nobody.
    let reads = |(name, text): &(String, String)| {
        (name.starts_with("projections/src/store/read"))
            .then(|| (name.clone(), text.matches(concat!("on", "!(")).count()))
    };
    let unheld: Vec<(String, usize)> = sources().iter().filter_map(reads).filter(|(_, times)| *times > 0).collect();
    assert_eq!(unheld, [("projections/src/store/read.rs".to_owned(), 1)]);
    assert_eq!(that_name(concat!("Scope::", "of("), inside("services/src/policy")), Vec::<String>::new());
}

#[test]
fn the_harness_alone_starts_the_program_so_that_every_log_is_searched() {
    let word = concat!("rollbook", "()");
    // The rest hand its path on: to the script of the cluster, to copies with planted faults; or only ask for its folder.
    let known =
        ["tests/harness/lib.rs", "tests/harness/program.rs", "tests/harness/cluster.rs", "tests/harness/installed.rs"];
    let suite = ["tests/chaos/planted/watch.rs", "tests/chaos/damage/mod.rs"];
    let named = that_name(word, |name| {
        known.contains(&name) || suite.contains(&name) || !name.starts_with("tests/") || name == "tests/it/tidy.rs"
    });
    assert!(named.is_empty(), "{named:?} name the program: use harness::program::Program");
    let path = concat!("debug/", "rollbook");
    let named = that_name(path, |name| name == "tests/chaos/planted/workshop.rs" || !name.starts_with("tests/"));
    assert!(named.is_empty(), "{named:?} name the program: use harness::program::Program");
}
