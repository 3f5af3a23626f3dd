//! A PostgreSQL of the measurement's own, in a temporary folder, or the one a person names.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

const START_TIMEOUT: Duration = Duration::from_secs(60);
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);

/// Where PostgreSQL's programs are installed, besides `PATH`.
const USUAL: &str = "/usr/lib/postgresql";

/// A database for the views.
#[derive(Debug)]
pub struct Postgres {
    url: String,
    own: Option<Own>,
}

#[derive(Debug)]
struct Own {
    server: Child,
    _folder: TempDir,
}

impl Postgres {
    /// The one a person names; its tables of views are emptied.
    pub fn named(url: String) -> Self {
        Self { url, own: None }
    }

    /// Starts one on a free port of this machine, by the programs of a folder.
    ///
    /// # Errors
    /// Where it does not start.
    pub async fn start(programs: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir().context("could not make a folder for PostgreSQL")?;
        // PostgreSQL refuses to run as root, and the user it then runs as must be able to write here.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777))?;
        let data = folder.path().join("data");
        let made = command(&programs.join("initdb"))
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "-D"])
            .arg(&data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        ensure!(made.await.context("initdb does not run")?.success(), "initdb failed");
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let server = command(&programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-k"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("postgres does not run")?;
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let mut own = Own { server, _folder: folder };
        own.ready(programs, port).await?;
        Ok(Self { url, own: Some(own) })
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends it where it is the measurement's own.
    pub async fn stop(self) {
        let Some(mut own) = self.own else { return };
        // SIGINT is PostgreSQL's fast shutdown.
        super::service::signal(&own.server, nix::sys::signal::Signal::SIGINT);
        if tokio::time::timeout(STOP_TIMEOUT, own.server.wait()).await.is_err() {
            _ = own.server.kill().await;
        }
    }
}

impl Own {
    async fn ready(&mut self, programs: &Path, port: u16) -> anyhow::Result<()> {
        let begun = Instant::now();
        while begun.elapsed() < START_TIMEOUT {
            if let Some(status) = self.server.try_wait()? {
                bail!("PostgreSQL ended with {status} instead of starting");
            }
            let mut asked = Command::new(programs.join("pg_isready"));
            asked.args(["-h", "127.0.0.1", "-p", &port.to_string()]).stdout(Stdio::null());
            if asked.status().await.context("pg_isready does not run")?.success() {
                return Ok(());
            }
            sleep(POLL).await;
        }
        bail!("PostgreSQL was not ready within {} s", START_TIMEOUT.as_secs())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // Where the measurement is broken off; a server that has ended already has no process id any more.
        super::service::signal(&self.server, nix::sys::signal::Signal::SIGINT);
    }
}

/// The folder of PostgreSQL's programs: the newest of the usual places, else one of these of `PATH`.
pub fn programs(path: &[PathBuf]) -> Option<PathBuf> {
    let usual = std::fs::read_dir(USUAL).into_iter().flatten().filter_map(Result::ok);
    let mut usual: Vec<PathBuf> = usual.map(|version| version.path().join("bin")).collect();
    usual.sort();
    usual
        .into_iter()
        .rev()
        .chain(path.iter().cloned())
        .find(|folder| ["initdb", "postgres", "pg_isready"].iter().all(|program| folder.join(program).exists()))
}

fn command(program: &Path) -> Command {
    if !nix::unistd::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]).arg(program);
    command
}
