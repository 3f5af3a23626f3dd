//! A cluster as `deploy/cluster` brings it up: servers, keys and services as processes of their own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::program;

/// A running cluster, taken down when it is dropped or when the test's process ends, however that is.
#[derive(Debug)]
pub struct Cluster {
    script: Child,
    folder: TempDir,
    /// What the script tells programs: `deploy/cluster --help` names the parts.
    pub told: Value,
}

/// The script.
fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("deploy/cluster")
}

impl Cluster {
    /// Brings one up, with more arguments for the script.
    ///
    /// # Panics
    /// Where it does not come up; the script has said why.
    pub fn up(arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(script());
        command.args(["run", "--stdin", "--json", "--dir"]).arg(folder.path().join("cluster"));
        command.arg("--rollbook").arg(crate::rollbook()).args(arguments);
        // Its parts inherit it.
        command.env(program::LEVEL.0, program::LEVEL.1);
        let mut script = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(script.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.is_empty() {
            _ = script.wait();
            panic!("the cluster did not come up");
        }
        Self { script, folder, told: serde_json::from_str(&line).unwrap() }
    }

    /// Calls a verb of the script on this cluster, and gives what it printed.
    ///
    /// # Panics
    /// Where the script fails, but for `status`, which fails where something does not run.
    pub fn verb(&self, arguments: &[&str]) -> String {
        let called =
            Command::new(script()).args(arguments).arg("--dir").arg(self.folder.path().join("cluster")).output();
        let output = called.unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() || arguments.first() == Some(&"status"), "{arguments:?}: {err}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What the script tells of a process: `n1`, `recorder-1`.
    ///
    /// # Panics
    /// Where there is no such process.
    pub fn process(&self, name: &str) -> &Value {
        let all = ["nodes", "services"].into_iter().flat_map(|kind| self.told[kind].as_array().unwrap());
        all.into_iter().find(|process| process["name"] == name).unwrap()
    }

    /// The server that leads a stream now.
    pub fn leader(&self, stream: &str) -> Option<String> {
        let status = self.verb(&["status", "--json"]);
        let rows = status.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let leads = |row: &Value| row["leads"].as_array().unwrap().iter().any(|led| led == stream);
        rows.into_iter().find(leads).map(|row| row["name"].as_str().unwrap().to_owned())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Its standard input ends, and it takes everything down.
        drop(self.script.stdin.take());
        _ = self.script.wait();
        program::refuse(&program::logs_below(self.folder.path()));
    }
}
