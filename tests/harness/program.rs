//! The program as every test starts it, and the one place that does: it says all that it can say, at TRACE, and when it has ended,
//! however that was, what it said is searched for whatever must not stand in a log. A finding fails the test.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use tempfile::NamedTempFile;

use crate::leaks::{self, Leak};

/// How the program is told what to log.
pub const LEVEL: (&str, &str) = ("ROLLBOOK_LOG", "trace");

/// A call of the program, ready to be made. Its stderr is the harness's own: an output tells what a person would see there.
#[derive(Debug)]
pub struct Program {
    command: Command,
    log: Option<PathBuf>,
    data: Option<PathBuf>,
}

impl Default for Program {
    fn default() -> Self {
        Self::new()
    }
}

impl Program {
    /// A call of the program under test.
    ///
    /// # Panics
    /// Where it was not built.
    pub fn new() -> Self {
        Self::at(&crate::rollbook())
    }

    /// A call of another build of it.
    pub fn at(path: &Path) -> Self {
        let mut command = Command::new(path);
        command.env(LEVEL.0, LEVEL.1).stdin(Stdio::null());
        Self { command, log: None, data: None }
    }

    /// One argument more.
    pub fn arg(&mut self, argument: impl AsRef<OsStr>) -> &mut Self {
        self.command.arg(argument);
        self
    }

    /// More arguments.
    pub fn args(&mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> &mut Self {
        self.command.args(arguments);
        self
    }

    /// A variable of its environment.
    pub fn env(&mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> &mut Self {
        self.command.env(name, value);
        self
    }

    /// Variables of its environment.
    pub fn envs(&mut self, all: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>) -> &mut Self {
        self.command.envs(all);
        self
    }

    /// Without a variable of ours.
    pub fn env_remove(&mut self, name: impl AsRef<OsStr>) -> &mut Self {
        self.command.env_remove(name);
        self
    }

    /// Where its answers go.
    pub fn stdout(&mut self, to: impl Into<Stdio>) -> &mut Self {
        self.command.stdout(to);
        self
    }

    /// Its log is kept here, after what stands there; without this it goes to a file that goes with the process.
    pub fn log(&mut self, path: impl Into<PathBuf>) -> &mut Self {
        self.log = Some(path.into());
        self
    }

    /// The keys of this folder must not stand in its log, nor anything in the logs of the server that runs there.
    pub fn data(&mut self, folder: impl Into<PathBuf>) -> &mut Self {
        self.data = Some(folder.into());
        self
    }

    /// A process group of its own, so that a test can kill the whole tree at once.
    pub fn process_group(&mut self, group: i32) -> &mut Self {
        std::os::unix::process::CommandExt::process_group(&mut self.command, group);
        self
    }

    /// The call itself, for whoever starts it again and again and has its logs searched by [`logs_below`].
    pub fn into_command(self) -> Command {
        self.command
    }

    /// Runs it to its end. What it logged is left out of the output, but for warnings and errors.
    ///
    /// # Errors
    /// Where it cannot be run.
    ///
    /// # Panics
    /// Where its log holds what it must not.
    pub fn output(&mut self) -> io::Result<Output> {
        let mut output = self.command.stderr(Stdio::piped()).output()?;
        self.data.as_deref().into_iter().for_each(leaks::secrets_of);
        refuse(&leaks::in_log(&output.stderr));
        output.stderr = for_a_person(&output.stderr);
        Ok(output)
    }

    /// Runs it to its end, and tells how that was.
    ///
    /// # Errors
    /// Where it cannot be run.
    ///
    /// # Panics
    /// As [`Self::output`].
    pub fn status(&mut self) -> io::Result<ExitStatus> {
        Ok(self.output()?.status)
    }

    /// Starts it.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub fn spawn(&mut self) -> io::Result<Running> {
        let (path, kept) = match &self.log {
            Some(path) => (path.clone(), None),
            None => {
                let file = NamedTempFile::new()?;
                (file.path().to_owned(), Some(file))
            }
        };
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let begin = file.metadata()?.len();
        let child = self.command.stderr(file).spawn()?;
        Ok(Running { child, log: path, begin, data: self.data.clone(), is_searched: false, _kept: kept })
    }
}

/// A process of the program. It is ended, and its log searched, when it is dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    log: PathBuf,
    /// Where its own lines begin in the log.
    begin: u64,
    data: Option<PathBuf>,
    is_searched: bool,
    _kept: Option<NamedTempFile>,
}

