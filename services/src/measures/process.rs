//! What the process itself costs, by the names that every Prometheus dashboard knows. On Linux alone: elsewhere nothing is told.

/// Takes the figures of this process.
#[cfg(target_os = "linux")]
pub fn look() {
    if look_at().is_err() {
        tracing::debug!("the figures of the process cannot be read");
    }
}

/// Takes nothing: there is no /proc.
#[cfg(not(target_os = "linux"))]
pub fn look() {}

#[cfg(target_os = "linux")]
fn look_at() -> procfs::ProcResult<()> {
    let process = procfs::process::Process::myself()?;
    let stat = process.stat()?;
    let ticks = procfs::ticks_per_second().max(1);
    metrics::gauge!("process_resident_memory_bytes").set(super::big(stat.rss.saturating_mul(procfs::page_size())));
    metrics::counter!("process_cpu_seconds_total").absolute((stat.utime + stat.stime) / ticks);
    metrics::gauge!("process_open_fds").set(super::count(process.fd_count()?));
    metrics::gauge!("process_threads").set(f64::from(i32::try_from(stat.num_threads).unwrap_or(i32::MAX)));
    Ok(())
}
