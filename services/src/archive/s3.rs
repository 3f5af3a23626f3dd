//! An archive in something that speaks S3: every put says that no object of the name may be there (`If-None-Match: *`).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::aws::{AmazonS3Builder, S3ConditionalPut};
use object_store::path::Path;
use object_store::{ClientOptions, Error, ObjectStore, ObjectStoreExt, PutMode, RetryConfig};

use super::place::{Place, PlaceError, Put};

/// How long one request may take: the largest segment over a slow line.
const TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What a request is tried again for; whoever archives tries again on its own account.
const MOST_RETRIES: usize = 2;

/// A bucket with a prefix.
#[derive(Debug)]
pub(super) struct S3 {
    store: Arc<dyn ObjectStore>,
    prefix: String,
    address: String,
}

impl S3 {
    /// A bucket whose credentials, region and endpoint stand in the environment.
    pub(super) fn from_env(bucket: &str, prefix: &str, address: String) -> Result<Self, PlaceError> {
        Self::new(AmazonS3Builder::from_env().with_bucket_name(bucket), prefix, address)
    }

    fn new(builder: AmazonS3Builder, prefix: &str, address: String) -> Result<Self, PlaceError> {
        let retries = RetryConfig { max_retries: MOST_RETRIES, retry_timeout: TIMEOUT, ..RetryConfig::default() };
        let builder = builder.with_retry(retries);
        let allow_http = builder
            .get_config_value(&object_store::aws::AmazonS3ConfigKey::Client(object_store::ClientConfigKey::AllowHttp));
        let client = ClientOptions::new()
            .with_timeout(TIMEOUT)
            .with_connect_timeout(CONNECT_TIMEOUT)
            .with_allow_http(allow_http.as_deref() == Some("true"));
        let built = builder.with_client_options(client).with_conditional_put(S3ConditionalPut::ETagMatch).build();
        let store =
            built.map_err(|source| PlaceError { place: address.clone(), doing: "opened", source: source.into() })?;
        Ok(Self { store: Arc::new(store), prefix: prefix.to_owned(), address })
    }

    fn path(&self, name: &str) -> Path {
        Path::from(format!("{}/{name}", self.prefix))
    }

    fn failed(&self, doing: &'static str) -> impl Fn(Error) -> PlaceError + '_ {
        move |source| PlaceError { place: self.address.clone(), doing, source: source.into() }
    }
}

#[async_trait]
impl Place for S3 {
    async fn put_new(&self, name: &str, bytes: Bytes) -> Result<Put, PlaceError> {
        match self.store.put_opts(&self.path(name), bytes.into(), PutMode::Create.into()).await {
            Ok(_) => Ok(Put::Stored),
            // Also where an earlier try of this same request was stored and its answer lost: whoever asked looks.
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(Put::Taken),
            Err(error) => Err(self.failed("written")(error)),
        }
    }

    async fn get(&self, name: &str) -> Result<Option<Bytes>, PlaceError> {
        let got = match self.store.get(&self.path(name)).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            got => got.map_err(self.failed("read"))?,
        };
        got.bytes().await.map(Some).map_err(self.failed("read"))
    }

    async fn list(&self, folder: &str, after: Option<&str>) -> Result<Vec<String>, PlaceError> {
        let folder = self.path(folder);
        let found = match after {
            Some(after) => self.store.list_with_offset(Some(&folder), &folder.clone().join(after)),
            None => self.store.list(Some(&folder)),
        };
        let names = found.try_filter_map(|object| async move { Ok(object.location.filename().map(str::to_owned)) });
        names.try_collect().await.map_err(self.failed("listed"))
    }

    fn address(&self) -> String {
        self.address.clone()
    }
}

#[cfg(test)]
mod tests;
