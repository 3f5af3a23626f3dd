//! Who acts in the sample county: plans, provider organizations, programs and populations, all obviously made up.

use rand::Rng;

use super::calendar::Month;

/// A Medi-Cal managed care plan of the county.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Plan {
    /// Anthem Blue Cross.
    Anthem,
    /// Health Net.
    HealthNet,
    /// L.A. Care Health Plan.
    LaCare,
    /// Molina Healthcare.
    Molina,
}

impl Plan {
    /// Every plan, in the order of their codes.
    pub const ALL: [Self; 4] = [Self::Anthem, Self::HealthNet, Self::LaCare, Self::Molina];

    /// The code the ledger and the files know the plan by.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Anthem => "anthem",
            Self::HealthNet => "health-net",
            Self::LaCare => "la-care",
            Self::Molina => "molina",
        }
    }

    /// The name the plan writes on its files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Anthem => "Anthem Blue Cross",
            Self::HealthNet => "Health Net",
            Self::LaCare => "L.A. Care Health Plan",
            Self::Molina => "Molina Healthcare",
        }
    }

    /// Of a hundred members, how many are in this plan.
    const fn share(self) -> u32 {
        match self {
            Self::Anthem => 20,
            Self::HealthNet => 25,
            Self::LaCare => 45,
            Self::Molina => 10,
        }
    }

    /// The months whose outreach tracker the plan sends a second time, with the rows that came late.
    pub fn resent_trackers(self) -> &'static [Month] {
        const ANTHEM: &[Month] = &[Month::new(2024, 12)];
        const HEALTH_NET: &[Month] = &[Month::new(2024, 9), Month::new(2025, 3)];
        const LA_CARE: &[Month] = &[Month::new(2024, 10), Month::new(2025, 2)];
        const MOLINA: &[Month] = &[Month::new(2025, 1)];
        match self {
            Self::Anthem => ANTHEM,
            Self::HealthNet => HEALTH_NET,
            Self::LaCare => LA_CARE,
            Self::Molina => MOLINA,
        }
    }

    /// A plan drawn by size.
    pub fn drawn(rng: &mut impl Rng) -> Self {
        let mut ticket = rng.random_range(0..100_u32);
        for plan in Self::ALL {
            if ticket < plan.share() {
                return plan;
            }
            ticket -= plan.share();
        }
        Self::LaCare
    }

    /// A plan drawn by size that is not this one.
    pub fn another(self, rng: &mut impl Rng) -> Self {
        loop {
            let plan = Self::drawn(rng);
            if plan != self {
                return plan;
            }
        }
    }
}

/// The code of the county agency that reports its own intensive case management clients.
pub const COUNTY_AGENCY: &str = "la-county-dhs";

/// An organization that does outreach and ECM, or a Community Support.
#[derive(Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its name on the files.
    pub name: &'static str,
    /// The nine digits of its NPI before the check digit.
    pub npi_stem: u32,
    /// Its tax id.
    pub tin: &'static str,
    /// The plans it has a contract with.
    pub plans: &'static [Plan],
}

use Plan::{Anthem, HealthNet, LaCare, Molina};

/// Every provider organization of the county.
pub const PROVIDERS: [Provider; 8] = [
    provider("Sample Street Clinic", 199_990_001, "990000001", &[LaCare, HealthNet]),
    provider("Example Harbor Outreach", 199_990_002, "990000002", &[LaCare, Anthem, Molina]),
    provider("Placeholder Family Health Center", 199_990_003, "990000003", &[HealthNet, Molina]),
    provider("Fictional Hills Care Network", 199_990_004, "990000004", &[LaCare, Anthem]),
    provider("Nowhere Valley Wellness, Inc.", 199_990_005, "990000005", &[HealthNet, Anthem, Molina]),
    provider("Clínica de Ejemplo", 199_990_006, "990000006", &[LaCare]),
    provider("Makebelieve Street Medicine", 299_990_007, "990000007", &[LaCare, HealthNet, Anthem]),
    provider("Invented Bridges Housing", 299_990_008, "990000008", &[LaCare, HealthNet, Anthem, Molina]),
];

const fn provider(name: &'static str, npi_stem: u32, tin: &'static str, plans: &'static [Plan]) -> Provider {
    Provider { name, npi_stem, tin, plans }
}

impl Provider {
    /// The ten digits of its NPI.
    pub fn npi(&self) -> String {
        format!("{}{}", self.npi_stem, npi_check_digit(self.npi_stem))
    }

