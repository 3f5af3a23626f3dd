//! How the guards of a running ledger watch, as options of `up` and `serve`.

use std::time::Duration;

use crate::guards::{Least, Settings};

/// How the guards watch.
#[derive(Debug, Clone, clap::Args)]
pub struct Guarding {
    /// Recording stops when less than this is free on the disk of the data folder, of the views, or in the log's store
    #[arg(long, env = "ROLLBOOK_LEAST_FREE", value_name = "SIZE", default_value = "2GB", value_parser = size)]
    least_free: u64,
    /// Recording stops when less than this many per cent of one of them are free
    #[arg(long, env = "ROLLBOOK_LEAST_FREE_PERCENT", value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u8).range(0..=100))]
    least_free_percent: u8,
    /// How often settings, log and clock are looked at
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time, hide = true)]
    check_every: Duration,
}

impl Guarding {
    /// The settings they come to.
    pub fn settings(&self) -> Settings {
        let least_free = Least { bytes: self.least_free, percent: self.least_free_percent };
        Settings { check_every: self.check_every, least_free }
    }
}

/// Reads `2GB`, `500 MB`, `64kB` or `4096`; as everywhere in this program, a kilobyte is 1,024 bytes.
fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let times: u64 = match unit.trim().to_ascii_lowercase().trim_end_matches("ib").trim_end_matches('b') {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        "t" => 1 << 40,
        _ => return Err("write a size as 2GB or 500MB".to_owned()),
    };
    let number: Option<u64> = number.parse().ok();
    number.and_then(|number| number.checked_mul(times)).ok_or_else(|| "write a size as 2GB or 500MB".to_owned())
}

/// Reads `60s` or `1m`; at least a second.
fn time(text: &str) -> Result<Duration, String> {
    let seconds = match text.trim() {
        text if text.ends_with('m') => text.trim_end_matches('m').parse::<u64>().ok().and_then(|n| n.checked_mul(60)),
        text => text.trim_end_matches('s').parse().ok(),
    };
    let time = seconds.filter(|seconds| (1..=86_400).contains(seconds)).map(Duration::from_secs);
    time.ok_or_else(|| "write a time from 1s to a day, as 60s or 1m".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_read_as_they_are_written() {
        assert_eq!(size("2GB"), Ok(2 << 30));
        assert_eq!(size("500 MiB"), Ok(500 << 20));
        assert_eq!(size("64kB"), Ok(64 << 10));
        assert_eq!(size("4096"), Ok(4_096));
        assert_eq!(size("8b"), Ok(8));
        assert!(size("").is_err() && size("2 pounds").is_err() && size("99999999999TB").is_err());
        assert_eq!(time("60s"), Ok(Duration::from_secs(60)));
        assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
        assert!(time("0s").is_err() && time("soon").is_err() && time("-1s").is_err());
    }
}
