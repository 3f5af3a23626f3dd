//! A PostgreSQL of a test's own.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running PostgreSQL, ended when it is dropped.
#[derive(Debug)]
pub struct Postgres {
    child: Child,
    port: u16,
    folder: TempDir,
}

/// Where PostgreSQL's programs are; none where a person said that it is left out.
///
/// # Panics
/// Where neither is said: leaving half of the views untested must not look like a pass.
#[expect(clippy::disallowed_methods, reason = "tests are told where their servers are by the environment")]
pub(crate) fn programs() -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os("ROLLBOOK_TEST_PG_BIN") {
        return Some(PathBuf::from(folder));
    }
    if std::env::var_os("ROLLBOOK_TEST_POSTGRES").is_some_and(|say| say == "skip") {
        return None;
    }
    let usual = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    let found = usual.map(|version| version.path().join("bin")).find(|bin| bin.join("initdb").exists());
    Some(found.expect("PostgreSQL's programs are not found: set ROLLBOOK_TEST_PG_BIN, or run deploy/test"))
}

/// Whether PostgreSQL is tested with, or left out knowingly.
///
/// # Panics
/// Where its programs are not found and nobody said that it is left out.
pub fn is_there() -> bool {
    programs().is_some()
}

/// A command of PostgreSQL, which refuses to run as root: then as the user `postgres`.
pub(crate) fn command(program: &Path) -> Command {
    if nix::unistd::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

impl Postgres {
    /// Starts one; none where a person said that PostgreSQL is left out.
    ///
    /// # Panics
    /// Where it cannot be started.
    pub fn start() -> Option<Self> {
        let programs = programs()?;
        let folder = tempfile::tempdir().unwrap();
        // The user postgres must be able to write here.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let data = folder.path().join("data");
        let made = command(&programs.join("initdb"))
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-sync", "-D"])
            .arg(&data)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success(), "initdb failed");
        let port = crate::ports::free_port().unwrap();
        let child = command(&programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-k"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let postgres = Self { child, port, folder };
        postgres.wait(&programs);
        Some(postgres)
    }

    fn wait(&self, programs: &Path) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            let ready = Command::new(programs.join("pg_isready"))
                .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
                .stdout(Stdio::null())
                .status()
                .unwrap();
            if ready.success() {
                return;
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
        panic!("PostgreSQL in {} is not ready after a minute", self.folder.path().display());
    }

    /// Runs SQL and gives what it answers, a line a row.
    ///
    /// # Panics
    /// Where it fails; with what it said.
    pub fn sql(&self, text: &str) -> String {
        self.sql_in("postgres", "postgres", text)
    }

    /// Runs SQL in a database as somebody and gives what it answers, a line a row.
    ///
    /// # Panics
    /// Where it fails; with what it said.
    pub fn sql_in(&self, database: &str, user: &str, text: &str) -> String {
        let port = self.port.to_string();
        let arguments = ["-h", "127.0.0.1", "-p", &port, "-U", user, "-AtqX", "-v", "ON_ERROR_STOP=1", "-c", text];
        let psql = programs().unwrap().join("psql");
        let output = Command::new(psql).args(arguments).arg(database).output().unwrap();
        assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Its address.
    pub fn url(&self) -> String {
        self.url_of("postgres", "postgres")
    }

    /// The address of a database, for somebody.
    pub fn url_of(&self, database: &str, user: &str) -> String {
        format!("postgres://{user}@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // SIGINT is PostgreSQL's fast shutdown.
        let id = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        _ = nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGINT);
        _ = self.child.wait();
    }
}
