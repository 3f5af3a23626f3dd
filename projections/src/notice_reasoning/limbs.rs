//! The limbs of a determination in words, each with the rule it is of, and what follows from them.

use rollbook_events::codes::NoticeOutcome;
use rollbook_events::families::notice::NoticeDetermined;

use super::happened::words;
use crate::catalogue;

/// One limb of a determination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limb {
    /// Its code.
    pub limb: String,
    /// In words.
    pub says: String,
    /// The rule it is of.
    pub rule: String,
    /// Where that is written; none for a rule the catalogue does not know.
    pub cite: Option<String>,
}

impl Limb {
    /// Words, rule and citation in one.
    pub(super) fn sentence(&self) -> String {
        let cite = self.cite.as_ref().map(|cite| format!(": {cite}")).unwrap_or_default();
        format!("{} ({}{cite})", self.says, self.rule)
    }
}

/// Limbs of NOA-1 itself, whichever rule decided in the end: service that ends, or a request that was not granted.
const GROUNDS: [&str; 2] = ["services_discontinued", "request_not_granted"];
const TWO_GROUNDS: &str = "NOA-1";

/// What each limb says. What is not of NOA-1 is of the rule that decided.
const SAYS: &[(&str, &str)] = &[
    ("services_discontinued", "Services that were in place are being ended."),
    ("request_not_granted", "The member or the provider asked outright, and was not granted what was asked."),
    ("never_started", "The service was authorized, and nothing on record shows that it ever began."),
    ("died", "The member has died."),
    ("coverage_lost", "The member's Medi-Cal has ended."),
    ("plan_changed", "The member has gone to another plan."),
    ("offering_withdrawn", "The plan no longer offers the service."),
    ("service_continues", "The same plan goes on with the program without a gap, so that nothing is ended."),
    ("not_requested", "Neither the member nor a provider had asked outright, and no service in place was ended."),
    ("granted", "What was asked for was granted."),
    ("request_unknown", "A decision is on record and no request, so that nobody knows who asked, if anybody did."),
    ("declined", "The member, or somebody for them, declined before any enrollment, which takes back what was asked."),
    ("trigger_voided", "The event that raised the question was voided, so that there is nothing to give notice of."),
    ("overtaken", "Later facts overtook the event that raised the question."),
];

/// The limbs of a determination.
pub(super) fn limbs(told: &NoticeDetermined) -> Vec<Limb> {
    let limb = |code: &str| {
        let says = SAYS.iter().find(|(limb, _)| *limb == code).map(|(_, says)| (*says).to_owned());
        let rule = if GROUNDS.contains(&code) { TWO_GROUNDS } else { told.rule.as_str() };
        Limb {
            limb: code.to_owned(),
            says: says.unwrap_or_else(|| format!("The limb is {}.", words(code))),
            rule: rule.to_owned(),
            cite: catalogue::cite(rule),
        }
    };
    told.limbs.iter().map(|code| limb(code.as_str())).collect()
}

/// The limbs as a list of words.
pub(super) fn listed(told: &NoticeDetermined) -> String {
    told.limbs.iter().map(|code| words(code.as_str())).collect::<Vec<_>>().join(", ")
}

/// What follows where none is required, or nobody but the plan can say.
pub(super) fn conclusion(told: &NoticeDetermined) -> Option<String> {
    let grounds: Vec<&str> =
        told.limbs.iter().map(|limb| limb.as_str()).filter(|limb| GROUNDS.contains(limb)).collect();
    match told.outcome {
        NoticeOutcome::Required => None,
        NoticeOutcome::NotRequired if grounds.is_empty() => Some(
            "None of the two grounds for a notice holds: no service in place is ended, and no outright request is left \
             ungranted (NOA-1)."
                .to_owned(),
        ),
        NoticeOutcome::NotRequired => Some(
            "A ground for a notice holds, and the plan's own part of the rulebook says for this cause that none is \
             required."
                .to_owned(),
        ),
        NoticeOutcome::Review => {
            Some("The rule does not settle this case: the plan's compliance and legal staff decide (NOA-7).".to_owned())
        }
    }
}