impl Running {
    /// Waits until it has ended, and gives what a person would have read of it on stderr.
    ///
    /// # Errors
    /// Where it cannot be waited for.
    ///
    /// # Panics
    /// Where its log holds what it must not.
    pub fn said(mut self) -> io::Result<(ExitStatus, String)> {
        let status = self.child.wait()?;
        let said = for_a_person(&read_from(&self.log, self.begin)?);
        Ok((status, String::from_utf8_lossy(&said).into_owned()))
    }

    /// What stands in its logs and must not; once it was asked for, it is the asker's to refuse.
    ///
    /// # Errors
    /// Where its log cannot be read.
    pub fn leaks(mut self) -> io::Result<Vec<Leak>> {
        self.is_searched = true;
        self.search()
    }

    fn search(&self) -> io::Result<Vec<Leak>> {
        self.data.as_deref().into_iter().for_each(leaks::secrets_of);
        let mut leaks = leaks::in_log(&read_from(&self.log, self.begin)?);
        let Some(data) = &self.data else { return Ok(leaks) };
        for log in ["nats/nats-server.log", "nats/nats-server.out"] {
            leaks.extend(std::fs::read(data.join(log)).map(|log| leaks::in_log(&log)).unwrap_or_default());
        }
        Ok(leaks)
    }
}

impl Deref for Running {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.child
    }
}

impl DerefMut for Running {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.child
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.child.try_wait().is_ok_and(|ended| ended.is_some()) {
            _ = self.child.kill();
            _ = self.child.wait();
        }
        if self.is_searched {
            return;
        }
        match self.search() {
            Ok(leaks) => refuse(&leaks),
            Err(error) if std::thread::panicking() => eprintln!("{} cannot be searched: {error}", self.log.display()),
            Err(error) => panic!("{} cannot be searched: {error}", self.log.display()),
        }
    }
}

/// Everything in the logs of a folder and those below that must not stand there.
///
/// # Panics
/// Where one cannot be read.
pub fn logs_below(folder: &Path) -> Vec<Leak> {
    let mut leaks = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().filter_map(Result::ok) {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            // What belongs to PostgreSQL is closed to us, and no log of the program.
            if std::fs::read_dir(&path).is_ok() {
                leaks.extend(logs_below(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "log") {
            leaks.extend(leaks::in_log(&std::fs::read(&path).unwrap()));
        }
    }
    leaks
}

/// Fails the test where there is something.
///
/// # Panics
/// So.
pub fn refuse(leaks: &[Leak]) {
    let told: Vec<String> = leaks.iter().take(5).map(ToString::to_string).collect();
    match leaks.len() {
        0 => {}
        // Another panic would end the process before the first is told.
        count if std::thread::panicking() => eprintln!("{count} leaks:\n{}", told.join("\n")),
        count => panic!("{count} leaks:\n{}", told.join("\n")),
    }
}

fn read_from(log: &Path, begin: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(log)?;
    file.seek(SeekFrom::Start(begin))?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    Ok(text)
}

/// Without the lines that are logged because tests ask for all.
fn for_a_person(said: &[u8]) -> Vec<u8> {
    said.split_inclusive(|byte| *byte == b'\n').filter(|line| !is_chatter(line)).flatten().copied().collect()
}

/// Whether a line was logged below a warning: a moment, then the level.
pub(crate) fn is_chatter(line: &[u8]) -> bool {
    let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let is_moment =
        words.next().is_some_and(|first| first.len() > 20 && first[0].is_ascii_digit() && first.ends_with(b"Z"));
    is_moment && words.next().is_some_and(|level| matches!(level, b"TRACE" | b"DEBUG" | b"INFO"))
}
