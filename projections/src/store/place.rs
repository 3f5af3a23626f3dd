//! Where in a database something is kept: each generation of the views in a place of its own, and what says which of them
//! is live in another.
//!
//! On PostgreSQL a place is a schema, on SQLite a file. What must be told at once may not wait behind a long write of rows,
//! and SQLite has one writer a file; so the control has its own.

use std::path::{Path, PathBuf};

/// A place in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A generation of the views. The first is the database itself, as it was before there were any others.
    Views(i64),
    /// Which generation is live, and who projects.
    Control,
}

impl Place {
    pub(super) const FIRST: Self = Self::Views(1);

    /// PostgreSQL's schema; the database's own where none is named.
    pub(super) fn schema(self) -> Option<String> {
        match self {
            Self::Control | Self::FIRST => None,
            Self::Views(number) => Some(format!("rollbook_views_{number}")),
        }
    }

    /// SQLite's file, beside the one that was named.
    pub(super) fn file(self, named: &Path) -> PathBuf {
        match self {
            Self::FIRST => named.to_owned(),
            Self::Views(number) => beside(named, &number.to_string()),
            Self::Control => beside(named, "control"),
        }
    }
}

fn beside(named: &Path, what: &str) -> PathBuf {
    let ending = named.extension().and_then(|ending| ending.to_str()).unwrap_or("db");
    named.with_extension(format!("{what}.{ending}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_its_own_beside_the_first() {
        let named = Path::new("/data/views.db");
        let files = [Place::FIRST, Place::Views(2), Place::Control].map(|place| place.file(named));
        assert_eq!(
            files.map(|file| file.display().to_string()),
            ["/data/views.db", "/data/views.2.db", "/data/views.control.db"]
        );
        assert_eq!(Place::Views(2).schema().as_deref(), Some("rollbook_views_2"));
        assert_eq!(Place::FIRST.schema(), None);
    }
}
