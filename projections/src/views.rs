//! The views, in reading order. A new view is a file here, a line in [`ALL`] and a migration.

pub mod event_history;

use crate::view::View;

/// Every view there is.
pub const ALL: &[&dyn View] = &[&event_history::EventHistory];

/// The view of this name.
pub fn find(name: &str) -> Option<&'static dyn View> {
    ALL.iter().copied().find(|view| view.table().name == name)
}
