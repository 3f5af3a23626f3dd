//! Files read, ids made, whole cases run in memory.

use std::path::Path;

use rollbook_events::Submission;
use serde_json::Value;

use super::Unreadable;
use super::file::Case;
use super::given;
use super::ids::Ids;
use super::pure::Pure;
use super::run::{Verdict, run};

const CASE: &str = r#"
id = "B1-05"
title = "Navigation and county case management at once"
cites = ["000_a2e4f2d354e0859d.txt Q1"]
basis = "stated"
plan = "la-care"
county = "los-angeles"
rules = ["DUP-3"]

[[given]]
kind = "enrolled"
name = "navigation"
at = "2022-02-01"
data = { enrollment = "e1", program = "housing_navigation", basis = "opt_in", channel = "plan_direct", provider = "1234567893", from = 2022-02-01 }

[[given]]
kind = "participation_reported"
plan = "la-county-dhs"
at = 2022-05-01T09:00:00-07:00
data = { program = "icms_hfh", from = "2022-05-01", evidence = "verified" }

[expect.enrollment]
program = "housing_navigation"
status = "active"

[[expect.conflict]]
programs = ["icms_hfh", "housing_navigation"]
outcome = "conflict"
from = "2022-05-01"
count = 1

[[expect.conflict]]
programs = ["icms_hfh", "housing_navigation"]
outcome = "none"
known_at = "$navigation"
"#;

fn parse(text: &str) -> Result<Case, Unreadable> {
    Case::parse(Path::new("b1/B1-05.toml"), text, |_| Err("is not there".to_owned()))
}

async fn ran(text: &str) -> Verdict {
    run(&parse(text).unwrap(), &mut Pure::new().unwrap()).await.unwrap()
}

async fn passes(text: &str) -> bool {
    let verdict = ran(text).await;
    verdict.failures.is_empty()
}

#[tokio::test]
async fn a_case_is_met_and_the_same_case_with_another_word_is_not() {
    assert!(passes(CASE).await);
    for (from, to) in [
        ("outcome = \"conflict\"", "outcome = \"choose\""),
        ("count = 1", "count = 2"),
        ("from = \"2022-05-01\"\ncount", "from = \"2022-05-02\"\ncount"),
        ("status = \"active\"", "status = \"ended\""),
        ("known_at = \"$navigation\"", "as_of = \"2022-05-01\""),
    ] {
        assert!(CASE.contains(from), "{from}");
        assert!(!passes(&CASE.replace(from, to)).await, "{to}");
    }
}

/// Every key of the case, misspelt: an error that names the file, the line and the key.
#[test]
fn a_misspelt_key_names_its_file_and_line() {
    let mut tried = 0;
    for (index, line) in CASE.lines().enumerate() {
        let Some((key, _)) = line.split_once(" = ").filter(|_| !line.starts_with("data")) else { continue };
        let misspelt = format!("{key}x");
        let text: Vec<String> = CASE
            .lines()
            .enumerate()
            .map(|(at, other)| if at == index { line.replacen(key, &misspelt, 1) } else { other.to_owned() })
            .collect();
        let wrong = parse(&text.join("\n")).unwrap_err();
        assert_eq!(wrong.file, Path::new("b1/B1-05.toml"));
        assert_eq!(wrong.line, Some(index + 1), "{misspelt}: {wrong}");
        assert!(wrong.problem.contains(&format!("`{misspelt}`")), "{wrong}");
        assert!(wrong.to_string().starts_with(&format!("b1/B1-05.toml:{}: ", index + 1)), "{wrong}");
        tried += 1;
    }
    assert!(tried > 18, "{tried}");
}

