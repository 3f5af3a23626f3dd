//! Ports for servers that must know theirs before they start.

use std::ops::Range;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::Context;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Below those that Linux gives to clients, which would take one between the look and the start.
const SERVERS: Range<u16> = 12_000..32_000;
/// Ports tried before it counts as hopeless.
const MOST_TRIED: usize = 1_000;

/// A port that is free at this moment, and that this process has given to nobody lately.
///
/// # Errors
/// Where none of many is.
pub fn free_port() -> anyhow::Result<u16> {
    static NEXT: OnceLock<AtomicU16> = OnceLock::new();
    // Another process begins elsewhere.
    let next = NEXT.get_or_init(|| AtomicU16::new(StdRng::from_os_rng().random()));
    let mut ports = (0..MOST_TRIED).map(|_| {
        let number = next.fetch_add(1, Ordering::Relaxed);
        SERVERS.start + number % (SERVERS.end - SERVERS.start)
    });
    let free = ports.find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok());
    free.with_context(|| format!("none of {MOST_TRIED} ports is free"))
}
