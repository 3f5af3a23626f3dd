//! One thing that bears on an answer.

use rollbook_events::Envelope;

/// Whether a member may have a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The coverage, the age or the criteria rule it out.
    NotEligible,
    /// An exclusionary or duplicative program or product rules it out.
    Exclude,
    /// It is not offered there, or not yet.
    NotOffered,
    /// A request is to be refused.
    Deny,
    /// A person decides.
    Review,
    /// Another program is suspected and not verified.
    Unverified,
    /// The member picks it or another program.
    Choose,
    /// Open, with a duty not to duplicate.
    AllowCoordinated,
    /// Open.
    Allow,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: &'static [Self] = &[
        Self::NotEligible,
        Self::Exclude,
        Self::NotOffered,
        Self::Deny,
        Self::Review,
        Self::Unverified,
        Self::Choose,
        Self::AllowCoordinated,
        Self::Allow,
    ];

    /// The code as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotEligible => "not_eligible",
            Self::Exclude => "exclude",
            Self::NotOffered => "not_offered",
            Self::Deny => "deny",
            Self::Review => "review",
            Self::Unverified => "unverified",
            Self::Choose => "choose",
            Self::AllowCoordinated => "allow_coordinated",
            Self::Allow => "allow",
        }
    }
}

/// Why, as a code of the vocabulary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Medi-Cal is not active.
    MediCalInactive,
    /// Another plan has the member.
    PlanChanged,
    /// Medi-Cal pays for each service, without a plan.
    FeeForService,
    /// Nobody reported any coverage for the day.
    CoverageUnknown,
    /// A program or product that rules it out.
    ExcludedProgram,
    /// Not offered before a later day.
    NotOfferedYet,
    /// Not offered in that county.
    County,
    /// No longer offered.
    OfferingWithdrawn,
    /// The member's age.
    Age,
    /// No Population of Focus is met.
    NoPopulationOfFocus,
    /// The service's definition is not met.
    DefinitionNotMet,
    /// The service is not medically appropriate.
    NotMedicallyAppropriate,
    /// The service is not cost-effective.
    NotCostEffective,
    /// Something must be documented first.
    DocumentationMissing,
    /// A lifetime's limit is used up.
    LifetimeLimit,
    /// The sources contradict each other.
    Disputed,
    /// A program is suspected.
    Suspected,
    /// The member must choose between programs.
    MustChoose,
    /// Carried over from Whole Person Care.
    GrandfatheredWpc,
    /// Carried over from the Health Homes Program.
    GrandfatheredHhp,
    /// Nobody has assessed it.
    NeedsAssessment,
}

impl Reason {
    /// The code as it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MediCalInactive => "medi_cal_inactive",
            Self::PlanChanged => "plan_changed",
            Self::FeeForService => "fee_for_service",
            Self::CoverageUnknown => "coverage_unknown",
            Self::ExcludedProgram => "excluded_program",
            Self::NotOfferedYet => "not_offered_yet",
            Self::County => "county",
            Self::OfferingWithdrawn => "offering_withdrawn",
            Self::Age => "age",
            Self::NoPopulationOfFocus => "no_population_of_focus",
            Self::DefinitionNotMet => "definition_not_met",
            Self::NotMedicallyAppropriate => "not_medically_appropriate",
            Self::NotCostEffective => "not_cost_effective",
            Self::DocumentationMissing => "documentation_missing",
            Self::LifetimeLimit => "lifetime_limit",
            Self::Disputed => "disputed",
            Self::Suspected => "suspected",
            Self::MustChoose => "must_choose",
            Self::GrandfatheredWpc => "grandfathered_wpc",
            Self::GrandfatheredHhp => "grandfathered_hhp",
            Self::NeedsAssessment => "needs_assessment",
        }
    }
}

/// What a limb is about, from what weighs most to what weighs least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Weight {
    /// Coverage.
    Coverage,
    /// Programs and products that rule it out.
    Exclusion,
    /// Whether it is offered.
    Offering,
    /// Age and limits.
    Limit,
    /// Populations and findings: what a member must meet to enter.
    Entry,
    /// What a person must decide.
    Question,
    /// What is only suspected.
    Suspicion,
    /// What the member must choose.
    Choice,
    /// What asks for coordination.
    Coordination,
    /// What speaks for it.
    Open,
}

/// One thing that bears on an answer.
#[derive(Debug)]
pub(super) struct Limb<'a> {
    pub weight: Weight,
    pub outcome: Outcome,
    pub reasons: Vec<Reason>,
    pub rule: Option<&'a str>,
    pub cites: Vec<&'a str>,
    pub because: Vec<&'a Envelope>,
}

impl<'a> Limb<'a> {
    pub fn new(weight: Weight, outcome: Outcome) -> Self {
        Self { weight, outcome, reasons: Vec::new(), rule: None, cites: Vec::new(), because: Vec::new() }
    }

    pub fn reason(mut self, reason: Reason) -> Self {
        self.reasons.push(reason);
        self
    }

    pub fn rule(mut self, rule: &'a str, cite: &'a str) -> Self {
        self.rule = Some(rule);
        self.cites.push(cite);
        self
    }

    pub fn because(mut self, events: impl IntoIterator<Item = &'a Envelope>) -> Self {
        self.because.extend(events);
        self
    }

    /// Whether it says that what a member must meet to enter is not met, or not known to be.
    pub fn is_unmet_entry(&self) -> bool {
        self.weight == Weight::Entry || self.reasons.contains(&Reason::NeedsAssessment)
    }
}
