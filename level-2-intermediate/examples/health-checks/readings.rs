//! The readings that the demo takes from a service: its narration, and its metrics.

use std::net::SocketAddr;

use lab::{Client, Result, Service};

/// Waits for `n` more stats lines.
pub fn more_lines(service: &Service, n: usize) -> Result<()> {
    let now = service.narration().iter().filter(|line| line.contains("cluster stats")).count();
    (1..=n).try_for_each(|more| service.prints_times("cluster stats", now + more))
}

/// Returns whether a line contains `part`.
pub fn has_line(service: &Service, part: &str) -> bool {
    service.narration().iter().any(|line| line.contains(part))
}

/// The event-loop lag of the worker in `slot`, in milliseconds; 0 before its first report.
pub fn lag_of(slot: &str, admin: SocketAddr) -> Result<u64> {
    let metrics = Client::connect(admin)?.get("/metrics")?.body;
    let series = format!("event_loop_lag_milliseconds{{worker_id=\"{slot}\"}} ");
    let lag = metrics.lines().find_map(|line| line.strip_prefix(&series));
    Ok(lag.unwrap_or("0").parse()?)
}

/// The slot of a worker, which is also its name in the metrics.
pub fn slot_of(worker: i32, service: &Service) -> Result<String> {
    let line = service.prints(&format!("worker {worker} started in slot "))?;
    let slot = line.rsplit("slot ").next().and_then(|rest| rest.split(',').next());
    Ok(slot.unwrap_or_default().to_owned())
}

/// The pid of the process that wrote this line.
pub fn pid_of(line: &str) -> Result<i32> {
    Ok(line.split(' ').next().unwrap_or_default().parse()?)
}

/// The line without its pid and its role.
pub fn after_pid(line: &str) -> String {
    line.split_once("primary: ").map_or(line, |(_, said)| said).to_owned()
}
