//! Three nodes that keep the log together, in place of one server.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_nats::jetstream;

use super::parts::{NATS_TOKEN, service};
use super::service::{Ready, Role, Service};
use super::{Setup, World};
use crate::ports::free_port;

const NAMES: [&str; 3] = ["node-1", "node-2", "node-3"];
/// How long a node may take for an answer before the next one is asked.
const ANSWER: Duration = Duration::from_secs(2);

/// The nodes, started, and the options that a service reaches them with. Their ports stay the same from start to start, as
/// those of machines do.
pub(super) fn three(setup: &Setup) -> (Vec<Arc<Service>>, Vec<String>) {
    let port = || free_port().unwrap();
    let routes = NAMES.map(|_| port());
    let named = routes.map(|route| format!("\"nats://127.0.0.1:{route}\"")).join(", ");
    let (mut nodes, mut urls) = (Vec::new(), Vec::new());
    for (name, route) in NAMES.into_iter().zip(routes) {
        let folder = setup.dir.join(name);
        let (store, ports) = (setup.stores.join(name).join("store"), folder.join("ports"));
        std::fs::create_dir_all(&store).unwrap();
        std::fs::create_dir_all(&ports).unwrap();
        let (client, monitoring) = (port(), port());
        let text = format!(
            "server_name: {name}\nlisten: \"127.0.0.1:{client}\"\nhttp: \"127.0.0.1:{monitoring}\"\n\
             ports_file_dir: {ports:?}\nmax_payload: 1MB\nauthorization {{ token: \"{NATS_TOKEN}\" }}\n\
             jetstream {{ store_dir: {store:?}, sync_interval: always }}\n\
             cluster {{ name: ledger, listen: \"127.0.0.1:{route}\", routes: [{named}] }}\n{}\n",
            setup.nats_settings
        );
        let conf = folder.join("nats.conf");
        std::fs::write(&conf, text).unwrap();
        let mut command = Command::new(crate::server::binary().unwrap_or_else(|| "nats-server".into()));
        command.arg("--config").arg(conf);
        nodes.push(service(setup, name, Role::Nats, Ready::Ports(ports), &command));
        urls.push(format!("nats://127.0.0.1:{client}"));
    }
    let options = ["--nats".to_owned(), urls.join(","), "--replicas".to_owned(), NAMES.len().to_string()];
    (nodes, options.to_vec())
}

impl World {
    /// The node that leads the stream of events now; none where none of them says.
    pub async fn leader(&self) -> Option<Arc<Service>> {
        for node in self.of(Role::Nats) {
            let leader = tokio::time::timeout(ANSWER, leader_by(node)).await.ok().flatten();
            if let Some(leader) = leader {
                return self.of(Role::Nats).into_iter().find(|node| node.name == leader).cloned();
            }
        }
        None
    }
}

/// Who leads, as a node says.
async fn leader_by(node: &Service) -> Option<String> {
    let options = async_nats::ConnectOptions::new().token(NATS_TOKEN.to_owned()).connection_timeout(ANSWER);
    let client = options.connect(node.address()?).await.ok()?;
    let stream = jetstream::new(client).get_stream("ENROLLMENT").await.ok()?;
    stream.cached_info().cluster.as_ref()?.leader.clone()
}
