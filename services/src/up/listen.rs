//! Where the API is heard: connections, with TLS where there is a certificate, each bounded in what it may take before it says anything.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::STRICT_TRANSPORT_SECURITY;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_util::sync::CancellationToken;
use tower_http::set_header::SetResponseHeaderLayer;

/// How long a caller may take for TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long it may take for the head of a request, and how long a connection may wait for its next one.
const HEAD: Duration = Duration::from_secs(75);
/// Bytes of a request's head.
const MOST_HEAD_BYTES: usize = 64 * 1024;
/// After a connection could not be taken, as when no file is free.
const BREATH: Duration = Duration::from_millis(50);
/// Two years: a browser that was here once over TLS comes by TLS alone.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");

/// Where and how to listen.
#[derive(Debug, Clone)]
pub struct Listening {
    /// The address; port 0 takes a free one.
    pub address: SocketAddr,
    /// The certificate and its key, both PEM, where TLS is spoken.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Connections at once; others wait for one to end.
    pub connections: usize,
}

/// What is listened at.
pub(super) struct Heard {
    /// The address as callers name it.
    pub url: String,
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    connections: usize,
}

impl Listening {
    /// Takes the address.
    ///
    /// # Errors
    /// Where it is taken, or the certificate cannot be used.
    pub(super) async fn begin(&self) -> anyhow::Result<Heard> {
        let tls = match &self.tls {
            Some((certificate, key)) => Some(acceptor(certificate, key)?),
            None => None,
        };
        let listener = TcpListener::bind(self.address).await;
        let listener = listener
            .with_context(|| format!("could not listen on {}; is another ledger running there?", self.address))?;
        let address = listener.local_addr().context("could not learn the port")?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        Ok(Heard { url: format!("{scheme}://{address}"), listener, tls, connections: self.connections })
    }
}

impl Heard {
    /// Answers until it is told to end, and the answers in flight to theirs.
    pub fn serve(self, router: Router, cancelled: CancellationToken) -> BoxFuture<'static, anyhow::Result<()>> {
        let router = match &self.tls {
            Some(_) => router.layer(SetResponseHeaderLayer::overriding(STRICT_TRANSPORT_SECURITY, HSTS)),
            None => router,
        };
        async move {
            let graceful = GracefulShutdown::new();
            let places = Arc::new(Semaphore::new(self.connections));
            while let Some(place) = cancelled.run_until_cancelled(places.clone().acquire_owned()).await {
                let place = place.context("the API stopped")?;
                let Some(accepted) = cancelled.run_until_cancelled(self.listener.accept()).await else { break };
                let stream = match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be taken");
                        tokio::time::sleep(BREATH).await;
                        continue;
                    }
                };
                let (tls, router, watcher) = (self.tls.clone(), router.clone(), graceful.watcher());
                tokio::spawn(async move {
                    connection(stream, tls, router, watcher).await;
                    drop(place);
                });
            }
            drop(self.listener);
            graceful.shutdown().await;
            Ok(())
        }
        .boxed()
    }
}

/// One connection to its end. What goes wrong in it concerns its caller, who sees it.
async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, router: Router, watcher: Watcher) {
    // Answers are small and wanted at once; a system that cannot say so is slower and no less right.
    _ = stream.set_nodelay(true);
    match tls {
        None => spoken(stream, router, watcher).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
                spoken(stream, router, watcher).await;
            }
        }
    }
}

async fn spoken(stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static, router: Router, watcher: Watcher) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(MOST_HEAD_BYTES);
    let spoken = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    if let Err(error) = watcher.watch(spoken).await {
        tracing::trace!(%error, "a connection broke off");
    }
}

fn acceptor(certificate: &Path, key: &Path) -> anyhow::Result<TlsAcceptor> {
    let doing = || format!("the certificate {} cannot be used", certificate.display());
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.with_context(doing)?;
    if chain.is_empty() {
        bail!("{} holds no certificate", certificate.display());
    }
    let secret = PrivateKeyDer::from_pem_file(key);
    let secret = secret.with_context(|| format!("the key {} cannot be used", key.display()))?;
    let versions = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let versions = versions.with_safe_default_protocol_versions().with_context(doing)?;
    let mut config = versions.with_no_client_auth().with_single_cert(chain, secret).with_context(doing)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
