//! The views, in reading order. A new view is a file here, a line in [`ALL`] and a migration.

pub mod assignment;
pub mod authorization;
pub mod clock;
pub mod current_enrollment;
pub mod duplication_conflict;
pub mod event_history;
pub mod finding;
pub mod notice_determination;
pub mod outreach_conversion;
pub mod reassessment;

use crate::view::View;

/// Every view there is.
pub const ALL: &[&dyn View] = &[
    &event_history::EventHistory,
    &current_enrollment::CurrentEnrollment,
    &assignment::Assignment,
    &duplication_conflict::DuplicationConflict,
    &outreach_conversion::OutreachConversion,
    &notice_determination::NoticeDetermination,
    &authorization::Authorizations,
    &reassessment::Reassessment,
    &clock::Clock,
    &finding::Findings,
];

/// The view of this name.
pub fn find(name: &str) -> Option<&'static dyn View> {
    ALL.iter().copied().find(|view| view.table().name == name)
}
