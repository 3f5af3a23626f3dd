//! Bringing a ledger up, in either shape.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use super::api::Api;
use super::proxy::Proxy;
use super::service::{Ready, Role, Service};
use super::{LOOK_EVERY, NotStarted, START, Setup, World, nodes, postgres};
use crate::chaos::history::History;
use crate::chaos::plan::{Database, Shape};
use crate::leaks;
use crate::program::Program;

/// The token of a nats-server that stands alone; nobody but this machine can reach it.
pub const NATS_TOKEN: &str = "opens-the-log-of-a-chaos-run";

/// The library that shifts the clock of programs that read it through libc.
const FAKETIME: [&str; 3] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/faketime/libfaketime.so.1",
];

/// Where the library lies; none where it is not installed.
pub fn faketime() -> Option<&'static str> {
    FAKETIME.into_iter().find(|path| Path::new(path).exists())
}

pub(super) fn set_clock(setup: &Setup, name: &str, ahead: i64) {
    // Written beside and moved, because a reader of half a file takes it for another time.
    let (new, path) = (setup.dir.join(format!("{name}.clock.new")), clock(setup, name));
    std::fs::write(&new, format!("{ahead:+}\n")).unwrap();
    std::fs::rename(&new, &path).unwrap();
}

fn clock(setup: &Setup, name: &str) -> PathBuf {
    setup.dir.join(format!("{name}.clock"))
}

fn rollbook_command(setup: &Setup, name: &str) -> Command {
    let mut command = Program::new().into_command();
    // How full the disk of this machine is, is no matter of a run; a fault that fills one sets its own bounds.
    command.env("ROLLBOOK_LEAST_FREE", "64MiB").env("ROLLBOOK_LEAST_FREE_PERCENT", "1");
    command.envs(setup.environment.iter().cloned());
    if let Some(library) = faketime().filter(|_| setup.clocks) {
        set_clock_once(setup, name);
        command.env("LD_PRELOAD", library).env("FAKETIME_TIMESTAMP_FILE", clock(setup, name));
        command.env("FAKETIME_NO_CACHE", "1").env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }
    command
}

fn set_clock_once(setup: &Setup, name: &str) {
    if !clock(setup, name).exists() {
        set_clock(setup, name, 0);
    }
}

/// A command with its arguments, made anew at each start.
struct Recipe {
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
}

impl Recipe {
    fn of(command: &Command) -> Self {
        let text = |text: &std::ffi::OsStr| text.to_string_lossy().into_owned();
        let environment = command.get_envs().filter_map(|(name, value)| Some((text(name), text(value?)))).collect();
        Self { program: command.get_program().into(), arguments: command.get_args().map(text).collect(), environment }
    }

    fn launch(self) -> Box<dyn Fn() -> Command + Send + Sync> {
        Box::new(move || {
            let mut command = Command::new(&self.program);
            command.args(&self.arguments).envs(self.environment.iter().cloned());
            command
        })
    }
}

pub(super) fn service(setup: &Setup, name: &str, role: Role, ready: Ready, command: &Command) -> Arc<Service> {
    let service = Service::new(name, role, ready, &setup.dir, Recipe::of(command).launch());
    service.want();
    service.look_after();
    Arc::new(service)
}

