//! What the program says of itself while it runs: on stderr, as text or as JSON.

use std::io::{IsTerminal, stderr};

use anyhow::Context;
use tracing::Metadata;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

use super::exit::Stop;
use super::traces::Traces;

/// What is logged, and how.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "What it says of itself")]
pub struct Logging {
    /// What is logged to stderr: error, warn, info, debug, or a filter as in rollbook=debug,warn
    /// [default: info for up and serve, else warn]
    #[arg(long, env = "ROLLBOOK_LOG", value_name = "FILTER", global = true, hide_short_help = true)]
    log: Option<String>,
    /// Log in JSON, an object a line
    #[arg(long, env = "ROLLBOOK_LOG_JSON", global = true, hide_short_help = true)]
    log_json: bool,
    /// Send spans to this OpenTelemetry collector (OTLP over HTTP), as in http://127.0.0.1:4318
    #[arg(long, env = "ROLLBOOK_OTLP", value_name = "URL", global = true, hide_short_help = true)]
    otlp: Option<String>,
}

/// Libraries that write what they were given to carry, and the most that they may say, whatever filter is asked for.
const CAPPED: [(&str, LevelFilter); 5] = [
    // Below info it writes questions and answers of the log with their bodies, and what it connects with.
    ("async_nats", LevelFilter::INFO),
    // Statements; and what a server says of one names the values in it.
    ("sqlx", LevelFilter::WARN),
    // It tells of each span.
    ("opentelemetry", LevelFilter::WARN),
    // What it could not read of a request it tells with the value: a name in a body, a number in a path.
    ("axum::rejection", LevelFilter::OFF),
    // Whole messages of a handshake; with a ticket in one a session can be resumed.
    ("rustls", LevelFilter::DEBUG),
];

/// Whether a library may say this at all.
fn is_let_through(said: &Metadata<'_>) -> bool {
    let most = CAPPED.iter().find(|(library, _)| said.target().starts_with(library)).map(|(_, most)| most);
    most.is_none_or(|most| said.level() <= most)
}

impl Logging {
    /// Begins to log, and to send spans where a collector is named.
    ///
    /// # Errors
    /// Where the filter is none, or the collector's address.
    pub fn begin(&self, default: &str) -> anyhow::Result<Option<Traces>> {
        let filter = self.log.as_deref().unwrap_or(default);
        let filter = EnvFilter::try_new(filter)
            .with_context(|| Stop::usage(format!("`{filter}` is no filter of logs")).next("as in --log info"))?;
        // At info it tells of each connection, which is of interest where a ledger runs.
        let client = match default {
            "info" => "async_nats=info",
            "error" if self.log.is_none() => "async_nats=error",
            _ => "async_nats=warn",
        };
        let client = client.parse().context("could not cap the log of the client")?;
        let filter = filter.add_directive(client).and(filter_fn(is_let_through));
        let lines = fmt::layer().with_writer(stderr);
        let lines = if self.log_json {
            lines.json().boxed()
        } else if stderr().is_terminal() {
            // Colors, unless NO_COLOR is set, which the subscriber looks at itself.
            lines.boxed()
        } else {
            lines.with_ansi(false).boxed()
        };
        let traces = self.otlp.as_deref().map(Traces::to).transpose()?;
        let begun = registry().with(lines.with_filter(filter)).with(traces.as_ref().map(Traces::layer)).try_init();
        begun.context("could not begin to log")?;
        Ok(traces)
    }
}
