//! Who serves: a National Provider Identifier, or a code where an organization has none.

use std::fmt;
use std::str::FromStr;

use crate::string_type::string_type;

/// A National Provider Identifier whose check digit is right.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Npi(String);

/// Not an NPI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an NPI: ten digits, the first 1 or 2, with a right check digit")]
pub struct BadNpi;

impl FromStr for Npi {
    type Err = BadNpi;
    fn from_str(text: &str) -> Result<Self, BadNpi> {
        let is_ten = text.len() == 10 && text.bytes().all(|c| c.is_ascii_digit()) && text.starts_with(['1', '2']);
        if !is_ten || !luhn(text.as_bytes()).is_multiple_of(10) {
            return Err(BadNpi);
        }
        Ok(Self(text.to_owned()))
    }
}

/// The Luhn sum over 80840 and the number: the prefix adds the constant 24 (domain rules C9).
fn luhn(digits: &[u8]) -> u32 {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(i, c)| {
            let digit = u32::from(c - b'0');
            let doubled = digit * 2;
            if i % 2 == 0 { digit } else { doubled / 10 + doubled % 10 }
        })
        .sum();
    sum + 24
}

impl fmt::Display for Npi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

string_type!(Npi, "bad_identifier", "a National Provider Identifier", "^[12][0-9]{9}$");

/// A provider: an NPI, or a code of lower-case letters, digits and dashes that is no number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Provider(String);

/// Neither an NPI nor a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected an NPI with a right check digit, or a code of 2 to 64 lower-case letters, digits and dashes")]
pub struct BadProvider;

impl FromStr for Provider {
    type Err = BadProvider;
    fn from_str(text: &str) -> Result<Self, BadProvider> {
        if text.bytes().all(|c| c.is_ascii_digit()) {
            return text.parse::<Npi>().map(|npi| Self(npi.0)).map_err(|_| BadProvider);
        }
        if is_slug(text, 64) { Ok(Self(text.to_owned())) } else { Err(BadProvider) }
    }
}

impl From<Npi> for Provider {
    fn from(npi: Npi) -> Self {
        Self(npi.0)
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

string_type!(
    Provider,
    "bad_identifier",
    "an NPI, or a code where an organization has none",
    "^[a-z0-9][a-z0-9_-]{1,63}$"
);

/// Lower-case letters, digits, dashes and underscores, beginning with a letter or digit.
pub(crate) fn is_slug(text: &str, longest: usize) -> bool {
    (2..=longest).contains(&text.len())
        && text.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-' || c == b'_')
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_checked_in_the_catalogue() {
        for valid in ["1234567893", "1558598797", "1000000004", "2234567891"] {
            assert!(valid.parse::<Npi>().is_ok(), "{valid}");
        }
        for wrong in ["1234567890", "3234567893", "123456789", "12345678930", "1234567893.0"] {
            assert!(wrong.parse::<Npi>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_number_with_a_wrong_check_digit_is_no_provider_code() {
        assert!("1234567890".parse::<Provider>().is_err());
        assert!("oc-behavioral-health".parse::<Provider>().is_ok());
    }
}
