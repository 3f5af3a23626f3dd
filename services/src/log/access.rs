//! Who a program is to the servers of the log, and how it reaches them.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use async_nats::{Client, ConnectOptions, Event, ServerError};

use super::ReadError;

/// A secret file longer than this is no secret: nobody reads a disk image into memory by mistake.
const MOST_SECRET_BYTES: u64 = 64 * 1_024;

/// Where the servers are, and what they let in.
#[derive(Clone, Default)]
pub struct Access {
    /// `nats://` or `tls://`, several with commas.
    pub url: String,
    /// The shared secret of a private server.
    pub token: Option<String>,
    /// A file with such a secret.
    pub token_file: Option<PathBuf>,
    /// A credentials file (user JWT and nkey).
    pub credentials: Option<PathBuf>,
    /// A file with the seed of an nkey.
    pub nkey: Option<PathBuf>,
    /// Certificates of an authority of one's own; with it no server is talked to in the clear.
    pub authority: Option<PathBuf>,
    /// The certificate this program shows, and its key.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// What the subjects of answers begin with; permissions go by it.
    pub inbox: Option<String>,
    /// The server's monitoring address, as `http://127.0.0.1:8222`.
    pub monitoring: Option<String>,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Access").field("monitoring", &self.monitoring).finish_non_exhaustive()
    }
}

/// Why a secret cannot be shown to the server.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// It cannot be read.
    #[error("the secret {} cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not what was meant.
    #[error("{} is no secret: it is empty, or longer than {MOST_SECRET_BYTES} bytes", path.display())]
    NoSecret {
        /// The file.
        path: PathBuf,
    },
}

/// The secret that a file holds, without the end of its line.
///
/// # Errors
/// Where it cannot be read, is empty, or is far too long.
pub fn secret(path: &Path) -> Result<String, SecretError> {
    let unreadable = |source| SecretError::Unreadable { path: path.to_owned(), source };
    let about = fs::metadata(path).map_err(unreadable)?;
    if about.permissions().mode() & 0o077 != 0 {
        tracing::warn!(file = %path.display(), "others on this machine may read this secret: chmod 600");
    }
    if about.len() > MOST_SECRET_BYTES {
        return Err(SecretError::NoSecret { path: path.to_owned() });
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    match text.trim() {
        "" => Err(SecretError::NoSecret { path: path.to_owned() }),
        secret => Ok(secret.to_owned()),
    }
}

/// Connects to a server; the connection mends itself for ever after. `name` is what the server's operators see.
///
/// # Errors
/// Where a secret or certificate cannot be read, or no server lets this program in.
pub async fn connect(access: &Access, name: &str) -> Result<Client, ReadError> {
    let mut options = ConnectOptions::new().name(name).max_reconnects(None).event_callback(told);
    if let Some(token) = &access.token {
        options = options.token(token.clone());
    }
    if let Some(file) = &access.token_file {
        options = options.token(secret(file).map_err(ReadError::unavailable)?);
    }
    if let Some(file) = &access.credentials {
        options =
            options.credentials(&secret(file).map_err(ReadError::unavailable)?).map_err(ReadError::unavailable)?;
    }
    if let Some(file) = &access.nkey {
        options = options.nkey(secret(file).map_err(ReadError::unavailable)?);
    }
    if let Some(file) = &access.authority {
        // Whoever names an authority means to be answered by a server that it has signed, and by no other.
        options = options.add_root_certificates(file.clone()).require_tls(true);
    }
    if let Some((certificate, key)) = &access.certificate {
        options = options.add_client_certificate(certificate.clone(), key.clone()).require_tls(true);
    }
    if let Some(inbox) = &access.inbox {
        options = options.custom_inbox_prefix(inbox);
    }
    let addresses: Vec<_> = access.url.split(',').map(str::trim).map(str::to_owned).collect();
    options.connect(addresses).await.map_err(ReadError::unavailable)
}

/// What becomes of the connection.
async fn told(event: Event) {
    match event {
        Event::Connected => tracing::info!("connected to the log"),
        // It may quote the subject that a permission was missing for.
        Event::ServerError(ServerError::Other(_)) => tracing::warn!("the log's server reports an error in its log"),
        // It comes back by itself for ever, so that it is closed by us alone.
        Event::Closed | Event::Draining => tracing::debug!("the connection to the log is closed"),
        event @ (Event::Disconnected
        | Event::LameDuckMode
        | Event::SlowConsumer(_)
        | Event::ServerError(_)
        | Event::ClientError(_)) => tracing::warn!(%event, "connection to the log"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_the_file_without_the_end_of_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(matches!(secret(&path), Err(SecretError::Unreadable { .. })));
        fs::write(&path, "\n").unwrap();
        assert!(matches!(secret(&path), Err(SecretError::NoSecret { .. })));
        fs::write(&path, "s3cret\n").unwrap();
        assert_eq!(secret(&path).unwrap(), "s3cret");
        fs::write(&path, vec![b'a'; 70_000]).unwrap();
        assert!(matches!(secret(&path), Err(SecretError::NoSecret { .. })));
    }
}
