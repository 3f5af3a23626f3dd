//! Ports for servers that must know theirs before they start.

use anyhow::Context;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Below those that Linux gives to clients, which would take one between the look and the start.
const SERVERS: std::ops::Range<u16> = 12_000..32_000;
/// Ports tried before it counts as hopeless.
const MOST_TRIED: usize = 100;

/// A port that is free at this moment.
///
/// # Errors
/// Where none of many is.
pub fn free_port() -> anyhow::Result<u16> {
    let mut random = StdRng::from_os_rng();
    let mut ports = (0..MOST_TRIED).map(|_| random.random_range(SERVERS));
    let free = ports.find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.with_context(|| format!("none of {MOST_TRIED} ports is free"))
}
