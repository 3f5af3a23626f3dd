//! The data folder of a ledger: made, and who may read it.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::guards::Place;

/// The whole path: it is told to callers who run elsewhere.
pub(super) fn whole_path(data: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(data).with_context(|| format!("{} is no path", data.display()))
}

pub(crate) fn make_folder(data: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let doing = || format!("could not make the data folder {}", data.display());
    for folder in [data.to_owned(), data.join("spool"), data.join("quarantine")] {
        std::fs::create_dir_all(&folder).with_context(doing)?;
        // The folder holds the ledger's key, its tokens and files with people's data.
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).with_context(doing)?;
    }
    Ok(())
}

/// The disks that must have room: of the data folder, where a private server has its store too, and of views in SQLite.
pub(super) fn places(data: &Path, database: &str) -> Vec<Place> {
    let mut places = vec![Place { what: "the data folder", path: data.to_owned() }];
    if let Some(file) = database.strip_prefix("sqlite:") {
        let file = file.strip_prefix("//").unwrap_or(file).split('?').next().unwrap_or_default();
        let folder = Path::new(file).parent().filter(|folder| folder.is_dir() && *folder != data);
        places.extend(folder.map(|folder| Place { what: "the views", path: folder.to_owned() }));
    }
    places
}
