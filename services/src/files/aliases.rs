//! Under which headers the files write what we read (domain rules C1, C2, C3), misspellings included.

use rollbook_events::Population;
use rollbook_events::intake::FileKind;

/// What a column means to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Plan,
    PlanName,
    ProducedOn,
    Cin,
    LastName,
    FirstName,
    BornOn,
    Gender,
    Language,
    Street,
    City,
    State,
    Zip,
    Phone,
    Email,
    County,
    AssignedOn,
    Population(Population),
    Populations,
    ProviderNpi,
    StaffClass,
    AttemptedAt,
    Method,
    Successful,
    TimeSpent,
    Homeless,
    Status,
    StartedOn,
    EndedOn,
    Manager,
    DiscontinuedOn,
    RecommendedOn,
    ReasonCode,
}

/// Whether a kind of file has a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// Without it no row can be read.
    Required,
    /// It is read where it stands.
    Read,
    /// It is kept, not read.
    Kept,
}

impl Field {
    /// What a profile calls it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::PlanName => "plan name",
            Self::ProducedOn => "production date",
            Self::Cin => "cin",
            Self::LastName => "last name",
            Self::FirstName => "first name",
            Self::BornOn => "date of birth",
            Self::Gender => "gender",
            Self::Language => "language",
            Self::Street => "street",
            Self::City => "city",
            Self::State => "state",
            Self::Zip => "zip",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::County => "county",
            Self::AssignedOn => "assigned date",
            Self::Population(population) => population.as_str(),
            Self::Populations => "populations",
            Self::ProviderNpi => "provider npi",
            Self::StaffClass => "staff class",
            Self::AttemptedAt => "date of attempt",
            Self::Method => "method of attempt",
            Self::Successful => "attempt successful",
            Self::TimeSpent => "time spent",
            Self::Homeless => "homelessness indicator",
            Self::Status => "status",
            Self::StartedOn => "start date",
            Self::EndedOn => "end date",
            Self::Manager => "lead care manager",
            Self::DiscontinuedOn => "discontinuation date",
            Self::RecommendedOn => "recommendation for discontinuation date",
            Self::ReasonCode => "discontinuation reason code",
        }
    }

    /// Whether a kind of file has it.
    pub(super) const fn need(self, kind: FileKind) -> Need {
        let (required, own) = match kind {
            FileKind::Events => return Need::Kept,
            FileKind::MemberInformation => {
                (false, matches!(self, Self::AssignedOn | Self::ProviderNpi | Self::Population(_) | Self::Populations))
            }
            FileKind::OutreachTracker => (
                matches!(
                    self,
                    Self::ProviderNpi | Self::StaffClass | Self::AttemptedAt | Self::Method | Self::Successful
                ),
                matches!(self, Self::TimeSpent),
            ),
            FileKind::ReturnTransmission => {
                (matches!(self, Self::ProviderNpi | Self::Status | Self::StartedOn), self.is_returned())
            }
        };
        if required || matches!(self, Self::Cin) {
            return Need::Required;
        }
        if own || self.is_anywhere() { Need::Read } else { Need::Kept }
    }

    const fn is_returned(self) -> bool {
        matches!(
            self,
            Self::Homeless
                | Self::EndedOn
                | Self::Manager
                | Self::DiscontinuedOn
                | Self::RecommendedOn
                | Self::ReasonCode
                | Self::Population(_)
                | Self::Populations
        )
    }

    /// Who the member is and whose record it is may stand in every table.
    const fn is_anywhere(self) -> bool {
        matches!(
            self,
            Self::Plan
                | Self::PlanName
                | Self::ProducedOn
                | Self::LastName
                | Self::FirstName
                | Self::BornOn
                | Self::Gender
                | Self::Language
                | Self::Street
                | Self::City
                | Self::State
                | Self::Zip
                | Self::Phone
                | Self::Email
                | Self::County
        )
    }
}

use Population as P;

