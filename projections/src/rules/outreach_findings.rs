//! Outreach that a reader must look at: what a plan's rules leave uncounted, and what lies past its cap (E-11).

use super::facts::Facts;
use super::finding::{Finding, evidence};
use crate::outreach_episodes::Try;

/// OUT-1, OUT-2, B3-27: letters, messages that never arrived, and attempts past the cap. All of them stay on record.
pub fn attempts_to_look_at<'a>(facts: &Facts<'a>) -> Vec<Finding<'a>> {
    let episodes = facts.episodes();
    let tries = episodes.iter().flat_map(|episode| episode.tries.iter().map(move |one| (episode.program, one)));
    let found = tries.filter_map(|(program, one)| {
        let (code, rule) = matter(one)?;
        let (of, from, until) = (one.by, one.day(), one.day().succ_opt());
        let (about, because) = (of.id.to_string(), evidence([of]));
        Some(Finding { code, rule, of, program: Some(program), about, from, until, because })
    });
    found.collect()
}

fn matter(one: &Try<'_>) -> Option<(&'static str, &'static str)> {
    match one.reason {
        None if one.is_over_cap => Some(("cap_reached", "OUT-21")),
        Some("mail_not_counted") => Some(("mail_not_counted", "OUT-2")),
        Some("undeliverable_not_counted") => Some(("undeliverable_not_counted", "OUT-1")),
        None | Some(_) => None,
    }
}