#[test]
fn what_is_no_scenario_is_refused_at_its_line() {
    let refused = |from: &str, to: &str| {
        assert!(CASE.contains(from), "{from}");
        let wrong = parse(&CASE.replacen(from, to, 1)).unwrap_err();
        (wrong.line.unwrap(), wrong.problem)
    };
    let line_of = |what: &str| CASE.lines().position(|line| line.contains(what)).unwrap() + 1;
    for (from, to, at) in [
        ("[expect.enrollment]", "[expect.enrolment]", "[expect.enrollment]"),
        ("status = \"active\"", "status = \"activ\"", "status = "),
        ("programs = [\"icms_hfh\", ", "programs = [\"icms\", ", "programs = "),
        ("programs = [\"icms_hfh\", ", "programs = [", "programs = "),
        ("count = 1", "count = \"one\"", "count = 1"),
        ("known_at = \"$navigation\"", "known_at = \"$nav\"", "[[expect.conflict]]"),
        ("known_at = \"$navigation\"", "known_at = \"soon\"", "known_at"),
        ("id = \"B1-05\"", "id = ", "id = "),
    ] {
        let (line, problem) = refused(from, to);
        let expected = if to.contains("$nav\"") { line_of("known_at") - 3 } else { line_of(at) };
        assert_eq!(line, expected, "{to}: {problem}");
    }
    assert!(refused("plan = \"la-care\"", "rulebook = \"rulebooks/own.toml\"").1.contains("is not there"));
}

#[test]
fn the_same_salt_and_short_id_are_the_same_uuid_and_no_other() {
    let case = parse(CASE).unwrap();
    let recorded = given::recorded(&case);
    let of = |salt: &str| Ids::new(&case, salt, &recorded);
    let field = |ids: &Ids, field: &str, short: &str| ids.field("enrolled", field, &Value::from(short));
    assert_eq!(field(&of("a"), "enrollment", "e1"), field(&of("a"), "enrollment", "e1"));
    assert_ne!(field(&of("a"), "enrollment", "e1"), field(&of("b"), "enrollment", "e1"));
    assert_ne!(field(&of("a"), "enrollment", "e1"), field(&of("a"), "enrollment", "e2"));
    assert_ne!(field(&of("a"), "enrollment", "e1"), field(&of("a"), "authorization", "e1"));
    assert_eq!(field(&of("a"), "program", "ecm"), "ecm");
    assert_eq!(field(&of("a"), "event", "$navigation"), of("a").of_given(0).unwrap().to_string());
    assert_eq!(field(&of("a"), "enrollment", "$navigation"), field(&of("a"), "enrollment", "e1"));
    assert_eq!(field(&of("a"), "other", "m2"), of("a").member("m2").to_string());
    assert_eq!(field(&of("a"), "enrollment", "no id"), "no id", "what is no short id is left to be refused");
    assert!(of("a").of_given(0) < of("a").of_given(1), "ids of events follow the order of recording");
}

#[test]
fn a_fact_is_recorded_when_it_says_or_when_it_happened_and_never_before_the_one_before() {
    let text = "id = \"a\"\n\
        [[given]]\nat = \"2022-03-04\"\n\
        [[given]]\nat = \"2022-03-04T10:00:00-08:00\"\n\
        [[given]]\nat = \"2022-03-05\"\nrecorded = 2022-03-10T09:00:00-08:00\n\
        [[given]]\nat = \"2022-03-06\"\n";
    let recorded: Vec<String> = given::recorded(&parse(text).unwrap()).iter().map(ToString::to_string).collect();
    let expected = [
        "2022-03-04 20:00:00 UTC",
        "2022-03-04 20:00:00.000001 UTC",
        "2022-03-10 17:00:00 UTC",
        "2022-03-10 17:00:00.000001 UTC",
    ];
    assert_eq!(recorded, expected);
}

#[test]
fn a_given_is_a_submission_with_what_the_file_says_for_all() {
    let case = parse(CASE).unwrap();
    let ids = Ids::new(&case, "salt", &given::recorded(&case));
    let of = |index: usize| given::submission(&case, index, &case.given[index], &ids);
    let (one, two) = (of(0), of(1));
    assert_eq!((&one["plan"], &two["plan"]), (&Value::from("la-care"), &Value::from("la-county-dhs")));
    assert_eq!(one["data"]["from"], "2022-02-01");
    assert_eq!(two["occurred_at"], "2022-05-01T09:00:00-07:00");
    assert_eq!(one["member"], two["member"]);
    assert!(Submission::from_value(one).is_ok() && Submission::from_value(two).is_ok());
}

const REFUSED: &str = r#"
id = "R"
plan = "la-care"
county = "los-angeles"
[[given]]
kind = "member_died"
at = "2022-03-01"
data = { on = "2022-03-01" }
[[given]]
kind = "enrolled"
at = "2022-03-04"
data = { enrollment = "e1", program = "hn", basis = "opt_in", channel = "plan_direct", provider = "1234567893", from = "2022-03-04" }
[expect.rejected]
code = "unknown_code"
field = "data.program"
[expect.enrollment]
status = "none"
"#;

