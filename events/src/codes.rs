//! The smaller code lists of the payloads, and their bounded texts.

use std::fmt;
use std::str::FromStr;

use crate::string_type::{codes, string_type};

macro_rules! lists {
    ($($(#[$meta:meta])* $name:ident: $($variant:ident = $code:literal)+;)+) => { $(codes! { $(#[$meta])* $name { $($variant = $code),+ } })+ };
}

lists! {
    /// Why two pseudonyms are one person.
    LinkReason: CinMerged = "cin_merged" DuplicateRecord = "duplicate_record";
    /// How Medi-Cal covers the member.
    MediCal: ManagedCare = "managed_care" FeeForService = "fee_for_service" Inactive = "inactive";
    /// Which Medicare product the member has.
    Medicare: None = "none" Ffs = "ffs" DSnp = "d_snp" DSnpLookalike = "d_snp_lookalike"
        OtherMedicareAdvantage = "other_medicare_advantage" CalMediconnect = "cal_mediconnect" FideSnp = "fide_snp";
    /// Who delivers and bills: the plan's own provider, or the county under a subcontract (CON-3).
    Channel: PlanDirect = "plan_direct" DhsSubcontract = "dhs_subcontract";
    /// How sure a report of another program is; `suspected` never overlaps anything (DUP-11).
    Evidence: Verified = "verified" Suspected = "suspected" RuledOut = "ruled_out";
    /// How a member came onto the list.
    IdentificationPathway: PlanData = "plan_data" TransitionList = "transition_list" AssignedList = "assigned_list" Referral = "referral";
    /// How a referral came in (AUTH-2).
    ReferralPathway: Plan = "plan" Provider = "provider" Community = "community" Self_ = "self" Family = "family" Preauthorization = "preauthorization";
    /// Who explicitly asked for the service, if anybody (NOA-1).
    RequestedBy: Member = "member" Provider = "provider" Nobody = "nobody";
    /// Where a referral stands.
    ReferralStatus: Pending = "pending" Accepted = "accepted" Declined = "declined" OutreachInitiated = "outreach_initiated" Closed = "closed";
    /// How urgent a request is.
    Urgency: Standard = "standard" Expedited = "expedited" Retrospective = "retrospective";
    /// What was decided on a request.
    AuthorizationOutcome: Approved = "approved" Modified = "modified" Denied = "denied" Deferred = "deferred";
    /// Why a request was not granted as asked.
    AuthorizationReason: NoPopulationOfFocus = "no_population_of_focus" DefinitionNotMet = "definition_not_met"
        NotMedicallyAppropriate = "not_medically_appropriate" NotCostEffective = "not_cost_effective"
        DocumentationMissing = "documentation_missing" LifetimeLimit = "lifetime_limit" Coverage = "coverage"
        ExcludedProgram = "excluded_program" NotOffered = "not_offered" InformationMissing = "information_missing" Other = "other";
    /// Who reviewed a request.
    Reviewer: Human = "human" Automated = "automated";
    /// How somebody was tried to be reached.
    OutreachChannel: InPerson = "in_person" Phone = "phone" Text = "text" Email = "email" Mail = "mail" Portal = "portal" Robocall = "robocall";
    /// Who was reached.
    Reached: Member = "member" Guardian = "guardian" Representative = "representative" OtherPerson = "other_person"
        WrongNumber = "wrong_number" Undeliverable = "undeliverable" Nobody = "nobody";
    /// The class of staff, which picks the billing code.
    Staff: Clinical = "clinical" NonClinical = "non_clinical";
    /// On what an enrollment rests (CON-5).
    Basis: OptIn = "opt_in" GrandfatheredWpc = "grandfathered_wpc" GrandfatheredHhp = "grandfathered_hhp"
        AutoDhsMatch = "auto_dhs_match" Presumptive = "presumptive";
    /// Who decided for the member.
    DecidedBy: Member = "member" Guardian = "guardian" Representative = "representative";
    /// Who agreed to a disenrollment.
    Party: Plan = "plan" Provider = "provider";
    /// Why an enrollment ended; `unknown` is never turned into `other`.
    DisenrollmentReason: GoalsMet = "goals_met" LowerLevelOfCare = "lower_level_of_care" NoLongerWishes = "no_longer_wishes"
        Unresponsive = "unresponsive" UnableToContact = "unable_to_contact" ExcludedProgram = "excluded_program"
        ChoseOtherProgram = "chose_other_program" CoverageLost = "coverage_lost" PlanChanged = "plan_changed"
        MovedOutOfCounty = "moved_out_of_county" MovedOutOfCountry = "moved_out_of_country" Incarcerated = "incarcerated"
        UnsafeEnvironment = "unsafe_environment" NotReauthorized = "not_reauthorized" ProviderChanged = "provider_changed"
        Died = "died" DayLimit = "day_limit" OfferingWithdrawn = "offering_withdrawn" Unknown = "unknown" Other = "other";
    /// What a reassessment came to.
    ReassessmentOutcome: Continue = "continue" StepDown = "step_down" Discontinue = "discontinue" NotReached = "not_reached";
    /// Whether a notice is required.
    NoticeOutcome: Required = "required" NotRequired = "not_required" Review = "review";
    /// What a notice is about.
    NoticeKind: Denial = "denial" Modification = "modification" Deferral = "deferral" Discontinuation = "discontinuation" AvailabilityChange = "availability_change";
    /// How an appeal ended.
    AppealOutcome: Upheld = "upheld" Overturned = "overturned" Withdrawn = "withdrawn";
}

/// A text that is empty, too long, or holds a control character.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to {longest} characters, none of them a control character")]
pub struct BadText {
    longest: usize,
}

macro_rules! bounded_text {
    ($(#[$meta:meta])* $name:ident, $longest:literal, $newlines:literal, $pattern:literal) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            /// The text itself.
            pub fn as_str(&self) -> &str { &self.0 }
        }

        impl FromStr for $name {
            type Err = BadText;
            fn from_str(text: &str) -> Result<Self, BadText> {
                let allowed = |c: char| !c.is_control() || ($newlines && matches!(c, '\n' | '\r' | '\t'));
                let count = text.chars().count();
                if count == 0 || count > $longest || !text.chars().all(allowed) { return Err(BadText { longest: $longest }); }
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(&self.0) }
        }

        string_type!($name, "malformed", "a bounded text", $pattern);
    };
}

bounded_text! {
    /// A code, key or few words of a list that is not closed.
    Key, 100, false, "^.{1,100}$"
}
bounded_text! {
    /// A free text of staff; it may speak of a person, so it prints `[phi]`.
    Text, 4000, true, r"^[\s\S]{1,4000}$"
}
bounded_text! {
    /// The whole text of a rulebook, TOML.
    RulebookText, 200_000, true, r"^[\s\S]+$"
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[phi]")
    }
}

impl fmt::Debug for RulebookText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} characters]", self.0.len())
    }
}

/// A calendar month, `2024-07`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Month {
    year: u16,
    month: u8,
}

/// Not a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a month, as in 2024-07")]
pub struct BadMonth;

impl FromStr for Month {
    type Err = BadMonth;
    fn from_str(text: &str) -> Result<Self, BadMonth> {
        // A month is read as its first day, so that what is no date is no month.
        let day: crate::time::Day = format!("{text}-01").parse().map_err(|_| BadMonth)?;
        let year = u16::try_from(chrono::Datelike::year(&day.0)).map_err(|_| BadMonth)?;
        let month = u8::try_from(chrono::Datelike::month(&day.0)).map_err(|_| BadMonth)?;
        Ok(Self { year, month })
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

string_type!(Month, "bad_date", "a calendar month", r"^\d{4}-\d{2}$");
