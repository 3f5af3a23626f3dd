//! A NATS cluster of three on loopback, whose nodes can be killed, paused and started again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use async_nats::{Client, jetstream};
use nix::sys::signal::Signal;

use super::nats::{Nats, Sync, free_port, program};

/// How long the cluster may be without a leader.
const ELECTION: Duration = Duration::from_secs(20);

/// Three nodes, all killed when this is dropped.
#[derive(Debug)]
pub struct ThreeNodes {
    nodes: Vec<Nats>,
}

impl ThreeNodes {
    /// Starts three, each with its store in a folder of its own.
    ///
    /// # Errors
    /// Where they do not come together.
    pub async fn start(folder: &Path) -> anyhow::Result<Self> {
        let stores: Vec<PathBuf> = (1..=3).map(|n| folder.join(format!("node{n}/store"))).collect();
        let routes = [free_port()?, free_port()?, free_port()?];
        let named = routes.map(|port| format!("\"nats://127.0.0.1:{port}\"")).join(", ");
        // Each waits for its peers before it is ready, so they are started side by side.
        let starting: Vec<_> = (stores.into_iter().zip(routes).enumerate())
            .map(|(n, (store, route))| {
                let more = format!(
                    "server_name: node{}\ncluster {{ name: ledger, listen: \"127.0.0.1:{route}\", routes: [{named}] }}",
                    n + 1
                );
                let beside = store.with_file_name("server");
                std::thread::spawn(move || Nats::start_as(&program(), &store, &beside, Sync::Always, &more))
            })
            .collect();
        let mut nodes = Vec::new();
        for node in starting {
            nodes.push(node.join().map_err(|_| anyhow::anyhow!("a node's thread ended"))??);
        }
        Ok(Self { nodes })
    }

    /// All addresses, with commas.
    pub fn url(&self) -> String {
        self.nodes.iter().map(Nats::url).collect::<Vec<_>>().join(",")
    }

    /// A node.
    ///
    /// # Errors
    /// Where there is no such node.
    pub fn node(&mut self, node: usize) -> anyhow::Result<&mut Nats> {
        self.nodes.get_mut(node).with_context(|| format!("there is no node {node}"))
    }

    /// Which node leads a stream now.
    ///
    /// # Errors
    /// Where nobody does in time.
    pub async fn leader(&self, client: &Client, stream: &str) -> anyhow::Result<usize> {
        let context = jetstream::new(client.clone());
        let begun = std::time::Instant::now();
        loop {
            let info = match context.get_stream(stream).await {
                Ok(mut found) => found.info().await.ok().cloned(),
                Err(_) => None,
            };
            let leader = info.and_then(|info| info.cluster).and_then(|cluster| cluster.leader);
            let number = leader.as_deref().and_then(|name| name.strip_prefix("node")).and_then(|n| n.parse().ok());
            if let Some(number) = number {
                return Ok(usize::saturating_sub(number, 1));
            }
            if begun.elapsed() > ELECTION {
                anyhow::bail!("{stream} has no leader after {} s", ELECTION.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Stops a node where it stands, until it is told to go on.
    ///
    /// # Errors
    /// Where there is no such node, or it is gone.
    pub fn pause(&mut self, node: usize) -> anyhow::Result<()> {
        self.node(node)?.signal(Signal::SIGSTOP)
    }

    /// Lets a paused node go on.
    ///
    /// # Errors
    /// Where there is no such node, or it is gone.
    pub fn go_on(&mut self, node: usize) -> anyhow::Result<()> {
        self.node(node)?.signal(Signal::SIGCONT)
    }
}
