//! What a process costs: processor time and memory, as Linux tells them of every process.

use std::time::Duration;

/// Ticks of a second in `/proc/PID/stat`: the kernel's own promise to programs, on every machine.
const TICKS: u64 = 100;

/// What a process cost between two looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Processor time, of all threads.
    pub cpu: Duration,
    /// Highest resident memory, in MB.
    pub peak_mb: u64,
}

/// A process that is watched from some moment on.
#[derive(Debug, Clone, Copy)]
pub struct Watched {
    pid: u32,
    cpu: Option<Duration>,
}

impl Watched {
    /// From now on. Its highest memory counts from now on as well.
    pub fn from_now(pid: u32) -> Self {
        // Where that is refused, the highest since it began stands.
        _ = std::fs::write(format!("/proc/{pid}/clear_refs"), "5");
        Self { pid, cpu: cpu(pid) }
    }

    /// What it cost up to now; none where the system does not tell.
    pub fn cost(&self) -> Option<Cost> {
        let cpu = cpu(self.pid)?.checked_sub(self.cpu?)?;
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        Some(Cost { cpu, peak_mb: kilobytes(&status, "VmHWM:")?.div_ceil(1024) })
    }
}

fn cpu(pid: u32) -> Option<Duration> {
    ticks(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// User and system time: the 14th and 15th field, counted behind the name, which may hold anything.
fn ticks(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system) = (fields.next()?.parse::<u64>().ok()?, fields.next()?.parse::<u64>().ok()?);
    Some(Duration::from_millis((user + system) * 1_000 / TICKS))
}

fn kilobytes(status: &str, name: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_behind_a_name_that_holds_anything() {
        let stat = "7 (a) b (c)) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 3 0 100 0 0";
        assert_eq!(ticks(stat), Some(Duration::from_secs(3)));
        assert_eq!(ticks("7 (a) S 1"), None);
    }

    #[test]
    fn the_peak_is_read_in_kilobytes() {
        assert_eq!(kilobytes("Name:\ta\nVmHWM:\t    2048 kB\n", "VmHWM:"), Some(2_048));
        assert_eq!(kilobytes("Name:\ta\n", "VmHWM:"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_costs_something() {
        let cost = Watched::from_now(std::process::id()).cost().unwrap();
        assert!(cost.peak_mb > 0);
    }
}
