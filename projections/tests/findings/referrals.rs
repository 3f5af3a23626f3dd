//! Closed-loop referrals.

use serde_json::json;

use crate::facts::{Facts, id};
use crate::finds;

fn referred(facts: Facts, name: &str, program: &str, at: &str) -> Facts {
    let data = json!({ "referral": id(name), "program": program, "pathway": "community", "requested_by": "provider" });
    facts.tell(at, "referral_received", data)
}

fn updated(facts: Facts, name: &str, at: &str, status: &str, closure: Option<&str>) -> Facts {
    let mut data = json!({ "referral": id(name), "status": status });
    if let Some(closure) = closure {
        data["closure"] = closure.into();
    }
    facts.tell(at, "referral_updated", data)
}

fn referral() -> Facts {
    referred(Facts::default(), "r", "ecm", "2025-08-04")
}

const OPEN: &[&str] = &["CLK-21 ecm 2025-08-04 -"];

#[test]
fn a_referral_is_open_until_its_loop_is_closed() {
    finds(&referral(), "referral_open", OPEN);
    for status in ["pending", "accepted", "declined", "outreach_initiated"] {
        finds(&updated(referral(), "r", "2025-08-06", status, None), "referral_open", OPEN);
    }
    let closed = updated(referral(), "r", "2025-09-02", "closed", Some("services_received"));
    finds(&closed, "referral_open", &[]);
    finds(&closed, "incomplete", &[]);
    // Another referral's loop is another's; one taken up again is open again.
    finds(&updated(referral(), "other", "2025-09-02", "closed", Some("x")), "referral_open", OPEN);
    finds(&updated(closed, "r", "2025-09-10", "accepted", None), "referral_open", OPEN);
}

#[test]
fn a_loop_is_closed_with_a_reason() {
    let closed = updated(referral(), "r", "2025-09-02", "closed", None);
    finds(&closed, "incomplete", &["CLK-21 ecm 2025-09-02 -"]);
    finds(&closed, "referral_open", &[]);
    finds(&updated(closed, "r", "2025-09-03", "closed", Some("other")), "incomplete", &[]);
}

#[test]
fn from_july_2025_and_not_for_sobering_centers() {
    let on = |at| referred(Facts::default(), "r", "ecm", at);
    finds(&on("2025-06-30"), "referral_open", &[]);
    finds(&on("2025-07-01"), "referral_open", &["CLK-21 ecm 2025-07-01 -"]);
    let sobering = referred(Facts::default(), "r", "sobering_center", "2025-08-04");
    finds(&sobering, "referral_open", &[]);
    finds(&updated(sobering, "r", "2025-08-05", "closed", None), "incomplete", &[]);
    let care = referred(Facts::default(), "r", "recuperative_care", "2025-08-04");
    finds(&care, "referral_open", &["CLK-21 recuperative_care 2025-08-04 -"]);
    // Received again, it is the same referral, as of the last word.
    finds(&referred(referral(), "r", "ecm", "2025-08-10"), "referral_open", &["CLK-21 ecm 2025-08-10 -"]);
    finds(
        &referred(referral(), "s", "ecm", "2025-08-10"),
        "referral_open",
        &["CLK-21 ecm 2025-08-04 -", "CLK-21 ecm 2025-08-10 -"],
    );
}
