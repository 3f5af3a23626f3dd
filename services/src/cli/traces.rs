//! Spans to an OpenTelemetry collector, where one is named: what the program does and how long it takes, by route and by
//! number, never by whom.

use std::time::Duration;

use anyhow::Context;
use opentelemetry::trace::TracerProvider;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use super::exit::Stop;

/// How long the collector may take for one delivery; what it does not take is dropped.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(5);
/// The most of an answer that is read: a collector says little.
const MOST_ANSWER_BYTES: usize = 64 * 1_024;

/// Spans on their way; at most 2,048 wait, later ones are dropped.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
}

impl Traces {
    /// To the collector at this address, as `http://127.0.0.1:4318`.
    ///
    /// # Errors
    /// Where it is no address.
    pub fn to(endpoint: &str) -> anyhow::Result<Self> {
        let stop = || {
            Stop::usage(format!("`{endpoint}` is no collector's address")).next("as in --otlp http://127.0.0.1:4318")
        };
        let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
        anyhow::ensure!(url.starts_with("http://") || url.starts_with("https://"), stop());
        let client = reqwest::Client::builder().timeout(DELIVERY_TIMEOUT).build().with_context(stop)?;
        let client = OnRuntime { client, runtime: Handle::current() };
        let exporter = SpanExporter::builder().with_http().with_http_client(client).with_endpoint(url);
        let exporter = exporter.with_timeout(DELIVERY_TIMEOUT).build().with_context(stop)?;
        let resource = Resource::builder().with_service_name("rollbook").build();
        Ok(Self {
            provider: SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build(),
        })
    }

    /// Takes this program's spans, and no event and no span of a library.
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        let layer: OpenTelemetryLayer<S, SdkTracer> = tracing_opentelemetry::layer()
            .with_tracer(self.provider.tracer("rollbook"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false);
        layer.with_filter(filter_fn(|about| about.is_span() && about.target().starts_with("rollbook")))
    }

    /// Delivers what still waits.
    pub async fn end(self) {
        // It blocks until the collector has answered, or for five seconds.
        let ended = tokio::task::spawn_blocking(move || self.provider.shutdown()).await;
        if !matches!(ended, Ok(Ok(()))) {
            tracing::warn!("the last spans were not delivered");
        }
    }
}

/// The exporter waits on a thread of its own, where the client has no runtime.
#[derive(Debug)]
struct OnRuntime {
    client: reqwest::Client,
    runtime: Handle,
}

#[async_trait::async_trait]
impl HttpClient for OnRuntime {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let (send, answer) = oneshot::channel();
        self.runtime.spawn(async move {
            // Whoever asked may have given up.
            _ = send.send(sent(client, request).await);
        });
        answer.await?
    }
}

async fn sent(client: reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let mut answer = client.execute(request.try_into()?).await?;
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        response = response.header(name, value);
    }
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > MOST_ANSWER_BYTES {
            break;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(response.body(Bytes::from(body))?)
}