    /// Its NPI with a check digit that does not fit.
    pub fn wrong_npi(&self) -> String {
        format!("{}{}", self.npi_stem, (npi_check_digit(self.npi_stem) + 5) % 10)
    }

    /// A provider under contract with that plan.
    pub fn drawn(plan: Plan, rng: &mut impl Rng) -> &'static Self {
        loop {
            let provider = &PROVIDERS[rng.random_range(0..8_u32) as usize];
            if provider.plans.contains(&plan) {
                return provider;
            }
        }
    }
}

/// The digit that makes `80840`, the stem and itself pass the Luhn check; 24 is what the prefix adds.
fn npi_check_digit(stem: u32) -> u32 {
    let mut sum = 24;
    let mut rest = stem;
    let mut doubled = true;
    while rest > 0 {
        let digit = rest % 10 * if doubled { 2 } else { 1 };
        sum += digit / 10 + digit % 10;
        doubled = !doubled;
        rest /= 10;
    }
    (10 - sum % 10) % 10
}

/// A program a member of the sample county can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// Enhanced Care Management.
    Ecm,
    /// Housing Transition Navigation Services.
    HousingNavigation,
    /// Medically tailored meals.
    TailoredMeals,
    /// Housing Tenancy and Sustaining Services.
    TenancySustaining,
    /// The county's Intensive Case Management Services, Housing for Health.
    IcmsHfh,
    /// The county's Intensive Case Management Services, Office of Diversion and Reentry.
    IcmsOdr,
    /// Multipurpose Senior Services Program.
    Mssp,
    /// Assisted Living Waiver.
    Alw,
    /// Program of All-Inclusive Care for the Elderly.
    Pace,
    /// Hospice.
    Hospice,
}

impl Program {
    /// The programs whose enrollments the truth counts.
    pub const ENROLLED_IN: [Self; 4] =
        [Self::Ecm, Self::HousingNavigation, Self::TailoredMeals, Self::TenancySustaining];

    /// The ledger's code of the program.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ecm => "ecm",
            Self::HousingNavigation => "housing_navigation",
            Self::TailoredMeals => "tailored_meals",
            Self::TenancySustaining => "tenancy_sustaining",
            Self::IcmsHfh => "icms_hfh",
            Self::IcmsOdr => "icms_odr",
            Self::Mssp => "mssp",
            Self::Alw => "alw",
            Self::Pace => "pace",
            Self::Hospice => "hospice",
        }
    }
}

/// The Populations of Focus, by the names of their columns.
pub const POPULATIONS: [&str; 9] = [
    "Individuals Experiencing Homelessness",
    "Individuals at Risk for Avoidable Hospital or ED Utilization",
    "Individuals with Serious Mental Health or Substance Use Disorder Needs",
    "Individuals Transitioning from Incarceration",
    "Birth Equity Population of Focus",
    "Individuals Living in the Community and at Risk for LTC Institutionalization",
    "Nursing Facility Residents Transitioning to Community",
    "Enrolled in CCS or CCS WCM with Additional Needs Beyond the CCS Condition",
    "Involved in Child Welfare",
];

/// What each discontinuation reason code (1 to 15) of the quarterly report means.
pub const DISCONTINUATION_REASONS: [&str; 15] = [
    "Met all care plan goals",
    "Ready for a lower level of care",
    "No longer wishes to receive ECM or is unresponsive",
    "Unable to connect after multiple attempts",
    "Incarcerated",
    "Declined to participate",
    "Duplicative program",
    "Lost Medi-Cal coverage",
    "Switched health plans",
    "Moved out of the country",
    "Moved out of the county",
    "Unsafe behavior or environment",
    "Not reauthorized for ECM",
    "Deceased",
    "Other",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_agree_with_known_npis() {
        assert_eq!(npi_check_digit(123_456_789), 3);
        assert_eq!(npi_check_digit(155_859_879), 7);
        assert_eq!(npi_check_digit(100_000_000), 4);
        assert_eq!(npi_check_digit(223_456_789), 1);
    }

    #[test]
    fn every_plan_has_providers_and_the_shares_are_a_whole() {
        assert_eq!(Plan::ALL.iter().map(|plan| plan.share()).sum::<u32>(), 100);
        for plan in Plan::ALL {
            assert!(PROVIDERS.iter().filter(|provider| provider.plans.contains(&plan)).count() >= 3);
        }
    }
}
