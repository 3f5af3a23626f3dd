//! The example subscribers of deploy/examples, with what they need installed once into the build folder.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program of deploy/examples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Example {
    /// With nats-py.
    Python,
    /// With @nats-io.
    Node,
}

/// Whether the examples are run, or left out knowingly.
#[expect(clippy::disallowed_methods, reason = "tests are told by the environment what to leave out")]
pub fn are_run() -> bool {
    std::env::var_os("ROLLBOOK_TEST_EXAMPLES").is_none_or(|say| say != "skip")
}

fn source(example: Example) -> PathBuf {
    let name = match example {
        Example::Python => "python",
        Example::Node => "node",
    };
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("deploy/examples").join(name)
}

impl Example {
    /// The program, ready to be given its arguments.
    ///
    /// # Panics
    /// Where what it needs cannot be installed; with what to do.
    pub fn command(self) -> Command {
        let (source, tools) = (source(self), crate::rollbook().parent().and_then(Path::parent).unwrap().join("tools"));
        match self {
            Self::Python => {
                let (home, pins) = (tools.join("examples-python"), source.join("requirements.txt"));
                let python = home.join("bin/python3");
                install(&home, std::slice::from_ref(&pins), || {
                    run("python3", ["-m".as_ref(), "venv".as_ref(), home.as_os_str()], &tools);
                    let pip = ["-m", "pip", "install", "--quiet", "--require-hashes", "-r"];
                    let arguments = pip.map(OsStr::new).into_iter().chain([pins.as_os_str()]);
                    run(&python, arguments, &tools);
                });
                let mut command = Command::new(python);
                command.arg(source.join("subscriber.py"));
                command
            }
            Self::Node => {
                let home = tools.join("examples-node");
                let files = ["package.json", "package-lock.json"].map(|name| source.join(name));
                install(&home, &files, || {
                    for file in &files {
                        std::fs::copy(file, home.join(file.file_name().unwrap())).unwrap();
                    }
                    run(
                        "npm",
                        ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"].map(OsStr::new),
                        &home,
                    );
                });
                // Modules are looked for beside the program.
                std::fs::copy(source.join("subscriber.mjs"), home.join("subscriber.mjs")).unwrap();
                let mut command = Command::new("node");
                command.arg(home.join("subscriber.mjs"));
                command
            }
        }
    }
}

/// Installs once; a changed pin installs anew.
fn install(home: &Path, pins: &[PathBuf], how: impl FnOnce()) {
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

fn run<'a>(program: impl AsRef<OsStr>, arguments: impl IntoIterator<Item = &'a OsStr>, folder: &Path) {
    let name = program.as_ref().to_string_lossy().into_owned();
    let output = Command::new(program).args(arguments).current_dir(folder).stdin(Stdio::null()).output();
    let said = match &output {
        Ok(output) if output.status.success() => return,
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(error) => error.to_string(),
    };
    panic!(
        "{name} could not install what an example of deploy/examples needs: {said}\n\
         Debian, Ubuntu: sudo apt-get install python3-venv nodejs npm; macOS: brew install python3 node\n\
         to leave the examples out, knowingly: ROLLBOOK_TEST_EXAMPLES=skip"
    );
}
