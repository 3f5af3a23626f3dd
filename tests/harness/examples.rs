//! The example subscribers of deploy/examples, with what they need installed once into the build folder.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::installed::{Needed, once, python, tools};

const NEEDED: Needed = Needed {
    by: "an example of deploy/examples",
    advice: "Debian, Ubuntu: sudo apt-get install python3-venv nodejs npm; macOS: brew install python3 node\n\
             to leave the examples out, knowingly: ROLLBOOK_TEST_EXAMPLES=skip",
};

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
        let source = source(self);
        match self {
            Self::Python => {
                let mut command = Command::new(python("examples-python", &source.join("requirements.txt"), &NEEDED));
                command.arg(source.join("subscriber.py"));
                command
            }
            Self::Node => {
                let home = tools().join("examples-node");
                let files = ["package.json", "package-lock.json"].map(|name| source.join(name));
                once(&home, &files, || {
                    for file in &files {
                        std::fs::copy(file, home.join(file.file_name().unwrap())).unwrap();
                    }
                    let ci = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"].map(OsStr::new);
                    NEEDED.run("npm", ci, &home);
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