#[tokio::test]
async fn the_last_given_is_refused_as_it_says_and_no_other_may_be() {
    assert!(passes(REFUSED).await);
    assert!(!passes(&REFUSED.replace("field = \"data.program\"", "field = \"data.from\"")).await);
    assert!(!passes(&REFUSED.replace("\"hn\"", "\"ecm\"")).await, "it was recorded");
    let first = REFUSED.replace("{ on = \"2022-03-01\" }", "{ on = \"2022-02-30\" }");
    assert_eq!(ran(&first).await.failures[0].line, 5, "the first was refused");
    let unasked = REFUSED.replace("[expect.rejected]\ncode = \"unknown_code\"\nfield = \"data.program\"", "");
    assert!(!passes(&unasked).await, "nobody expected a refusal");
}

#[tokio::test]
async fn what_is_said_before_it_happens_and_what_names_an_event_that_is_not_there_is_refused() {
    let early = REFUSED
        .replace("\"hn\"", "\"ecm\"")
        .replace("at = \"2022-03-04\"", "at = \"2022-03-04\"\nrecorded = \"2022-03-03\"")
        .replace(
            "code = \"unknown_code\"\nfield = \"data.program\"",
            "code = \"future_date\"\nfield = \"occurred_at\"",
        );
    assert!(passes(&early).await);
    let void = REFUSED
        .replace("kind = \"enrolled\"", "kind = \"event_voided\"")
        .replace("enrollment = \"e1\", program = \"hn\", basis = \"opt_in\", channel = \"plan_direct\", provider = \"1234567893\", from = \"2022-03-04\"", "event = \"nobody\", reason = \"a\", approved_by = \"b\"")
        .replace("code = \"unknown_code\"\nfield = \"data.program\"", "code = \"unknown_event\"\nfield = \"data.event\"");
    assert!(passes(&void).await);
}

#[tokio::test]
async fn linked_members_answer_for_one_another_while_the_link_stands() {
    let enrolled = |member: &str, name: &str| {
        format!(
            "[[given]]\nkind = \"enrolled\"\nmember = \"{member}\"\nname = \"{name}\"\nat = \"2022-02-01\"\ndata = {{ enrollment = \"{name}\", program = \"ecm\", basis = \"opt_in\", channel = \"plan_direct\", provider = \"1234567893\", from = \"2022-02-01\" }}\n"
        )
    };
    let text = format!(
        "id = \"L\"\nplan = \"la-care\"\ncounty = \"los-angeles\"\n{}{}\
         [[given]]\nkind = \"member_linked\"\nname = \"link\"\nat = \"2022-03-01\"\ndata = {{ other = \"m2\", reason = \"cin_merged\" }}\n\
         [[given]]\nkind = \"event_voided\"\nat = \"2022-04-01\"\ndata = {{ event = \"$link\", reason = \"a\", approved_by = \"b\" }}\n\
         [[expect.enrollment]]\nmember = \"m2\"\ncount = 2\nknown_at = \"$link\"\n\
         [[expect.enrollment]]\nmember = \"m2\"\ncount = 1\n\
         [[expect.enrollment]]\ncount = 2\n\
         [[expect.conflict]]\nprograms = [\"ecm\", \"ecm\"]\noutcome = \"duplicate_enrollment\"\nknown_at = \"2022-03-15T00:00:00-07:00\"\ncount = 1\n\
         [[expect.conflict]]\nprograms = [\"ecm\", \"ecm\"]\noutcome = \"none\"\n",
        enrolled("m1", "one"),
        enrolled("m2", "two"),
    );
    let failures = ran(&text).await.failures;
    assert!(failures.is_empty(), "{failures:#?}");
}

#[tokio::test]
async fn a_rulebook_of_its_own_is_in_force_from_the_first_fact_on() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("rulebooks")).unwrap();
    std::fs::write(folder.path().join("rulebooks/mail.toml"), "outreach.mail_counts = true\n").unwrap();
    let text = "id = \"M\"\nplan = \"la-care\"\ncounty = \"los-angeles\"\nrulebook = \"rulebooks/mail.toml\"\n\
        [[given]]\nkind = \"outreach_attempted\"\nat = \"2022-02-01\"\n\
        data = { program = \"ecm\", channel = \"mail\", individualized = true, response_invited = true, reached = \"nobody\", staff = \"clinical\", provider = \"1234567893\" }\n\
        [expect.outreach]\nprogram = \"ecm\"\nattempts = 1\n";
    let mut way = Pure::new().unwrap();
    for (name, text, failed) in [
        ("with.toml", text.to_owned(), 0),
        ("without.toml", text.replace("rulebook = \"rulebooks/mail.toml\"\n", ""), 1),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        let verdict = run(&Case::read(&file).unwrap(), &mut way).await.unwrap();
        assert_eq!(verdict.failures.len(), failed, "{name}: {:#?}", verdict.failures);
    }
}

