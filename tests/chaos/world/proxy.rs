//! A network of our own between two processes: it delays, trickles, swallows, cuts, and loses just the acknowledgement.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the network does to what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weather {
    /// It passes.
    Fair,
    /// Each piece waits so long, and up to so much longer, in milliseconds.
    Slow {
        /// At least.
        wait: u64,
        /// And up to so much more.
        jitter: u64,
    },
    /// A few bytes at a time.
    Trickle {
        /// How many.
        bytes: usize,
    },
    /// What goes one way is swallowed; the other way passes.
    HalfOpen {
        /// Whether what clients send is lost, else what they are sent.
        to_server: bool,
    },
    /// No connection lives.
    Cut,
    /// The server gets each message to be stored, and its answer is lost with the connection, so many times.
    AckLost {
        /// How many times yet.
        times: u32,
    },
}

/// One network between clients and a server that may move.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: JoinHandle<()>,
}

#[derive(Debug)]
struct Shared {
    weather: watch::Sender<Weather>,
    cuts: watch::Sender<u64>,
    upstream: watch::Receiver<Option<String>>,
    random: Mutex<ChaCha8Rng>,
}

impl Proxy {
    /// A network to the address that is watched: `…//host:port`, or the path of a socket.
    pub async fn start(upstream: watch::Receiver<Option<String>>, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let random = Mutex::new(ChaCha8Rng::seed_from_u64(seed));
        let (weather, cuts) = (watch::Sender::new(Weather::Fair), watch::Sender::new(0));
        let shared = Arc::new(Shared { weather, cuts, upstream, random });
        let of_task = shared.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(connection(of_task.clone(), client));
            }
        });
        Self { address, shared, accepting }
    }

    /// Where clients connect.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the weather; connections that live under it go on unless it cuts.
    pub fn weather(&self, weather: Weather) {
        self.shared.weather.send_replace(weather);
        if weather == Weather::Cut {
            self.cut();
        }
    }

    /// Resets every connection that lives.
    pub fn cut(&self) {
        self.shared.cuts.send_modify(|cuts| *cuts += 1);
    }

    /// How the weather is.
    pub fn how(&self) -> Weather {
        *self.shared.weather.borrow()
    }

    /// Fair again. What was swallowed never comes, so that a connection which lost something ends.
    pub fn heal(&self) {
        let before = self.shared.weather.send_replace(Weather::Fair);
        if matches!(before, Weather::HalfOpen { .. }) {
            self.cut();
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.cut();
    }
}

async fn connection(shared: Arc<Shared>, client: TcpStream) {
    // A connection that ends here is reset, not closed in order.
    _ = client.set_zero_linger();
    _ = client.set_nodelay(true);
    if *shared.weather.borrow() == Weather::Cut {
        return;
    }
    let Some(upstream) = shared.upstream.borrow().clone() else { return };
    let mut cuts = shared.cuts.subscribe();
    cuts.mark_unchanged();
    let (from_client, to_client) = client.into_split();
    let published = AtomicBool::new(false);
    let run = async {
        if upstream.starts_with('/') {
            let Ok(server) = UnixStream::connect(upstream).await else { return };
            let (from_server, to_server) = server.into_split();
            both(&shared, &published, (from_client, to_server), (from_server, to_client)).await;
        } else {
            let host = upstream.rsplit('/').next().unwrap_or_default().to_owned();
            let Ok(server) = TcpStream::connect(host).await else { return };
            _ = server.set_nodelay(true);
            let (from_server, to_server) = server.into_split();
            both(&shared, &published, (from_client, to_server), (from_server, to_client)).await;
        }
    };
    tokio::select! {
        () = run => {}
        _ = cuts.changed() => {}
    }
}

async fn both(
    shared: &Shared,
    published: &AtomicBool,
    up: (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
    down: (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
) {
    tokio::select! {
        () = pump(shared, published, up, true) => {}
        () = pump(shared, published, down, false) => {}
    }
}

/// Passes on what comes one way, as the weather lets it; returns where the connection is to end.
async fn pump(
    shared: &Shared,
    published: &AtomicBool,
    (mut from, mut to): (impl AsyncRead + Unpin, impl AsyncWrite + Unpin),
    to_server: bool,
) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        let mut piece = &buffer[..read];
        let weather = *shared.weather.borrow();
        match weather {
            Weather::Fair | Weather::Cut => {}
            Weather::Slow { wait, jitter } => {
                let more = shared.random.lock().unwrap().random_range(0..=jitter);
                tokio::time::sleep(Duration::from_millis(wait + more)).await;
            }
            Weather::HalfOpen { to_server: lost } if lost == to_server => continue,
            Weather::HalfOpen { .. } => {}
            Weather::Trickle { bytes } => {
                while piece.len() > bytes && matches!(*shared.weather.borrow(), Weather::Trickle { .. }) {
                    let (now, later) = piece.split_at(bytes);
                    if to.write_all(now).await.is_err() {
                        return;
                    }
                    piece = later;
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
            Weather::AckLost { .. } if to_server => {
                let stores = piece.windows(15).any(|window| window == b"PUB enrollment.");
                published.fetch_or(stores, Ordering::SeqCst);
            }
            Weather::AckLost { times } => {
                if published.load(Ordering::SeqCst) {
                    let next = if times > 1 { Weather::AckLost { times: times - 1 } } else { Weather::Fair };
                    shared.weather.send_if_modified(|now| *now == weather && std::mem::replace(now, next) != next);
                    return;
                }
            }
        }
        if to.write_all(piece).await.is_err() {
            return;
        }
    }
}
