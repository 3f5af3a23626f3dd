//! The private server that another program runs on a data folder: how to be let in to it.

use std::fs::{self, OpenOptions, TryLockError};
use std::path::Path;

use tokio::time::{Instant, sleep};

use super::{DYING, Layout, POLL, Ports, StartError, folder};
use crate::log::Access;

/// What a client needs to be let in to the server that runs on a data folder; none where none runs.
///
/// # Errors
/// Where the folder cannot be read, or is held by a program that does not say where its server listens.
pub async fn running(data_dir: &Path) -> Result<Option<Access>, StartError> {
    let data_dir =
        std::path::absolute(data_dir).map_err(|source| StartError::Folder { path: data_dir.to_owned(), source })?;
    let layout = Layout::new(&data_dir);
    let begun = Instant::now();
    // One that starts has not said yet where it listens, and one that ends lets go soon.
    loop {
        if !is_held(&layout)? {
            return Ok(None);
        }
        if let Some(access) = told(&layout) {
            return Ok(Some(access));
        }
        if begun.elapsed() > DYING {
            return Err(StartError::InUse { data_dir });
        }
        sleep(POLL).await;
    }
}

fn is_held(layout: &Layout) -> Result<bool, StartError> {
    let lock = match OpenOptions::new().read(true).write(true).open(&layout.lock) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(false),
        lock => lock.map_err(folder(&layout.lock))?,
    };
    match lock.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(source)) => Err(folder(&layout.lock)(source)),
    }
}

/// What its configuration and its ports file say.
fn told(layout: &Layout) -> Option<Access> {
    let config = fs::read_to_string(&layout.config).ok()?;
    let token = config.split_once("token: \"")?.1.split_once('"')?.0.to_owned();
    let mut files = fs::read_dir(&layout.ports).ok()?.filter_map(Result::ok);
    let ports: Ports = files.find_map(|file| serde_json::from_slice(&fs::read(file.path()).ok()?).ok())?;
    Some(Access {
        url: ports.nats.into_iter().next()?,
        token: Some(token),
        monitoring: ports.monitoring.into_iter().next(),
        ..Access::default()
    })
}
