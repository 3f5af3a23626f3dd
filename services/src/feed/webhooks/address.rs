//! Where may be called: hosts that the operator has named, over HTTPS, at addresses of the public internet; so that a webhook is
//! no way into the network that the ledger stands in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::Url;
use tokio::net::lookup_host;

/// What the operator allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Hosts that may be called, each by its whole name.
    pub hosts: Vec<String>,
    /// Whether this machine's own loopback addresses may be called, also without TLS; never in production.
    pub loopback: bool,
}

/// Why somewhere is not called.
#[derive(Debug, thiserror::Error)]
pub enum NotAllowed {
    /// Not an address.
    #[error("it is no address")]
    NoAddress,
    /// Not over TLS.
    #[error("it is not https")]
    NotSecure,
    /// A name or password stands in it.
    #[error("a name or password stands in it")]
    Credentials,
    /// Not on the list.
    #[error("its host is not among allow_hosts")]
    NotListed,
    /// The name leads nowhere.
    #[error("its host is not known")]
    Unknown {
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The name leads into some network's inside.
    #[error("its host leads to an address that is not public")]
    NotPublic,
}

impl Allowed {
    /// The address to call, if it may be.
    ///
    /// # Errors
    /// Where it may not.
    pub fn url(&self, text: &str) -> Result<Url, NotAllowed> {
        let url = Url::parse(text).map_err(|_| NotAllowed::NoAddress)?;
        let host = url.host_str().ok_or(NotAllowed::NoAddress)?.to_owned();
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NotAllowed::Credentials);
        }
        let is_loopback = host == "localhost" || literal(&host).is_some_and(|ip| ip.is_loopback());
        if url.scheme() != "https" && !(url.scheme() == "http" && self.loopback && is_loopback) {
            return Err(NotAllowed::NotSecure);
        }
        if !self.hosts.contains(&host) {
            return Err(NotAllowed::NotListed);
        }
        Ok(url)
    }

    /// Where its name leads now, if all of that may be called. The call goes there and asks no name again.
    ///
    /// # Errors
    /// Where it may not.
    pub async fn lead(&self, url: &Url) -> Result<Vec<SocketAddr>, NotAllowed> {
        let host = url.host_str().ok_or(NotAllowed::NoAddress)?;
        let port = url.port_or_known_default().ok_or(NotAllowed::NoAddress)?;
        let found: Vec<SocketAddr> = match literal(host) {
            Some(ip) => vec![SocketAddr::new(ip, port)],
            None => lookup_host((host, port)).await.map_err(|source| NotAllowed::Unknown { source })?.collect(),
        };
        let may = |address: &SocketAddr| is_public(address.ip()) || (self.loopback && address.ip().is_loopback());
        if found.is_empty() || !found.iter().all(may) {
            return Err(NotAllowed::NotPublic);
        }
        Ok(found)
    }
}

fn literal(host: &str) -> Option<IpAddr> {
    host.trim_matches(['[', ']']).parse().ok()
}

/// Whether an address is of the public internet.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => is_public_v4(ip),
            None => is_public_v6(ip),
        },
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_multicast()
        || ip.is_broadcast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b));
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // Only global unicast, and of that nothing that leads on to an IPv4 address or is for books and tests.
    let global = (a & 0xe000) == 0x2000;
    let special = (a == 0x2001 && (b < 0x0200 || b == 0x0db8)) || a == 0x2002 || a == 0x3fff;
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(loopback: bool) -> Allowed {
        let hosts = ["hooks.example.org", "127.0.0.1", "localhost", "10.0.0.8", "[::1]"].map(str::to_owned);
        Allowed { hosts: hosts.to_vec(), loopback }
    }

    #[test]
    fn only_listed_hosts_are_called_and_only_over_tls() {
        assert!(allowed(false).url("https://hooks.example.org/a?b=c").is_ok());
        for refused in [
            "http://hooks.example.org/",
            "https://other.example.org/",
            "https://hooks.example.org.evil.example/",
            "https://user:word@hooks.example.org/",
            "https://evil.example@hooks.example.org/",
            "http://127.0.0.1:9000/",
            "file:///etc/passwd",
            "ftp://hooks.example.org/",
            "hooks.example.org",
            "",
        ] {
            assert!(allowed(false).url(refused).is_err(), "{refused}");
        }
        assert!(allowed(true).url("http://127.0.0.1:9000/").is_ok() && allowed(true).url("http://localhost/").is_ok());
        assert!(
            allowed(true).url("http://hooks.example.org/").is_err() && allowed(true).url("http://10.0.0.8/").is_err()
        );
    }

    #[tokio::test]
    async fn a_name_or_number_of_some_inside_is_not_called() {
        for inside in ["https://10.0.0.8/", "https://127.0.0.1/", "https://localhost/", "https://[::1]/"] {
            let url = allowed(false).url(inside).unwrap();
            assert!(matches!(allowed(false).lead(&url).await, Err(NotAllowed::NotPublic)), "{inside}");
        }
        let url = allowed(true).url("http://localhost:9/").unwrap();
        assert!(allowed(true).lead(&url).await.is_ok());
    }

    #[test]
    fn the_public_internet_is_what_it_is() {
        let public = |text: &str| is_public(text.parse().unwrap());
        for outside in
            ["8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1", "198.20.0.1", "2606:4700::1111", "::ffff:8.8.8.8"]
        {
            assert!(public(outside), "{outside}");
        }
        for inside in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.2",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.168.1.1",
            "192.88.99.1",
            "198.18.0.1",
            "203.0.113.7",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::",
            "fc00::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!public(inside), "{inside}");
        }
    }
}
