//! Benefits and services a person can take part in. Never a bare `HN`: it means housing navigation in Los Angeles and
//! health network in Orange County (domain rules CON-15).

use crate::string_type::codes;

codes! {
    /// A program.
    Program {
        /// Enhanced Care Management.
        Ecm = "ecm",
        /// Housing Transition Navigation Services.
        HousingNavigation = "housing_navigation",
        /// Housing Deposits.
        HousingDeposit = "housing_deposit",
        /// Housing Tenancy and Sustaining Services.
        TenancySustaining = "tenancy_sustaining",
        /// Short-Term Post-Hospitalization Housing.
        PostHospitalizationHousing = "post_hospitalization_housing",
        /// Recuperative Care (Medical Respite).
        RecuperativeCare = "recuperative_care",
        /// Respite Services.
        Respite = "respite",
        /// Day Habilitation Programs.
        DayHabilitation = "day_habilitation",
        /// Assisted Living Facility Transitions.
        AssistedLivingTransition = "assisted_living_transition",
        /// Community or Home Transition Services.
        HomeTransition = "home_transition",
        /// Personal Care and Homemaker Services.
        PersonalCare = "personal_care",
        /// Environmental Accessibility Adaptations.
        HomeModification = "home_modification",
        /// Medically Tailored Meals / Medically Supportive Food.
        TailoredMeals = "tailored_meals",
        /// Sobering Centers.
        SoberingCenter = "sobering_center",
        /// Asthma Remediation.
        AsthmaRemediation = "asthma_remediation",
        /// Transitional Rent.
        TransitionalRent = "transitional_rent",
        /// County ICMS, Housing for Health.
        IcmsHfh = "icms_hfh",
        /// County ICMS, Office of Diversion and Reentry.
        IcmsOdr = "icms_odr",
        /// Whole Person Care.
        Wpc = "wpc",
        /// Health Homes Program.
        Hhp = "hhp",
        /// Specialty mental health targeted case management.
        SmhsTcm = "smhs_tcm",
        /// Transitional Care Services.
        TransitionalCare = "transitional_care",
        /// Community Health Worker services.
        Chw = "chw",
        /// Managed care basic case management.
        BasicCaseManagement = "basic_case_management",
        /// Managed care complex case management.
        ComplexCaseManagement = "complex_case_management",
        /// Basic Population Health Management.
        BasicPopulationHealth = "basic_population_health",
        /// Multipurpose Senior Services Program.
        Mssp = "mssp",
        /// Assisted Living Waiver.
        Alw = "alw",
        /// Home and Community-Based Alternatives Waiver.
        Hcba = "hcba",
        /// HIV/AIDS Waiver.
        HivAidsWaiver = "hiv_aids_waiver",
        /// HCBS Waiver for Individuals with Developmental Disabilities.
        HcbsDd = "hcbs_dd",
        /// Self-Determination Program.
        SelfDetermination = "self_determination",
        /// Any other 1915(c) waiver.
        Other1915cWaiver = "other_1915c_waiver",
        /// California Community Transitions.
        Cct = "cct",
        /// Program of All-Inclusive Care for the Elderly.
        Pace = "pace",
        /// Hospice.
        Hospice = "hospice",
    }
}

impl Program {
    /// What kind of program it is: all that an organization is told of another one's. A single program may tell a diagnosis.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Ecm => "ecm",
            Self::HousingNavigation
            | Self::HousingDeposit
            | Self::TenancySustaining
            | Self::PostHospitalizationHousing
            | Self::RecuperativeCare
            | Self::Respite
            | Self::DayHabilitation
            | Self::AssistedLivingTransition
            | Self::HomeTransition
            | Self::PersonalCare
            | Self::HomeModification
            | Self::TailoredMeals
            | Self::SoberingCenter
            | Self::AsthmaRemediation
            | Self::TransitionalRent => "community_support",
            Self::IcmsHfh | Self::IcmsOdr => "county_program",
            Self::Wpc | Self::Hhp => "predecessor",
            Self::SmhsTcm | Self::TransitionalCare | Self::Chw => "coordination",
            Self::BasicCaseManagement | Self::ComplexCaseManagement | Self::BasicPopulationHealth => "care_management",
            Self::Mssp
            | Self::Alw
            | Self::Hcba
            | Self::HivAidsWaiver
            | Self::HcbsDd
            | Self::SelfDetermination
            | Self::Other1915cWaiver
            | Self::Cct => "waiver",
            Self::Pace | Self::Hospice => "exclusionary",
        }
    }
}
