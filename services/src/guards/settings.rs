//! The settings: what the server and the streams say of themselves, against what the promises need.

use crate::error_chain::chain;
use crate::health::{Forbids, Health};
use crate::log::SettingsError;
use chrono::{DateTime, Utc};

/// A server or stream that is not set as it must be.
const SETTINGS: &str = "settings";
/// A stream that holds fewer messages than it gave positions to.
const MISSING: &str = "missing";
/// A server that does not answer.
pub(super) const LOG: &str = "log";

/// Tells health what comparing the streams came to, each with its name.
pub(super) fn judge(health: &Health, compared: &[(&str, Result<(), SettingsError>)], now: DateTime<Utc>) {
    let [mut drifted, mut missing, mut unreachable]: [Vec<String>; 3] = Default::default();
    for (stream, compared) in compared {
        match compared {
            // That nobody can see the flushing was warned of at the start.
            Ok(()) | Err(SettingsError::NotChecked) => {}
            Err(
                error @ (SettingsError::TooOld { .. } | SettingsError::NoStream { .. } | SettingsError::Drift { .. }),
            ) => drifted.push(error.to_string()),
            Err(error @ SettingsError::Missing { .. }) => {
                missing.push(format!("{error}: restore it from the archive (rollbook restore)"));
            }
            Err(error @ SettingsError::Unavailable { .. }) => {
                unreachable.push(format!("the stream {stream} cannot be compared: {}", chain(error)));
            }
        }
    }
    // What could not be looked at is as it was when last seen.
    let seen = unreachable.is_empty();
    tell(health, SETTINGS, drifted, Forbids::Recording, seen, now);
    tell(health, MISSING, missing, Forbids::Recording, seen, now);
    tell(health, LOG, unreachable, Forbids::Nothing, true, now);
}

fn tell(
    health: &Health,
    check: &'static str,
    mut causes: Vec<String>,
    forbids: Forbids,
    seen: bool,
    now: DateTime<Utc>,
) {
    // All streams tell of one server.
    causes.dedup();
    if !causes.is_empty() {
        health.red(check, causes.join("; "), forbids, now);
    } else if seen {
        health.green(check);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn drift() -> SettingsError {
        SettingsError::Drift {
            place: "ENROLLMENT",
            setting: "max_age".into(),
            wanted: "0".into(),
            found: "3600000000000".into(),
        }
    }

    fn unavailable() -> SettingsError {
        SettingsError::Unavailable { source: "timed out".into() }
    }

    #[test]
    fn a_drift_forbids_recording_until_it_is_seen_to_be_over() {
        let health = Health::default();
        judge(&health, &[("ENROLLMENT", Err(drift())), ("INTAKE", Ok(()))], at(1));
        assert!(health.refusal().unwrap().contains("max_age of ENROLLMENT is 3600000000000 instead of 0"));
        judge(&health, &[("ENROLLMENT", Err(unavailable())), ("INTAKE", Ok(()))], at(2));
        assert!(health.refusal().unwrap().contains("max_age"), "a server that is away has not been set right");
        judge(&health, &[("ENROLLMENT", Ok(())), ("INTAKE", Err(SettingsError::NotChecked))], at(3));
        assert_eq!(health.troubles(), []);
    }

    #[test]
    fn a_server_that_is_away_forbids_nothing_and_is_told() {
        let health = Health::default();
        judge(&health, &[("ENROLLMENT", Err(unavailable()))], at(1));
        assert_eq!(health.refusal(), None);
        assert_eq!(health.troubles().first().map(|trouble| trouble.check), Some("log"));
    }

    #[test]
    fn missing_messages_forbid_recording() {
        let health = Health::default();
        let missing = SettingsError::Missing { stream: "ENROLLMENT", messages: 7, last: 9 };
        judge(&health, &[("ENROLLMENT", Err(missing))], at(1));
        assert!(health.refusal().unwrap().contains("holds 7 messages up to position 9"));
    }
}
