//! The Populations of Focus of ECM; age groups and go-live dates are the rulebook's.

use crate::string_type::codes;

codes! {
    /// A Population of Focus.
    Population {
        /// Experiencing homelessness.
        Homelessness = "homelessness",
        /// Homeless adults without children, where a plan splits.
        HomelessAdult = "homeless_adult",
        /// Homeless families and unaccompanied youth, where a plan splits.
        HomelessFamily = "homeless_family",
        /// At risk for avoidable hospital or emergency department use.
        AvoidableHospitalUse = "avoidable_hospital_use",
        /// Serious mental health or substance use disorder needs.
        SeriousMentalHealthOrSud = "serious_mental_health_or_sud",
        /// Transitioning from incarceration.
        TransitioningFromIncarceration = "transitioning_from_incarceration",
        /// Living in the community and at risk for long-term care.
        LongTermCareRisk = "long_term_care_risk",
        /// Nursing facility residents transitioning to the community.
        NursingFacilityTransition = "nursing_facility_transition",
        /// California Children's Services with needs beyond the condition.
        Ccs = "ccs",
        /// Involved in child welfare.
        ChildWelfare = "child_welfare",
        /// Birth equity.
        BirthEquity = "birth_equity",
    }
}
