//! Where a fault is planted: a copy of the sources, patched, and built beside the build that is at hand.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::chaos::tools::ledger::{Program, said};
use crate::chaos::tools::{run, text};

/// What of the top folder is not source.
const LEFT_OUT: [&str; 3] = ["target", ".git", "rollbook-data"];

/// What our own crates are called in a build folder.
const OURS: [&str; 4] = ["rollbook", "harness", "chaos", "it-"];

/// The top of the sources this program was built from.
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// The patch of a planted fault.
pub fn patch(name: &str) -> PathBuf {
    top().join(format!("tests/chaos/planted/{name}.patch"))
}

/// A copy of the sources, and a build folder of its own that begins with the dependencies already built.
#[derive(Debug)]
pub struct Workshop {
    sources: PathBuf,
    target: PathBuf,
}

impl Workshop {
    /// Sets one up in a folder, which may be one that an earlier call has left: then less has to be built.
    ///
    /// # Errors
    /// Where the sources cannot be copied.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let workshop = Self { sources: folder.join("sources"), target: folder.join("target") };
        // Anew each time: what an interrupted call has left patched must not look like the sources.
        _ = std::fs::remove_dir_all(&workshop.sources);
        std::fs::create_dir_all(&workshop.sources)?;
        for entry in std::fs::read_dir(top())? {
            let entry = entry?;
            if !LEFT_OUT.iter().any(|name| entry.file_name() == *name) {
                run("cp", &["-r", text(&entry.path())?, text(&workshop.sources)?])?;
            }
        }
        workshop.warm()?;
        Ok(workshop)
    }

    /// Links what is built already: our own crates have other paths here, and are built anew.
    fn warm(&self) -> anyhow::Result<()> {
        let warm = self.target.join("debug");
        if warm.exists() {
            return Ok(());
        }
        std::fs::create_dir_all(&warm)?;
        let built = std::env::current_exe()?;
        let built = built.ancestors().find(|folder| folder.join(".fingerprint").is_dir());
        let built = built.context("the build folder was not found")?;
        // Libraries are replaced, never written into, and may be linked; what cargo notes about them is written into.
        run("cp", &["-al", text(&built.join("deps"))?, text(&warm)?])?;
        for folder in ["build", ".fingerprint"] {
            run("cp", &["-r", "-p", text(&built.join(folder))?, text(&warm)?])?;
        }
        for folder in ["deps", ".fingerprint"] {
            for entry in std::fs::read_dir(warm.join(folder))? {
                let path = entry?.path();
                let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                if OURS.iter().any(|ours| name.trim_start_matches("lib").starts_with(ours)) {
                    run("rm", &["-rf", text(&path)?])?;
                }
            }
        }
        Ok(())
    }

    /// Builds the program with a fault planted, and takes the fault out of the sources again.
    ///
    /// # Errors
    /// Where the patch does not apply, or what it makes does not build: then it is no fault, but a mistake.
    pub fn build(&self, name: &str) -> anyhow::Result<Program> {
        let patch = patch(name);
        self.apply(&patch, &[])?;
        let built = self.cargo();
        self.apply(&patch, &["-R"])?;
        built?;
        // In a folder of its own, where the suite can be put beside it.
        let folder = self.target.join("with").join(name);
        std::fs::create_dir_all(&folder)?;
        std::fs::copy(self.target.join("debug/rollbook"), folder.join("rollbook"))?;
        Ok(Program(folder.join("rollbook")))
    }

    fn apply(&self, patch: &Path, more: &[&str]) -> anyhow::Result<()> {
        let output = Command::new("git")
            .args(["apply", "--whitespace=nowarn"])
            .args(more)
            .arg(patch)
            .current_dir(&self.sources)
            // The copy is no repository; one that lies above it is not meant.
            .env("GIT_DIR", self.sources.join(".no-repository"))
            .output()
            .context("git cannot be run")?;
        if !output.status.success() {
            bail!("{} does not apply: {}", patch.display(), said(&output));
        }
        Ok(())
    }

    fn cargo(&self) -> anyhow::Result<()> {
        let output = Command::new("cargo")
            .args(["build", "--quiet", "--locked", "-p", "rollbook", "--bin", "rollbook"])
            .current_dir(&self.sources)
            .env("CARGO_TARGET_DIR", &self.target)
            .env("CARGO_INCREMENTAL", "1")
            .stdin(Stdio::null())
            .output()
            .context("cargo cannot be run")?;
        if !output.status.success() {
            bail!("the sources with the fault do not build: {}", said(&output));
        }
        Ok(())
    }
}

/// Whether the patch still applies to the sources as they are; what git says where it does not.
///
/// # Errors
/// What git says.
pub fn applies(name: &str) -> anyhow::Result<()> {
    let output = Command::new("git").args(["apply", "--check"]).arg(patch(name)).current_dir(top()).output();
    let output = output.context("git cannot be run")?;
    if !output.status.success() {
        bail!("{name}: {}", said(&output));
    }
    Ok(())
}
