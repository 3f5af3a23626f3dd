//! The server's process.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::sync::{oneshot, watch};

use super::StartError;
use crate::log::{OLDEST_SERVER, Version};

/// A process that ends with this one.
#[derive(Debug)]
pub(super) struct Child {
    pid: u32,
    status: watch::Receiver<Option<ExitStatus>>,
}

impl Child {
    /// Starts the server, and a thread that lives as long as it does. On Linux a child is ended when the *thread* that
    /// started it ends, so that it must not be one of the runtime's, which come and go.
    pub async fn start(binary: PathBuf, config: &Path, stdin: File, output: File) -> Result<Self, StartError> {
        let name = binary.clone();
        let (started, starting) = oneshot::channel();
        let (ended, status) = watch::channel(None);
        let config = config.to_owned();
        let supervise = move || {
            let child = check_version(&binary).and_then(|()| spawn(binary, &config, stdin, output));
            let mut child = match child {
                Ok(child) => child,
                Err(error) => return drop(started.send(Err(error))),
            };
            drop(started.send(Ok(child.id())));
            // Waiting fails only if someone else has waited for it: then it has ended, but nobody knows how.
            if let Ok(status) = child.wait() {
                ended.send_replace(Some(status));
            }
        };
        let thread = thread::Builder::new().name("nats-server".into()).spawn(supervise);
        thread.map_err(|source| StartError::DoesNotRun { binary: name.clone(), source })?;
        let gone = |_| StartError::DoesNotRun { binary: name, source: io::Error::other("its thread ended") };
        let pid = starting.await.map_err(gone)??;
        Ok(Self { pid, status })
    }

    pub fn pid(&self) -> u32 {
        self.pid
    }

    pub fn ended(&self) -> Option<ExitStatus> {
        *self.status.borrow()
    }

    pub async fn wait(&mut self) -> Option<ExitStatus> {
        match self.status.wait_for(Option::is_some).await {
            Ok(status) => *status,
            Err(_) => None,
        }
    }

    pub fn terminate(&self) {
        self.signal(Signal::SIGTERM);
    }

    pub fn kill(&self) {
        self.signal(Signal::SIGKILL);
    }

    fn signal(&self, signal: Signal) {
        // Its number may be another's once it has ended.
        if self.ended().is_none()
            && let Ok(pid) = i32::try_from(self.pid)
        {
            // It may have ended this very moment, which is what the signal is for.
            let _ = kill(Pid::from_raw(pid), signal);
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.terminate();
    }
}

fn check_version(binary: &Path) -> Result<(), StartError> {
    let output = Command::new(binary).arg("--version").stdin(Stdio::null()).output();
    let output = output.map_err(|source| {
        if source.kind() == io::ErrorKind::NotFound {
            StartError::NotFound { binary: binary.to_owned() }
        } else {
            StartError::DoesNotRun { binary: binary.to_owned(), source }
        }
    })?;
    // `nats-server: v2.15.1`
    let text = String::from_utf8_lossy(&output.stdout);
    let found = text.split_whitespace().last().unwrap_or("of unknown version");
    match Version::parse(found) {
        Some(version) if version >= OLDEST_SERVER => Ok(()),
        _ => Err(StartError::TooOld { binary: binary.to_owned(), found: found.to_owned() }),
    }
}

fn spawn(binary: PathBuf, config: &Path, stdin: File, output: File) -> Result<std::process::Child, StartError> {
    let errors = output.try_clone().map_err(|source| StartError::Folder { path: config.to_owned(), source })?;
    let prepare = |mut command: Command| {
        command.arg("--config").arg(config).stdin(stdin).stdout(output).stderr(errors);
        // Ctrl-C is for this program, which then ends the server in its own order.
        command.process_group(0);
        command
    };
    let mut command = if cfg!(target_os = "linux") && has_setpriv() {
        // Ends the server also if this program is killed; it becomes the server, with the same process id.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "TERM", "--"]).arg(&binary);
        prepare(command)
    } else {
        prepare(Command::new(&binary))
    };
    command.spawn().map_err(|source| StartError::DoesNotRun { binary, source })
}

/// Whether util-linux's `setpriv` is there and knows the option; BusyBox's does not.
fn has_setpriv() -> bool {
    let tried = Command::new("setpriv").args(["--pdeathsig", "TERM", "--", "true"]).stdin(Stdio::null()).output();
    tried.is_ok_and(|output| output.status.success())
}
