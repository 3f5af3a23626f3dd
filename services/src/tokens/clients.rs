//! The machine clients that may have an access token for a signed assertion: registered in a file, each with its public keys.

use std::path::Path;

use anyhow::{Context, bail};
use rollbook_events::Sensitivity;
use serde::Deserialize;
use serde_json::Value;

use super::claims::is_organization;
use super::keys::KeySet;
use super::local::Whom;
use crate::caller::Role;

/// Clients of one ledger.
const MOST_CLIENTS: usize = 1_000;

/// A client that is registered.
#[derive(Debug, Clone)]
pub(super) struct Client {
    /// Who it is.
    pub whom: Whom,
    /// Its public keys.
    pub keys: KeySet,
}

/// All of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Clients(Vec<Client>);

/// The file, as TOML or, where its name ends so, as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    client: Vec<WrittenClient>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenClient {
    id: String,
    org: String,
    role: Role,
    #[serde(default)]
    rights: Vec<Sensitivity>,
    jwks: Option<Value>,
    jwks_file: Option<String>,
}

impl Clients {
    /// Reads the file of clients; a file of keys is looked for beside it.
    ///
    /// # Errors
    /// Which client is wrong, and how.
    pub fn parse(path: &Path, text: &[u8]) -> anyhow::Result<Self> {
        let text = std::str::from_utf8(text).with_context(|| format!("{} is not UTF-8", path.display()))?;
        let written: Written = if path.extension().is_some_and(|extension| extension == "json") {
            serde_json::from_str(text).with_context(|| format!("{} is no list of clients", path.display()))?
        } else {
            toml::from_str(text).with_context(|| format!("{} is no list of clients", path.display()))?
        };
        if written.client.len() > MOST_CLIENTS {
            bail!("{} has more than {MOST_CLIENTS} clients", path.display());
        }
        let mut clients: Vec<Client> = Vec::with_capacity(written.client.len());
        for one in written.client {
            let id = one.id.clone();
            let client = one.checked(path).with_context(|| format!("client {id} in {}", path.display()))?;
            if clients.iter().any(|other| other.whom.id == id) {
                bail!("client {id} stands twice in {}", path.display());
            }
            clients.push(client);
        }
        Ok(Self(clients))
    }

    /// The client of an id.
    pub fn find(&self, id: &str) -> Option<&Client> {
        self.0.iter().find(|client| client.whom.id == id)
    }
}

impl WrittenClient {
    fn checked(self, path: &Path) -> anyhow::Result<Client> {
        let Self { id, org, role, rights, jwks, jwks_file } = self;
        if !(1..=128).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            bail!("an id is 1 to 128 visible ASCII characters");
        }
        if role == Role::Owner {
            bail!("no client is an owner");
        }
        if !is_organization(&org, role) {
            bail!("`org` is no organization: expected a code as la-care, for a provider its code or NPI");
        }
        if rights.contains(&Sensitivity::None) {
            bail!("`none` is no right; the rights are part2, hiv, minor");
        }
        let keys = match (jwks, jwks_file) {
            (Some(jwks), None) => KeySet::of(&jwks).context("its `jwks`")?,
            (None, Some(file)) => {
                let file = path.parent().unwrap_or(Path::new(".")).join(file);
                let text = std::fs::read(&file).with_context(|| format!("could not read {}", file.display()))?;
                KeySet::parse(&text).with_context(|| file.display().to_string())?
            }
            (Some(_), Some(_)) | (None, None) => bail!("give its keys as `jwks` or as `jwks_file`"),
        };
        Ok(Client { whom: Whom { org, id, role, rights }, keys })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        r#"{ keys = [{ kty = "OKP", crv = "Ed25519", x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" }] }"#;

    fn parsed(text: &str) -> anyhow::Result<Clients> {
        Clients::parse(Path::new("clients.toml"), text.as_bytes())
    }

    #[test]
    fn a_client_has_an_organization_a_role_and_keys() {
        let one = |id: &str, role: &str| {
            format!("[[client]]\nid = \"{id}\"\norg = \"la-care\"\nrole = \"{role}\"\njwks = {KEY}\n")
        };
        let clients = parsed(&(one("feed", "subscriber") + &one("intake", "recorder"))).unwrap();
        assert_eq!(clients.find("intake").map(|client| client.whom.role), Some(Role::Recorder));
        assert!(clients.find("nobody").is_none());
        for (bad, why) in [
            (one("feed", "owner"), "no client is an owner"),
            (one("feed", "subscriber") + &one("feed", "subscriber"), "twice"),
            (one("feed", "subscriber").replace("la-care", "LA"), "no organization"),
            ("[[client]]\nid = \"a\"\norg = \"la-care\"\nrole = \"auditor\"\n".to_owned(), "jwks"),
            (one("feed", "king"), "no list of clients"),
            (one("feed", "subscriber") + "secret = \"x\"\n", "no list of clients"),
        ] {
            let error = parsed(&bad).map(|_| ()).unwrap_err();
            assert!(format!("{error:#}").contains(why), "{why}: {error:#}");
        }
    }
}
