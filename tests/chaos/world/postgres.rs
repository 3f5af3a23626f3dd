//! A PostgreSQL of a run's own: a copy of one folder that was made once.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

/// A folder as `initdb` makes it, made once a process.
static TEMPLATE: OnceLock<TempDir> = OnceLock::new();

/// Where PostgreSQL's programs are; none where it is left out, knowingly.
pub fn programs() -> Option<PathBuf> {
    crate::postgres::programs()
}

/// Lets the user that PostgreSQL runs as reach into a folder.
pub fn let_in(folder: &Path) {
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o777)).unwrap();
}

/// Makes a data folder at `data`, whose parent that user may write to.
pub fn make(programs: &Path, data: &Path) {
    let template = TEMPLATE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let_in(folder.path());
        let made = crate::postgres::command(&programs.join("initdb"))
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync", "-D"])
            .arg(folder.path().join("data"))
            .stdout(Stdio::null())
            .status();
        assert!(made.unwrap().success(), "initdb failed");
        folder
    });
    let mut copy = crate::postgres::command(Path::new("cp"));
    let copied = copy.arg("-a").arg(template.path().join("data")).arg(data).status();
    assert!(copied.unwrap().success(), "the database's folder could not be copied");
}

/// The server, on a socket in `sockets` alone. Its flushing is the default: what it says is committed is on disk.
pub fn server(programs: &Path, data: &Path, sockets: &Path) -> Command {
    let mut command = crate::postgres::command(&programs.join("postgres"));
    command.arg("-D").arg(data).args(["-h", "", "-c", "max_connections=200", "-c", "shared_buffers=32MB", "-k"]);
    command.arg(sockets);
    command
}

/// The socket in a folder.
pub fn socket(sockets: &Path) -> PathBuf {
    sockets.join(".s.PGSQL.5432")
}
