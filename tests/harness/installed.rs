//! Programs of other languages that tests run, installed once beside the build, in the versions that are pinned.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Who needs something, and what to do where it cannot be had.
#[derive(Debug, Clone, Copy)]
pub struct Needed {
    /// Who, as in "an example of deploy/examples".
    pub by: &'static str,
    /// What to do.
    pub advice: &'static str,
}

/// Where they are kept.
///
/// # Panics
/// Where the test lies in no build folder.
pub fn tools() -> PathBuf {
    crate::rollbook().parent().and_then(Path::parent).unwrap().join("tools")
}

/// A Python of its own, with what a file of pins with hashes names.
///
/// # Panics
/// Where it cannot be installed; with what to do.
pub fn python(name: &str, pins: &Path, needed: &Needed) -> PathBuf {
    let home = tools().join(name);
    let python = home.join("bin/python3");
    once(&home, &[pins.to_owned()], || {
        needed.run("python3", ["-m".as_ref(), "venv".as_ref(), home.as_os_str()], &tools());
        let pip = ["-m", "pip", "install", "--quiet", "--require-hashes", "-r"];
        needed.run(&python, pip.map(OsStr::new).into_iter().chain([pins.as_os_str()]), &tools());
    });
    python
}

/// Installs once; a changed pin installs anew.
pub(crate) fn once(home: &Path, pins: &[PathBuf], how: impl FnOnce()) {
    let wanted: String = pins.iter().map(|pin| std::fs::read_to_string(pin).unwrap()).collect();
    let mark = home.join("installed.txt");
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return;
    }
    _ = std::fs::remove_dir_all(home);
    std::fs::create_dir_all(home).unwrap();
    how();
    std::fs::write(mark, wanted).unwrap();
}

impl Needed {
    /// Runs a step of an installation.
    pub(crate) fn run<'a>(
        &self,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = &'a OsStr>,
        folder: &Path,
    ) {
        let name = program.as_ref().to_string_lossy().into_owned();
        let output = Command::new(program).args(arguments).current_dir(folder).stdin(Stdio::null()).output();
        let said = match &output {
            Ok(output) if output.status.success() => return,
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => error.to_string(),
        };
        panic!("{name} could not install what {} needs: {said}\n{}", self.by, self.advice);
    }
}
