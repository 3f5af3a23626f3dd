//! The operator's own token, `admin.token` in the data folder: issued at the start, and anew before it holds no more.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio_util::sync::CancellationToken;

use crate::caller::Role;
use crate::clock;
use crate::error_chain::chain;
use crate::tokens::{Profile, Tokens, Whom, private};

/// Days that it holds.
const DAYS: u16 = 30;
/// How much longer it has to hold not to be issued anew.
const LEFT: TimeDelta = TimeDelta::days(10);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(3_600);

/// Issues the operator's token where there is none that holds for some days more. None in a production profile, which would not take it.
///
/// # Errors
/// Where it cannot be issued or written.
pub(super) async fn operators_token(tokens: &Tokens, data: &Path, now: DateTime<Utc>) -> anyhow::Result<()> {
    let path = data.join("admin.token");
    if tokens.profile() == Profile::Production {
        return Ok(());
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    // What it will be in some days tells more than what it is.
    if tokens.known(kept.trim(), now).await.is_ok() && tokens.known(kept.trim(), now + LEFT).await.is_ok() {
        return Ok(());
    }
    let whom = Whom { org: "rollbook".to_owned(), id: "admin".to_owned(), role: Role::Owner, rights: Vec::new() };
    // The one before goes on holding, for whoever has read it.
    let token = tokens.local().issue("admin", &whom, DAYS, true, now)?;
    let beside = path.with_extension(format!("token.{}", std::process::id()));
    private(&beside, format!("{token}\n").as_bytes())?;
    std::fs::rename(&beside, &path)?;
    Ok(())
}

/// Keeps the operator's token one that holds, until it is told to end.
pub(super) async fn keep_operators_token(tokens: Tokens, data: PathBuf, cancelled: CancellationToken) {
    while cancelled.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
        if let Err(error) = operators_token(&tokens, &data, clock::now()).await {
            tracing::error!(error = chain(&*error), "the operator's token could not be issued anew");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_issued_once_and_anew_before_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let (tokens, now) = (Tokens::of(folder.path()).unwrap(), clock::now());
        let read = || std::fs::read_to_string(folder.path().join("admin.token")).unwrap();
        std::fs::write(folder.path().join("admin.token"), "rollbook_of_the_first_release\n").unwrap();
        operators_token(&tokens, folder.path(), now).await.unwrap();
        let first = read();
        let known = tokens.known(first.trim(), now).await.unwrap();
        assert_eq!((known.caller.role, known.local), (Role::Owner, true));
        operators_token(&tokens, folder.path(), now + TimeDelta::days(19)).await.unwrap();
        assert_eq!(read(), first);
        let later = now + TimeDelta::days(21);
        operators_token(&tokens, folder.path(), later).await.unwrap();
        assert_ne!(read(), first);
        assert!(tokens.known(first.trim(), later).await.is_ok() && tokens.known(read().trim(), later).await.is_ok());
    }
}
