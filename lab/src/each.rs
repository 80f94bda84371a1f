//! A connection to each worker, for lessons in which it matters who is asked.

use std::collections::BTreeMap;

use crate::{Client, Result, Service, wait_for};

/// A connection to each of `workers`, by pid; it stays with that worker. Who answers a fresh one is
/// not the client's choice, so as many are opened as that takes.
///
/// # Errors
/// A connection failed, or not all of them answered in the end.
pub fn connect_each(service: &Service, workers: &[i32]) -> Result<BTreeMap<i32, Client>> {
    let mut clients = BTreeMap::new();
    let mut connect = || -> Result<bool> {
        let mut client = service.connect()?;
        let pid = client.get("/")?.worker()?;
        if workers.contains(&pid) {
            clients.entry(pid).or_insert(client);
        }
        Ok(clients.len() == workers.len())
    };
    wait_for(&format!("a connection to each of {workers:?}"), || match connect() {
        Ok(all) => all.then_some(Ok(())),
        Err(error) => Some(Err(error)), // a lost request is not asked again
    })??;
    Ok(clients)
}