/// The headers of each field, as files write them; compared after `header::normalized`.
pub(super) const HEADERS: &[(Field, &[&str])] = &[
    (Field::Plan, &["Primary Payer (MCP) Identifier", "Primary Payer Identifier", "MCP Identifier", "Plan Code"]),
    (Field::PlanName, &["MCP Name", "Plan Name", "Managed Care Plan Name"]),
    (
        Field::ProducedOn,
        &[
            "Member Information File Production Date",
            "MIF Production Date",
            "Member Information Return Transmission File Production Date",
            "Member Information RTF Production Date",
            "Return Transmission File Production Date",
            "RTF Production Date",
            "File Production Date",
            "Production Date",
        ],
    ),
    (
        Field::Cin,
        &[
            "Member Client Index Number (CIN)",
            "Member Client Index Number",
            "Medi-Cal Member Client Index Number (CIN)",
            "Medi-Cal Member Client Index Number",
            "Client Index Number (CIN)",
            "Client Index Number",
            "MCP_CIN",
            "Member CIN",
            "Medi-Cal CIN",
            "CIN",
        ],
    ),
    (Field::LastName, &["Member Last Name", "Last Name"]),
    (Field::FirstName, &["Member First Name", "First Name"]),
    (Field::BornOn, &["Member Date of Birth", "Member DOB", "Date of Birth", "Birth Date", "DOB"]),
    (Field::Gender, &["Member Gender Code", "Member Gender", "Gender Code", "Gender"]),
    (
        Field::Language,
        &[
            "Preferred Language (Spoken)",
            "Preferred Language (Written)",
            "Member Preferred Language (Spoken)",
            "Member Preferred Language (Written)",
            "Preferred Language",
            "Member Preferred Language",
        ],
    ),
    (Field::Street, &["Member Residential Address", "Residential Address", "Member Residential Street Address"]),
    (Field::City, &["Member Residential City", "Residential City"]),
    (Field::State, &["Member Residential State", "Residential State"]),
    (Field::Zip, &["Member Residential Zip", "Member Residential Zip Code", "Residential Zip", "Residential Zip Code"]),
    (
        Field::Phone,
        &[
            "Member Phone Number",
            "Member Phone",
            "Member Primary Phone Number",
            "Primary Phone Number",
            "Home Phone Number",
            "Phone Number",
            "Phone",
        ],
    ),
    (Field::Email, &["Member Email Address", "Member Email", "Email Address", "Email"]),
    (Field::County, &["Medi-Cal Coverage County", "Member County", "County", "Member Residential County"]),
    (Field::AssignedOn, &["Member Assigned Date", "Date Member Assigned", "ECM Member Assigned Date", "Assigned Date"]),
    (Field::Population(P::Homelessness), &["Individuals Experiencing Homelessness"]),
    (
        Field::Population(P::AvoidableHospitalUse),
        &[
            "Individuals at Risk for Avoidable Hospital or ED Utilization",
            "Individuals At Risk for Avoidable Hospital or Emergency Department Utilization",
        ],
    ),
    (
        Field::Population(P::SeriousMentalHealthOrSud),
        &[
            "Individuals with Serious Mental Health or Substance Use Disorder Needs",
            "Individuals with Serious Mental Health and/or Substance Use Disorder Needs",
            "Individuals with Serious Mental Health and/or SUD Needs",
        ],
    ),
    (Field::Population(P::TransitioningFromIncarceration), &["Individuals Transitioning from Incarceration"]),
    (Field::Population(P::BirthEquity), &["Birth Equity Population of Focus"]),
    (
        Field::Population(P::LongTermCareRisk),
        &[
            "Individuals Living in the Community and at Risk for LTC Institutionalization",
            "Adults Living in the Community and at Risk for LTC Institutionalization",
        ],
    ),
    (
        Field::Population(P::NursingFacilityTransition),
        &[
            "Nursing Facility Residents Transitioning to Community",
            "Adult Nursing Facility Residents Transitioning to the Community",
        ],
    ),
    (
        Field::Population(P::Ccs),
        &[
            "Enrolled in CCS or CCS WCM with Additional Needs Beyond the CCS Condition",
            "Children and Youth Enrolled in CCS or CCS WCM with Additional Needs Beyond the CCS Condition",
        ],
    ),
    (
        Field::Population(P::ChildWelfare),
        &["Involved in Child Welfare", "Children and Youth Involved in Child Welfare"],
    ),
    (Field::Populations, &["Member POF", "Member Population of Focus", "Member Populations of Focus"]),
    (
        Field::ProviderNpi,
        &[
            "ECM Provider National Provider Identifier (NPI)",
            "ECM Provider National Provider Identifier",
            "ECM Provider NPI",
        ],
    ),
    (Field::StaffClass, &["Provider Type"]),
    (Field::AttemptedAt, &["Date of Outreach Attempt", "Outreach Attempt Date"]),
    (Field::Method, &["Outreach Attempt Method", "Method of Outreach Attempt"]),
    (Field::Successful, &["Outreach Attempt Successful", "Outreach Attempt Successful (Y/N)"]),
    (Field::TimeSpent, &["Time Spent Performing Outreach"]),
    (Field::Homeless, &["Member Homelessness Indicator", "Homelessness Indicator"]),
    (Field::Status, &["Member ECM Status", "ECM Status", "Status of Member Engagement"]),
    (Field::StartedOn, &["ECM Enrollment Start Date", "ECM Benefit Start Date", "ECM Start Date"]),
    (Field::EndedOn, &["ECM Enrollment End Date", "ECM Benefit End Date", "ECM End Date"]),
    (Field::Manager, &["ECM Lead Care Manager Name", "Lead Care Manager Name"]),
    (Field::DiscontinuedOn, &["Discontinuation Date", "ECM Discontinuation Date"]),
    (Field::RecommendedOn, &["Recommendation for Discontinuation Date"]),
    (Field::ReasonCode, &["Discontinuation Reason Code", "ECM Discontinuation Reason Code"]),
];

/// Misspellings seen in the field, as they stand in a normalized header.
pub(super) const MISSPELT: &[(&str, &str)] = &[
    ("resdidential", "residential"),
    ("resdential", "residential"),
    ("residental", "residential"),
    ("authorizatin", "authorization"),
    ("enrolment", "enrollment"),
    ("succesful", "successful"),
];
