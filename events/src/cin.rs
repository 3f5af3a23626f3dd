//! The Client Index Number: who a Medi-Cal member is (domain rules C9).

use std::fmt;
use std::str::FromStr;

/// A valid CIN, nine characters. Prints `[phi]`; the text is had by [`Cin::expose`] alone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cin(String);

/// Not a CIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a CIN (8 digits and a letter), or a BIC id that begins with one (10 or 14 characters)")]
pub struct BadCin;

/// What is unusual about a CIN that is accepted all the same; the sources disagree on both (C9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CinWarning {
    /// It does not begin with 9.
    FirstDigit,
    /// Its letter is one of those the county's bulletin excludes (B, I, J, K, L, O, P, Q, R, S).
    Letter,
}

impl Cin {
    /// The nine characters. Only for the identity stream and for deriving a member id.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is unusual about it: a warning, because the sources disagree on the letter class (C9).
    pub fn warnings(&self) -> Vec<CinWarning> {
        let mut warnings = Vec::new();
        if !self.0.starts_with('9') {
            warnings.push(CinWarning::FirstDigit);
        }
        if self.0.ends_with(|letter: char| "BIJKLOPQRS".contains(letter)) {
            warnings.push(CinWarning::Letter);
        }
        warnings
    }
}

impl FromStr for Cin {
    type Err = BadCin;

    /// Accepts the CIN itself, CIN and check digit, or the whole BIC id (CIN, check digit, four-digit issue date).
    fn from_str(text: &str) -> Result<Self, BadCin> {
        let text = text.trim();
        if !text.is_ascii() || ![9, 10, 14].contains(&text.len()) {
            return Err(BadCin);
        }
        let (cin, rest) = text.split_at(9);
        let (digits, letter) = cin.split_at(8);
        let is_cin = digits.bytes().all(|c| c.is_ascii_digit()) && letter.bytes().all(|c| c.is_ascii_alphabetic());
        if !is_cin || !rest.bytes().all(|c| c.is_ascii_digit()) {
            return Err(BadCin);
        }
        Ok(Self(cin.to_ascii_uppercase()))
    }
}

impl fmt::Debug for Cin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[phi]")
    }
}

impl fmt::Display for Cin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[phi]")
    }
}

impl serde::Serialize for Cin {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for Cin {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
        text.parse().map_err(|error| serde::de::Error::custom(format_args!("bad_identifier: {error}")))
    }
}

impl schemars::JsonSchema for Cin {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Cin".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9]{8}[A-Za-z]([0-9]|[0-9]{5})?$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nine_ten_and_fourteen_characters_are_one_cin() {
        let cin: Cin = "91234567A".parse().unwrap();
        assert_eq!("91234567a2".parse::<Cin>().unwrap(), cin);
        assert_eq!("91234567A29180".parse::<Cin>().unwrap(), cin);
    }

    #[test]
    fn what_cannot_be_one_is_refused() {
        for text in ["", "9123456A", "912345678", "91234567AA", "91234567A2918", "9123456７A", "9.1E+08"] {
            assert!(text.parse::<Cin>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_unusual_one_is_taken_with_a_warning() {
        assert_eq!("81234567B".parse::<Cin>().unwrap().warnings(), [CinWarning::FirstDigit, CinWarning::Letter]);
        assert!("91234567A".parse::<Cin>().unwrap().warnings().is_empty());
    }

    #[test]
    fn it_never_prints_itself() {
        let cin: Cin = "91234567A".parse().unwrap();
        assert_eq!(format!("{cin} {cin:?}"), "[phi] [phi]");
    }
}
