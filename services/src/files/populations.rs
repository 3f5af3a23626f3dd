//! Populations of Focus as files write them: one column each, or one text with several.

use std::collections::HashMap;
use std::sync::LazyLock;

use rollbook_events::Population;

use super::Quarantine;
use super::aliases::{Field, HEADERS};
use super::cells::Cells;
use super::header::normalized;

/// Short names of the populations beside their headers and codes.
const SHORT: &[(&str, Population)] = &[
    ("Homeless", Population::Homelessness),
    ("Experiencing Homelessness", Population::Homelessness),
    ("Avoidable Hospital or ED Utilization", Population::AvoidableHospitalUse),
    ("At Risk for Avoidable Hospital or ED Utilization", Population::AvoidableHospitalUse),
    ("SMI/SUD", Population::SeriousMentalHealthOrSud),
    ("SMI or SUD", Population::SeriousMentalHealthOrSud),
    ("SMH/SUD", Population::SeriousMentalHealthOrSud),
    ("Serious Mental Health or SUD", Population::SeriousMentalHealthOrSud),
    ("Serious Mental Health or Substance Use Disorder", Population::SeriousMentalHealthOrSud),
    ("Incarceration", Population::TransitioningFromIncarceration),
    ("Justice Involved", Population::TransitioningFromIncarceration),
    ("LTC At-Risk for Institutionalization", Population::LongTermCareRisk),
    ("At Risk for LTC Institutionalization", Population::LongTermCareRisk),
    ("NF Transitioning to Community", Population::NursingFacilityTransition),
    ("Nursing Facility Transition to Community", Population::NursingFacilityTransition),
    ("CCS/CCS WCM with Additional Needs", Population::Ccs),
    ("CCS or CCS WCM", Population::Ccs),
];

/// The populations a row names, in the order of the vocabulary, each once.
pub(super) fn of(cells: Cells<'_>) -> Result<Vec<Population>, Quarantine> {
    let mut populations = Vec::new();
    for population in Population::ALL {
        if cells.flag(Field::Population(*population))? == Some(true) {
            populations.push(*population);
        }
    }
    if let Some(cell) = cells.one(Field::Populations)? {
        for name in cell.text.split([';', ',', '\n', '|']).filter(|name| !name.trim().is_empty()) {
            let population = named(name)
                .ok_or_else(|| cell.refused("unknown_code: expected Populations of Focus by name, parted by ; or ,"))?;
            populations.push(population);
        }
    }
    populations.sort_unstable();
    populations.dedup();
    Ok(populations)
}

/// Every name of a population as it is compared; where two agree, the first holds.
static NAMES: LazyLock<HashMap<String, Population>> = LazyLock::new(|| {
    let codes = Population::ALL.iter().map(|population| (population.as_str(), *population));
    let headers = HEADERS.iter().flat_map(|(field, headers)| {
        let population = if let Field::Population(population) = field { Some(*population) } else { None };
        headers.iter().filter_map(move |header| Some((*header, population?)))
    });
    let mut names = HashMap::new();
    for (name, population) in codes.chain(headers).chain(SHORT.iter().copied()) {
        names.entry(normalized(name)).or_insert(population);
    }
    names
});

fn named(name: &str) -> Option<Population> {
    // The quarterly report writes an age group before the name; the age is known from the birth date.
    let bare = || name.trim().strip_prefix("Adult - ").or_else(|| name.trim().strip_prefix("Child - "));
    NAMES.get(&normalized(name)).copied().or_else(|| bare().and_then(named))
}
