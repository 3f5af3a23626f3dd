//! What the program says of itself while it runs: on stderr, as text or as JSON.

use std::io::{IsTerminal, stderr};

use anyhow::Context;
use tracing_subscriber::EnvFilter;

use super::exit::Stop;

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
}

impl Logging {
    /// Begins to log.
    ///
    /// # Errors
    /// Where the filter is none.
    pub fn begin(&self, default: &str) -> anyhow::Result<()> {
        let filter = self.log.as_deref().unwrap_or(default);
        let filter = EnvFilter::try_new(filter)
            .with_context(|| Stop::usage(format!("`{filter}` is no filter of logs")).next("as in --log info"))?;
        // Below info async-nats writes questions and answers of the log, bodies included, and sqlx writes statements.
        let nats = if self.log.is_none() && default == "error" { "async_nats=error" } else { "async_nats=info" };
        let filter = [nats, "sqlx=warn"]
            .iter()
            .try_fold(filter, |filter, directive| directive.parse().map(|directive| filter.add_directive(directive)));
        let filter = filter.context("could not cap the logs of the libraries")?;
        let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr);
        let begun = if self.log_json {
            builder.json().try_init()
        } else if stderr().is_terminal() {
            // Colors, unless NO_COLOR is set, which the subscriber looks at itself.
            builder.try_init()
        } else {
            builder.with_ansi(false).try_init()
        };
        begun.map_err(|error| anyhow::anyhow!(error)).context("could not begin to log")
    }
}
