//! Outreach that a reader must look at.

use crate::facts::{Facts, attempt};
use crate::finds;

const WRITTEN: &[&str] = &["individualized", "response_invited"];

fn listed() -> Facts {
    Facts::default().identified("2022-01-05")
}

fn tried(facts: Facts, channel: &str, reached: &str) -> Facts {
    facts.tell("2022-01-10", "outreach_attempted", attempt(channel, WRITTEN, reached))
}

#[test]
fn what_a_plans_rules_leave_uncounted() {
    finds(&tried(listed(), "mail", "nobody"), "mail_not_counted", &["OUT-2 ecm 2022-01-10 2022-01-11"]);
    finds(&tried(listed(), "email", "nobody"), "mail_not_counted", &[]);
    let twice = tried(tried(listed(), "mail", "nobody"), "mail", "nobody");
    finds(&twice, "mail_not_counted", &["OUT-2 ecm 2022-01-10 2022-01-11"; 2]);
    let undeliverable = "undeliverable_not_counted";
    finds(&tried(listed(), "email", "undeliverable"), undeliverable, &["OUT-1 ecm 2022-01-10 2022-01-11"]);
    finds(&tried(listed(), "email", "nobody"), undeliverable, &[]);
    let counted = tried(tried(listed(), "mail", "nobody"), "email", "undeliverable");
    let overlay = "[outreach]\nmail_counts = true\nundeliverable_counts = true\n";
    assert!(counted.told_laid(overlay, "finding", &["code"]).is_empty());
    // A letter to somebody who is enrolled is no outreach.
    let enrolled = tried(listed().enrolled("e", "ecm", "2022-01-06"), "mail", "nobody");
    assert!(enrolled.told("finding", &["code"]).is_empty());
    // Marketing is nothing to look at.
    let message = listed().tell("2022-01-10", "outreach_attempted", attempt("email", &[], "nobody"));
    assert!(message.told("finding", &["code"]).is_empty());
}

#[test]
fn what_lies_past_a_plans_cap() {
    // B3-27
    let found = |facts: &Facts| facts.told_laid("[outreach]\ncap = 2\n", "finding", &["code", "rule", "from_on"]);
    let facts = listed().called("2022-01-10", "nobody").called("2022-01-11", "nobody");
    assert!(found(&facts).is_empty());
    let facts = facts.called("2022-01-12", "nobody");
    assert_eq!(found(&facts), ["cap_reached OUT-21 2022-01-12"]);
    // What does not count is not over anything, and each attempt past the cap is one matter.
    let facts = tried(facts, "mail", "nobody").called("2022-01-13", "member");
    let expected =
        ["cap_reached OUT-21 2022-01-12", "cap_reached OUT-21 2022-01-13", "mail_not_counted OUT-2 2022-01-10"];
    assert_eq!(found(&facts), expected);
    finds(&facts, "cap_reached", &[]);
}
