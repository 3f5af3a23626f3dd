//! A nats-server as an installation runs its own: started and stopped under a recorder, with settings that may be wrong.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use harness::ledger::Ledger;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rollbook::log::Access;
use tempfile::TempDir;

/// The server, which keeps its ports and its store over restarts.
pub struct Nats {
    folder: TempDir,
    port: u16,
    monitoring: u16,
    child: Option<Child>,
}

impl Nats {
    /// Starts one that flushes as it is told.
    pub fn start(sync_interval: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let free = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (one, other) = (free(), free());
        let [port, monitoring] = [&one, &other].map(|listener| listener.local_addr().unwrap().port());
        drop((one, other));
        let mut nats = Self { folder, port, monitoring, child: None };
        nats.again(sync_interval);
        nats
    }

    /// Starts it again where it was, and waits until it lets clients in.
    pub fn again(&mut self, sync_interval: &str) {
        let config = self.folder.path().join("nats.conf");
        let text = format!(
            "listen: \"127.0.0.1:{}\"\nhttp: \"127.0.0.1:{}\"\njetstream {{ store_dir: \"{}\", sync_interval: {sync_interval} }}\n",
            self.port,
            self.monitoring,
            self.store().display()
        );
        std::fs::write(&config, text).unwrap();
        let program = harness::server::binary().unwrap_or_else(|| PathBuf::from("nats-server"));
        let log = std::fs::File::create(self.folder.path().join("nats.log")).unwrap();
        let child =
            Command::new(program).arg("--config").arg(config).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        self.child = Some(child);
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "the server does not listen");
            std::thread::yield_now();
        }
    }

    /// Ends it in order.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            _ = kill(Pid::from_raw(i32::try_from(child.id()).unwrap()), Signal::SIGTERM);
            _ = child.wait();
        }
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// Copies the store of a server that is stopped.
    pub fn copy_of_store(&self) -> PathBuf {
        let copy = self.folder.path().join("copy");
        let copied = Command::new("cp").arg("-a").arg(self.store()).arg(&copy).status().unwrap();
        assert!(copied.success());
        copy
    }

    /// Puts a copy in the place of the store.
    pub fn put_back(&self, copy: PathBuf) {
        std::fs::remove_dir_all(self.store()).unwrap();
        std::fs::rename(copy, self.store()).unwrap();
    }

    /// How a client reaches it.
    pub fn access(&self) -> Access {
        Access { url: format!("nats://127.0.0.1:{}", self.port), ..Access::default() }
    }

    /// A recorder on it, alone, with SQLite in its folder.
    pub fn recorder(&self, data: &Path, more: &[&str]) -> Ledger {
        let (nats, monitoring) = (self.access().url, format!("http://127.0.0.1:{}", self.monitoring));
        let database = format!("sqlite://{}", data.join("views.db").display());
        let mut arguments = vec!["serve", "recorder", "--create-streams", "--nats", &nats, "--monitoring", &monitoring];
        arguments.extend(["--database", &database]);
        arguments.extend(more);
        Ledger::start(data, &arguments)
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.stop();
    }
}
