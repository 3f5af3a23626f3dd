//! Whom a question is about: a pseudonym, or a CIN that the ledger turns into one.

use std::fmt;
use std::str::FromStr;

use anyhow::Context;
use reqwest::Method;
use rollbook_events::{Cin, MemberId};
use serde_json::{Value, json};

use super::client::Client;
use super::exit::Stop;

/// A member as a person names one. Prints no CIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// By pseudonym.
    Id(MemberId),
    /// By CIN.
    Cin(Cin),
    /// As the first line of stdin says, so that a CIN stands in no shell's history.
    Stdin,
}

/// Neither a pseudonym nor a CIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a member's UUID, a CIN (8 digits and a letter), or - to read one of them from stdin")]
pub struct BadMember;

impl FromStr for Member {
    type Err = BadMember;

    fn from_str(text: &str) -> Result<Self, BadMember> {
        let text = text.trim();
        if text == "-" {
            return Ok(Self::Stdin);
        }
        let id = text.parse().map(Self::Id).ok();
        id.or_else(|| text.parse().map(Self::Cin).ok()).ok_or(BadMember)
    }
}

impl Member {
    /// The pseudonym. A CIN is sent in a body, so that it stands in no address and no log.
    ///
    /// # Errors
    /// Where stdin names no member, or the ledger cannot be asked.
    pub async fn id(&self, client: &Client) -> anyhow::Result<Pseudonym> {
        match self {
            Self::Id(id) => Ok(Pseudonym(id.to_string())),
            Self::Cin(cin) => looked_up(client, cin).await,
            Self::Stdin => match from_stdin()? {
                Self::Id(id) => Ok(Pseudonym(id.to_string())),
                Self::Cin(cin) => looked_up(client, &cin).await,
                Self::Stdin => Err(Stop::usage("stdin names no member").into()),
            },
        }
    }
}

/// A member's id as it stands in addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pseudonym(String);

impl Pseudonym {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn from_stdin() -> anyhow::Result<Member> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).context("could not read stdin")?;
    line.parse().context(Stop::usage("stdin names no member"))
}

async fn looked_up(client: &Client, cin: &Cin) -> anyhow::Result<Pseudonym> {
    let request = client.request(Method::POST, &["v1", "members", "lookup"], &[]).json(&json!({ "cin": cin.expose() }));
    let answer = client.json(request).await?;
    let found = answer.pointer("/data/member").or_else(|| answer.get("member")).and_then(Value::as_str);
    let found = found.and_then(|text| text.parse::<MemberId>().ok());
    found.map(|id| Pseudonym(id.to_string())).ok_or_else(|| Stop::no("the ledger knows no member with this CIN").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_named_by_uuid_or_cin() {
        let id = "018f3c1e-7a10-8c3d-9b4e-0123456789ab";
        assert_eq!(id.parse(), Ok(Member::Id(id.parse().unwrap())));
        assert_eq!(" 91234567a ".parse(), Ok(Member::Cin("91234567A".parse().unwrap())));
        assert_eq!("91234567A29180".parse(), Ok(Member::Cin("91234567A".parse().unwrap())));
        assert_eq!("-".parse(), Ok(Member::Stdin));
        for bad in ["", "91234567", "Jane Doe", "018f3c1e7a108c3d9b4e0123456789ab"] {
            assert_eq!(bad.parse::<Member>(), Err(BadMember), "{bad}");
        }
    }

    #[test]
    fn a_cin_is_not_printed() {
        assert!(!format!("{:?}", "91234567A".parse::<Member>()).contains("91234567"));
    }
}
