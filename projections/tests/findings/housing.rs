//! HD-1, and the county's channel.

use serde_json::json;

use crate::facts::{Facts, id};
use crate::finds;

fn approved(facts: Facts, name: &str, program: &str, outcome: &str, days: (Option<&str>, Option<&str>)) -> Facts {
    let at = "2021-12-20T09:00:00-08:00";
    let mut data = json!({ "authorization": id(name), "program": program, "outcome": outcome, "decided_at": at });
    for (key, day) in [("from", days.0), ("until", days.1)] {
        if let Some(day) = day {
            data[key] = day.into();
        }
    }
    facts.tell(at, "authorization_decided", data)
}

fn billed(facts: Facts, units: u32) -> Facts {
    let data = json!({
        "program": "housing_deposit", "month": "2022-04", "units": units, "outreach_units": 0, "provider": "x1",
    });
    facts.tell("2022-04-20", "units_recorded", data)
}

const NOT_OWN: &[&str] = &["HD-1 housing_deposit 2022-04-01 2022-05-01"];

#[test]
fn a_deposit_needs_its_own_authorization() {
    let navigation = approved(Facts::default(), "n", "housing_navigation", "approved", (Some("2022-03-01"), None));
    // B6-07, B6-08
    finds(&billed(navigation.clone(), 1), "unauthorized_service", NOT_OWN);
    finds(&billed(navigation.clone(), 0), "unauthorized_service", &[]);
    let own =
        |outcome, from, until| billed(approved(navigation.clone(), "d", "housing_deposit", outcome, (from, until)), 1);
    finds(&own("approved", Some("2022-04-06"), Some("2022-07-06")), "unauthorized_service", &[]);
    finds(&own("modified", Some("2022-04-06"), None), "unauthorized_service", &[]);
    finds(&own("approved", None, None), "unauthorized_service", &[]);
    finds(&own("denied", Some("2022-04-06"), None), "unauthorized_service", NOT_OWN);
    finds(&own("deferred", Some("2022-04-06"), None), "unauthorized_service", NOT_OWN);
    // In force on some day of the month.
    finds(&own("approved", Some("2022-04-30"), None), "unauthorized_service", &[]);
    finds(&own("approved", Some("2022-05-01"), None), "unauthorized_service", NOT_OWN);
    finds(&own("approved", Some("2022-01-01"), Some("2022-04-01")), "unauthorized_service", NOT_OWN);
    finds(&own("approved", None, Some("2022-04-02")), "unauthorized_service", &[]);
}

#[test]
fn the_last_word_on_an_authorization_of_ones_own_plan_counts() {
    let facts = approved(Facts::default(), "d", "housing_deposit", "approved", (None, None));
    finds(
        &billed(approved(facts.clone(), "x", "housing_deposit", "denied", (None, None)), 1),
        "unauthorized_service",
        &[],
    );
    let at = "2022-04-06T09:00:00-07:00";
    let data = json!({ "authorization": id("d"), "program": "housing_deposit", "outcome": "denied", "decided_at": at });
    finds(&billed(facts.tell(at, "authorization_decided", data), 1), "unauthorized_service", NOT_OWN);
    let data =
        json!({ "authorization": id("d"), "program": "housing_deposit", "outcome": "approved", "decided_at": at });
    let other = Facts::default().tell_of("molina", at, "authorization_decided", data);
    finds(&billed(other, 1), "unauthorized_service", NOT_OWN);
}

#[test]
fn a_deposit_that_somebody_is_enrolled_in() {
    let enrolled = |facts: Facts| facts.enrolled("d", "housing_deposit", "2022-04-10");
    finds(&enrolled(Facts::default()), "unauthorized_service", &["HD-1 housing_deposit 2022-04-10 -"]);
    let under = |days| enrolled(approved(Facts::default(), "a", "housing_deposit", "approved", days));
    finds(&under((Some("2022-04-10"), Some("2022-04-11"))), "unauthorized_service", &[]);
    // Begun before the authorization does, or on the day it no longer holds.
    finds(&under((Some("2022-04-11"), None)), "unauthorized_service", &["HD-1 housing_deposit 2022-04-10 -"]);
    finds(&under((None, Some("2022-04-10"))), "unauthorized_service", &["HD-1 housing_deposit 2022-04-10 -"]);
    // Other services need none that the ledger must know of.
    finds(&Facts::default().enrolled("h", "housing_navigation", "2022-04-10"), "unauthorized_service", &[]);
}

fn enrolled(facts: Facts, basis: &str, channel: &str, program: &str) -> Facts {
    let data = json!({
        "enrollment": id("h"), "program": program, "basis": basis, "channel": channel, "provider": "x1",
        "from": "2022-05-01",
    });
    facts.tell("2022-05-01", "enrolled", data)
}

#[test]
fn the_countys_channel_is_for_its_own_clients() {
    let county = |facts| enrolled(facts, "opt_in", "dhs_subcontract", "housing_navigation");
    let client = |from, until| Facts::default().takes_part("icms_hfh", from, until);
    // DUP-5
    finds(&county(Facts::default()), "wrong_channel", &["DUP-5 housing_navigation 2022-05-01 -"]);
    finds(&county(client("2022-05-01", None)), "wrong_channel", &[]);
    finds(&county(Facts::default().takes_part("icms_odr", "2022-01-01", None)), "wrong_channel", &[]);
    finds(
        &county(Facts::default().takes_part("wpc", "2022-01-01", None)),
        "wrong_channel",
        &["DUP-5 housing_navigation 2022-05-01 -"],
    );
    // Only on the days on which nobody is its client.
    finds(
        &county(client("2022-01-01", Some("2022-06-01"))),
        "wrong_channel",
        &["DUP-5 housing_navigation 2022-06-01 -"],
    );
    finds(&county(client("2022-05-03", None)), "wrong_channel", &["DUP-5 housing_navigation 2022-05-01 2022-05-03"]);
    let again = client("2022-01-01", Some("2022-06-01")).takes_part("icms_odr", "2022-06-01", None);
    finds(&county(again), "wrong_channel", &[]);
    // What the rule does not speak of.
    let meals = enrolled(Facts::default(), "opt_in", "dhs_subcontract", "tailored_meals");
    finds(&meals, "wrong_channel", &[]);
    let tenancy = enrolled(Facts::default(), "opt_in", "dhs_subcontract", "tenancy_sustaining");
    finds(&tenancy, "wrong_channel", &["DUP-5 tenancy_sustaining 2022-05-01 -"]);
}

#[test]
fn whom_the_county_brought_is_served_through_the_county() {
    let direct = |facts, basis| enrolled(facts, basis, "plan_direct", "housing_navigation");
    let client = || Facts::default().takes_part("icms_hfh", "2021-01-01", None);
    // CON-5
    finds(&direct(client(), "auto_dhs_match"), "wrong_channel", &["CON-5 housing_navigation 2022-05-01 -"]);
    // GF-6
    finds(&direct(client(), "grandfathered_wpc"), "wrong_channel", &["GF-6 housing_navigation 2022-05-01 -"]);
    finds(&direct(Facts::default(), "grandfathered_wpc"), "wrong_channel", &[]);
    let left = Facts::default().takes_part("icms_hfh", "2021-01-01", Some("2022-05-01"));
    finds(&direct(left, "grandfathered_wpc"), "wrong_channel", &[]);
    // Through the plan's own provider whoever asked for it: a conflict of DUP-3, and nothing wrong with the channel.
    for basis in ["opt_in", "grandfathered_hhp", "presumptive"] {
        finds(&direct(client(), basis), "wrong_channel", &[]);
    }
}