async fn answering(service: &Service) -> Result<(), NotStarted> {
    let begun = std::time::Instant::now();
    while service.address().is_none() {
        if begun.elapsed() > START {
            return Err(NotStarted(format!("{} does not answer at the start", service.name)));
        }
        service.look_after();
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

fn nats(setup: &Setup) -> Arc<Service> {
    // Its settings lie apart from its store: they were there long before any power failed.
    let folder = setup.dir.join("nats");
    let (store, ports) = (setup.stores.join("nats/store"), folder.join("ports"));
    std::fs::create_dir_all(&store).unwrap();
    std::fs::create_dir_all(&ports).unwrap();
    let conf = folder.join("nats.conf");
    let text = format!(
        "listen: \"127.0.0.1:-1\"\nhttp: \"127.0.0.1:-1\"\nports_file_dir: {ports:?}\nmax_payload: 1MB\n\
         authorization {{ token: \"{NATS_TOKEN}\" }}\njetstream {{ store_dir: {store:?}, sync_interval: always }}\n{}\n",
        setup.nats_settings
    );
    std::fs::write(&conf, text).unwrap();
    let binary = crate::server::binary().unwrap_or_else(|| "nats-server".into());
    let mut words = setup.nats_under.clone();
    words.push(binary.to_string_lossy().into_owned());
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).arg("--config").arg(conf);
    service(setup, "nats", Role::Nats, Ready::Ports(ports), &command)
}

/// Makes the streams, which no part of a ledger does by itself.
fn make_streams(setup: &Setup, log: &[String]) -> Result<(), NotStarted> {
    let token = setup.dir.join("nats.token");
    std::fs::write(&token, NATS_TOKEN).unwrap();
    std::fs::set_permissions(&token, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let begun = std::time::Instant::now();
    loop {
        let mut command = Program::new();
        command.args(["streams", "create"]).args(log);
        let made = command.arg("--nats-token-file").arg(&token).output().unwrap();
        if made.status.success() {
            return Ok(());
        }
        // Three nodes choose a leader first.
        if begun.elapsed() > START {
            return Err(NotStarted(String::from_utf8_lossy(&made.stderr).into_owned()));
        }
    }
}

fn database_server(setup: &Setup) -> Arc<Service> {
    let programs = postgres::programs().unwrap();
    let folder = setup.stores.join("pg");
    std::fs::create_dir_all(&folder).unwrap();
    postgres::let_in(&folder);
    postgres::make(&programs, &folder.join("data"));
    let command = postgres::server(&programs, &folder.join("data"), &folder);
    service(setup, "postgres", Role::Postgres, Ready::Socket(postgres::socket(&folder)), &command)
}

impl World {
    /// Brings a ledger up.
    ///
    /// # Errors
    /// Where a process does not answer; all others have then ended.
    pub async fn start(setup: Setup, history: Arc<History>) -> Result<Self, NotStarted> {
        let seed = setup.plan.seed;
        let mut services = Vec::new();
        let (mut database_network, mut database) = (None, sqlite(&setup));
        if setup.plan.database == Database::Postgres {
            let server = database_server(&setup);
            answering(&server).await?;
            let network = Proxy::start(server.addresses(), seed).await;
            database = format!("postgres://postgres@{}/postgres?sslmode=disable", network.address());
            database_network = Some(network);
            services.push(server);
        }
        let (mut nats_network, mut monitoring) = (None, None);
        if setup.plan.shape == Shape::Up {
            let data = setup.stores.join("up");
            let mut command = rollbook_command(&setup, "up");
            command.arg("up").arg("--data").arg(data).args(["--listen", "127.0.0.1:0", "--database", &database]);
            if let Some(binary) = crate::server::binary() {
                command.arg("--nats-server").arg(binary);
            }
            command.args(&setup.arguments);
            let up = service(&setup, "up", Role::Up, Ready::Listening, &command);
            services.push(up.clone());
            answering(&up).await?;
        } else {
            let log = if setup.nodes {
                let (nodes, options) = nodes::three(&setup);
                services.extend(nodes);
                for node in &services {
                    answering(node).await?;
                }
                make_streams(&setup, &options)?;
                options
            } else {
                let server = nats(&setup);
                answering(&server).await?;
                make_streams(&setup, &["--nats".to_owned(), server.address().unwrap_or_default()])?;
                let network = Proxy::start(server.addresses(), seed ^ 1).await;
                let watch = Proxy::start(monitoring_of(&setup, &server), seed ^ 2).await;
                let [log, address] = [format!("nats://{}", network.address()), format!("http://{}", watch.address())];
                (nats_network, monitoring) = (Some(network), Some(watch));
                services.push(server);
                ["--nats".to_owned(), log, "--monitoring".to_owned(), address].to_vec()
            };
            for (name, role) in PARTS {
                let part = part(&setup, name, role, &log, &database);
                services.push(part.clone());
                if name == PARTS[0].0 {
                    // The first makes the ledger's key and the operator's token.
                    answering(&part).await?;
                }
            }
            for part in &services {
                answering(part).await?;
            }
        }
        let first = setup.stores.join(if setup.plan.shape == Shape::Up { "up" } else { PARTS[0].0 });
        leaks::secrets_of(&first);
        leaks::secret(NATS_TOKEN);
        let token =
            std::fs::read_to_string(first.join("admin.token")).map_err(|error| NotStarted(error.to_string()))?;
        let all = services.clone();
        let looking_after = tokio::spawn(async move {
            loop {
                all.iter().for_each(|service| service.look_after());
                tokio::time::sleep(LOOK_EVERY).await;
            }
        });
        let (api, _monitoring) = (Api::new(token.trim()), monitoring);
        Ok(Self { setup, history, services, nats_network, database_network, _monitoring, api, looking_after })
    }
}

const PARTS: [(&str, Role); 5] = [
    ("recorder-1", Role::Recorder),
    ("recorder-2", Role::Recorder),
    ("projector-1", Role::Projector),
    ("projector-2", Role::Projector),
    ("query", Role::Query),
];

fn sqlite(setup: &Setup) -> String {
    format!("sqlite://{}", setup.stores.join("views.db").display())
}

fn part(setup: &Setup, name: &str, role: Role, log: &[String], database: &str) -> Arc<Service> {
    let data = setup.stores.join(name);
    std::fs::create_dir_all(&data).unwrap();
    for file in ["ledger.key", "token.key", "tokens.json", "admin.token", "wrapping.keys"] {
        let made = setup.stores.join(PARTS[0].0).join(file);
        if made.exists() {
            std::fs::copy(made, data.join(file)).unwrap();
            // As if it had been there for long.
            File::open(data.join(file)).unwrap().sync_all().unwrap();
        }
    }
    File::open(&data).unwrap().sync_all().unwrap();
    let verb = match role {
        Role::Recorder => "recorder",
        Role::Projector => "projector",
        Role::Query | Role::Up | Role::Nats | Role::Postgres => "query",
    };
    let mut command = rollbook_command(setup, name);
    command
        .args(["serve", verb, "--listen", "127.0.0.1:0"])
        .env("ROLLBOOK_NATS_TOKEN", NATS_TOKEN)
        .arg("--data")
        .arg(data);
    command.args(log).args(["--database", database]).args(&setup.arguments);
    service(setup, name, role, Ready::Listening, &command)
}

/// The server's monitoring address, which moves with each start as the other one does.
fn monitoring_of(setup: &Setup, server: &Arc<Service>) -> tokio::sync::watch::Receiver<Option<String>> {
    let (send, receive) = tokio::sync::watch::channel(None);
    let (mut addresses, folder, server) = (server.addresses(), setup.dir.join("nats/ports"), Arc::downgrade(server));
    tokio::spawn(async move {
        while let Some(id) = server.upgrade().map(|server| server.id()) {
            let ports = id.and_then(|id| std::fs::read(folder.join(format!("nats-server_{id}.ports"))).ok());
            let ports: serde_json::Value = serde_json::from_slice(&ports.unwrap_or_default()).unwrap_or_default();
            send.send_replace(ports["monitoring"][0].as_str().map(str::to_owned));
            if addresses.changed().await.is_err() {
                return;
            }
        }
    });
    receive
}

/// A projector of its own into an empty SQLite database, with the token of this ledger.
pub(super) fn rebuilder(setup: &Setup, nats: &str, token: &str) -> Arc<Service> {
    let data = setup.dir.join("rebuilt");
    std::fs::create_dir_all(&data).unwrap();
    let of = setup.stores.join(if setup.plan.shape == Shape::Up { "up" } else { PARTS[0].0 });
    for file in ["ledger.key", "token.key", "tokens.json", "admin.token"] {
        std::fs::copy(of.join(file), data.join(file)).unwrap();
    }
    let mut command = Program::new().into_command();
    command.args(["serve", "projector", "--listen", "127.0.0.1:0", "--nats", nats]).env("ROLLBOOK_NATS_TOKEN", token);
    command.arg("--data").arg(&data).args(["--database", &format!("sqlite://{}", data.join("views.db").display())]);
    if setup.nodes {
        command.args(["--replicas", "3"]);
    }
    service(setup, "rebuilt", Role::Projector, Ready::Listening, &command)
}