#[tokio::test]
async fn requests_are_reported_by_the_pacific_day_they_were_received_on() {
    let text = "id = \"E-9\"\nplan = \"la-care\"\ncounty = \"los-angeles\"\n\
        [[given]]\nkind = \"authorization_requested\"\nat = \"2026-07-01T05:30:00Z\"\n\
        data = { authorization = \"a1\", program = \"ecm\", urgency = \"standard\", received_at = \"2026-07-01T05:30:00Z\", requested_by = \"member\" }\n\
        [[expect.report]]\nreport = \"authorization_requests\"\nperiod = \"2026-Q2\"\ncount = 1\n\
        [[expect.report]]\nreport = \"authorization_requests\"\nperiod = \"2026-Q3\"\ncount = 0\n";
    assert!(passes(text).await);
    assert!(!passes(&text.replace("2026-Q3\"\ncount = 0", "2026-Q3\"\ncount = 1")).await);
    let unknown = ran(&text.replace("authorization_requests", "request")).await;
    assert_eq!(unknown.failures[0].why, "this build has no report `request`");
}

#[tokio::test]
async fn a_file_for_a_plan_is_the_same_as_known_then_however_often_it_is_written() {
    let attempt = |name: &str, day: &str| {
        format!(
            "[[given]]\nkind = \"outreach_attempted\"\nname = \"{name}\"\nat = \"{day}\"\n\
             data = {{ program = \"ecm\", channel = \"phone\", live_staff = true, reached = \"nobody\", staff = \"clinical\", provider = \"1234567893\" }}\n"
        )
    };
    let text = format!(
        "id = \"X\"\nplan = \"la-care\"\ncounty = \"los-angeles\"\n\
         [[given]]\nkind = \"member_identified\"\nat = \"2022-02-01\"\ndata = {{ program = \"ecm\", populations = [\"homelessness\"], pathway = \"plan_data\" }}\n{}{}\
         [[expect.export]]\nprofile = \"outreach-tracker\"\nmonth = \"2022-02\"\nrows = 2\n\
         [[expect.export]]\nprofile = \"outreach-tracker\"\nmonth = \"2022-02\"\nrows = 1\nknown_at = \"$one\"\nidentical_to = \"2022-02-09T23:00:00-08:00\"\n",
        attempt("one", "2022-02-03"),
        attempt("two", "2022-02-10"),
    );
    let failures = ran(&text).await.failures;
    assert!(failures.is_empty(), "{failures:#?}");
    let later = text.replace("2022-02-09T23:00:00-08:00", "$two");
    assert_eq!(ran(&later).await.failures[0].why, "the two are not identical");
}

#[tokio::test]
async fn what_follows_from_a_fact_is_known_with_it() {
    let text = "id = \"NOA-3\"\nplan = \"la-care\"\ncounty = \"los-angeles\"\n\
        [[given]]\nkind = \"referral_received\"\nname = \"request\"\nat = \"2022-03-01\"\n\
        data = { referral = \"r1\", program = \"ecm\", pathway = \"self\", requested_by = \"member\" }\n\
        [[given]]\nkind = \"authorization_decided\"\nname = \"denial\"\nat = \"2022-03-04\"\n\
        data = { authorization = \"a1\", program = \"ecm\", outcome = \"denied\", decided_at = \"2022-03-04T10:00:00-08:00\", reasons = [\"no_population_of_focus\"] }\n\
        [[expect.notice]]\nprogram = \"ecm\"\noutcome = \"required\"\nnotice = \"denial\"\ncount = 1\nknown_at = \"$denial\"\n\
        [[expect.notice]]\nprogram = \"ecm\"\noutcome = \"none\"\nknown_at = \"$request\"\n";
    let failures = ran(text).await.failures;
    assert!(failures.is_empty(), "{failures:#?}");
}
