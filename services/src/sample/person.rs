//! People who cannot be mistaken for real ones.

use chrono::NaiveDate;
use rand::Rng;

use super::calendar::{Month, after};

/// Every first name of the county.
pub const FIRST_NAMES: [&str; 12] = [
    "Testa",
    "Examplo",
    "Samplé",
    "Ñoña",
    "D'Mock",
    "Jean-Pseudo",
    "Demo",
    "Zoë",
    "Fauxline",
    "Dummy Ann",
    "Pla Ceholder",
    "Maximiliana-Placeholderina Invenciónez",
];
/// What every last name of the county begins with; the number of the member follows.
pub const LAST_NAMES: [&str; 8] = [
    "Fakename",
    "O'Fakename",
    "Pseudónimo",
    "Nobody",
    "Ünreal",
    "de la Invención",
    "Fakename-Mockington-Placeholder-von-und-zu-Nirgendwo",
    "Notreal, Jr.",
];
const CIN_LETTERS: &[u8; 16] = b"ACDEFGHMNTUVWXYZ";
const LANGUAGES: [&str; 6] = ["English", "English", "Spanish", "Armenian", "Korean", "Tagalog"];
const GENDERS: [&str; 3] = ["F", "M", "U"];
const TOWNS: [(&str, &str); 5] = [
    ("Los Angeles", "90012"),
    ("Long Beach", "90802"),
    ("Pomona", "91766"),
    ("Lancaster", "93534"),
    ("La Cañada Flintridge", "91011"),
];

/// Who a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Client Index Number, nine characters, unlike anyone else's in the county.
    pub cin: String,
    /// The check digit and issue date that follow the CIN on the card, for those whose plan writes the whole card number.
    pub card_suffix: Option<String>,
    /// Last name, with the member's number in it.
    pub last_name: String,
    /// First name.
    pub first_name: &'static str,
    /// Date of birth.
    pub born_on: NaiveDate,
    /// Gender code.
    pub gender: &'static str,
    /// Preferred spoken language.
    pub language: &'static str,
    /// Street address.
    pub address: String,
    /// City.
    pub city: &'static str,
    /// Zip code.
    pub zip: &'static str,
    /// Telephone number, of the range kept for fiction.
    pub phone: String,
}

impl Person {
    /// The person of that number in the county of that seed.
    pub fn drawn(seed: u64, index: u32, rng: &mut impl Rng) -> Self {
        // The factor shares no divisor with ten million, so no two numbers below that meet.
        let digits = (seed % 10_000_000 + u64::from(index) * 7_654_321) % 10_000_000;
        let letter = char::from(CIN_LETTERS[rng.random_range(0..16_u32) as usize]);
        let carries_card = rng.random_bool(0.2);
        let card = format!("{}{}{:03}", rng.random_range(0..10_u32), 4, rng.random_range(1..366_u32));
        let (city, zip) = one_of(&TOWNS, rng);
        Self {
            cin: format!("9{digits:07}{letter}"),
            card_suffix: carries_card.then_some(card),
            last_name: format!("{}-{index:04}", one_of(&LAST_NAMES, rng)),
            first_name: one_of(&FIRST_NAMES, rng),
            born_on: after(Month::new(1938, 1).day(1), rng.random_range(0..28_000)),
            gender: one_of(&GENDERS, rng),
            language: one_of(&LANGUAGES, rng),
            address: format!("{} Nowhere St", rng.random_range(1..990_u32)),
            city,
            zip,
            phone: format!("(213) 555-01{:02}", rng.random_range(0..100_u32)),
        }
    }

    /// The number a plan writes for the member: the CIN, or the whole card number where it keeps that.
    pub fn number(&self, card_numbers: bool) -> String {
        match &self.card_suffix {
            Some(suffix) if card_numbers => format!("{}{suffix}", self.cin),
            Some(_) | None => self.cin.clone(),
        }
    }
}

fn one_of<T: Copy>(choices: &[T], rng: &mut impl Rng) -> T {
    // Drawn as u32, whose sampling is the same on every machine.
    choices[rng.random_range(0..u32::try_from(choices.len()).unwrap_or(1)) as usize]
}
