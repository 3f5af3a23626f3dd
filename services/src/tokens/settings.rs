//! Whose tokens a ledger takes.

use std::path::PathBuf;

use super::jwks::Place;

/// Whether a ledger is for trying out or for real people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Profile {
    /// Tokens that the ledger issued by itself are taken, an owner's among them.
    #[default]
    Trial,
    /// Only an issuer's tokens are taken, and registered clients'.
    Production,
}

/// An issuer of tokens.
#[derive(Debug, Clone)]
pub struct Issuer {
    /// Where its keys are.
    pub keys: Place,
    /// Its name, the `iss` of its tokens.
    pub name: String,
    /// What it calls this ledger, the `aud` of its tokens.
    pub audience: String,
}

/// Whose tokens are taken.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Whether the ledger's own are.
    pub profile: Profile,
    /// The organizations' issuer.
    pub issuer: Option<Issuer>,
    /// The file of registered clients.
    pub clients: Option<PathBuf>,
    /// The address of the token endpoint as clients know it; where none is given, that at which the API listens.
    pub endpoint: Option<String>,
}
