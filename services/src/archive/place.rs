//! Where an archive lies, as a port: files are put once and never changed.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::folder::Folder;
use super::s3::S3;
use crate::log::Source;

/// What became of a file that was put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It is there, and on disk.
    Stored,
    /// A file of this name was there before; nothing was changed.
    Taken,
}

/// Why a place could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("the archive at {place} could not be {doing}")]
pub struct PlaceError {
    /// Its address.
    pub place: String,
    /// Read, listed or written.
    pub doing: &'static str,
    /// Why.
    #[source]
    pub source: Source,
}

/// A place for files with names such as `ENROLLMENT/000000000001.segment`. Every call ends by itself within a minute or so.
#[async_trait]
pub trait Place: Send + Sync + fmt::Debug + 'static {
    /// Puts a file under a name that no file has; all of it or nothing.
    async fn put_new(&self, name: &str, bytes: Bytes) -> Result<Put, PlaceError>;

    /// A file's bytes; none where there is no file of this name.
    async fn get(&self, name: &str) -> Result<Option<Bytes>, PlaceError>;

    /// The names in a folder that sort after `after`, without the folder, in any order.
    async fn list(&self, folder: &str, after: Option<&str>) -> Result<Vec<String>, PlaceError>;

    /// Its address, for people.
    fn address(&self) -> String;
}

/// Where an archive is to be: a folder, or a bucket with a prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A folder of this machine, which may be one that another machine serves.
    Folder(PathBuf),
    /// Something that speaks S3. Credentials, region and endpoint are in the environment (`AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT`, `AWS_ALLOW_HTTP`).
    S3 {
        /// The bucket.
        bucket: String,
        /// What all names begin with; may be empty.
        prefix: String,
    },
}

/// An address that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a folder, file:///FOLDER or s3://BUCKET/PREFIX")]
pub struct BadAddress;

impl FromStr for Address {
    type Err = BadAddress;
    fn from_str(text: &str) -> Result<Self, BadAddress> {
        if let Some(rest) = text.strip_prefix("s3://") {
            let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
            if bucket.is_empty() {
                return Err(BadAddress);
            }
            return Ok(Self::S3 { bucket: bucket.to_owned(), prefix: prefix.trim_matches('/').to_owned() });
        }
        let path = text.strip_prefix("file://").unwrap_or(text);
        if path.is_empty() || path.contains("://") || (path.len() < text.len() && !path.starts_with('/')) {
            return Err(BadAddress);
        }
        Ok(Self::Folder(PathBuf::from(path)))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(path) => path.display().fmt(f),
            Self::S3 { bucket, prefix } => write!(f, "s3://{bucket}/{prefix}"),
        }
    }
}

impl Address {
    /// The place there. Nothing is asked of it yet, and nothing is made.
    ///
    /// # Errors
    /// Where the environment has settings for S3 that make no sense.
    pub fn open(&self) -> Result<Arc<dyn Place>, PlaceError> {
        match self {
            Self::Folder(path) => Ok(Arc::new(Folder::new(path.clone()))),
            Self::S3 { bucket, prefix } => Ok(Arc::new(S3::from_env(bucket, prefix, self.to_string())?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_folder_or_a_bucket() {
        let folder = |path: &str| Ok(Address::Folder(path.into()));
        let bucket =
            |bucket: &str, prefix: &str| Ok(Address::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() });
        assert_eq!("/srv/archive".parse(), folder("/srv/archive"));
        assert_eq!("file:///srv/archive".parse(), folder("/srv/archive"));
        assert_eq!("./archive".parse(), folder("./archive"));
        assert_eq!("s3://ledger".parse(), bucket("ledger", ""));
        assert_eq!("s3://ledger/a/b/".parse(), bucket("ledger", "a/b"));
        for bad in ["", "s3://", "s3:///a", "file://", "file://a", "gs://bucket", "https://example.org/a"] {
            assert_eq!(bad.parse::<Address>(), Err(BadAddress), "{bad}");
        }
    }
}
