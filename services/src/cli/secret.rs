//! What must not be printed by way of a `{:?}`, and from where it comes: a file or the environment, never an argument, which any
//! user of the machine can read.

use std::fmt;
use std::path::PathBuf;

use anyhow::Context;

use super::exit::Stop;
use crate::log::secret;

/// A token, or an address with a password in it. Prints `[secret]`.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// The secret that a variable of the environment holds.
#[expect(clippy::disallowed_methods, reason = "clap reads no variable that is not an argument as well")]
pub fn from_environment(variable: &str) -> Option<Secret> {
    std::env::var(variable).ok().filter(|text| !text.trim().is_empty()).map(|text| Secret(text.trim().to_owned()))
}

/// By which token to call.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct CallersToken {
    /// File with the bearer token to call with; the variable ROLLBOOK_TOKEN is the token itself [default: DIR/admin.token]
    #[arg(long, env = "ROLLBOOK_TOKEN_FILE", value_name = "FILE")]
    token_file: Option<PathBuf>,
}

impl CallersToken {
    /// The token of the file, else of the environment; none where neither is given.
    ///
    /// # Errors
    /// Where the file holds none.
    pub fn given(&self) -> anyhow::Result<Option<Secret>> {
        let Some(file) = &self.token_file else { return Ok(from_environment("ROLLBOOK_TOKEN")) };
        let token = secret(file).with_context(|| Stop::usage("there is no token to call with"))?;
        Ok(Some(Secret(token)))
    }
}
