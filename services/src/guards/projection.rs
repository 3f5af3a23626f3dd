//! The projection: a projector in this program that has stopped at damage has seen what nothing may be recorded on top of.

use chrono::{DateTime, Utc};

use crate::health::{Forbids, Health};
use crate::projector::{Phase, Status};

/// The name of the check.
const PROJECTION: &str = "projection";

/// Tells health how the projector stands.
pub(super) fn judge(health: &Health, status: &Status, now: DateTime<Utc>) {
    match &status.phase {
        Phase::Stopped { cause } => {
            let forbids = if status.damaged { Forbids::Recording } else { Forbids::Nothing };
            health.red(PROJECTION, cause.clone(), forbids, now);
        }
        Phase::Starting
        | Phase::Following
        | Phase::Standby { .. }
        | Phase::Rederiving { .. }
        | Phase::Waiting { .. } => {
            health.green(PROJECTION);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_that_the_projector_saw_forbids_recording_and_other_stops_do_not() {
        let (health, now) = (Health::default(), DateTime::<Utc>::default());
        let mut status =
            Status { phase: Phase::Stopped { cause: "a hole".into() }, damaged: true, ..Status::default() };
        judge(&health, &status, now);
        assert_eq!(health.refusal().as_deref(), Some("a hole"));
        status.damaged = false;
        judge(&health, &status, now);
        assert_eq!((health.refusal(), health.troubles().len()), (None, 1));
        judge(&health, &Status { phase: Phase::Following, ..status }, now);
        assert_eq!(health.troubles(), []);
    }
}
