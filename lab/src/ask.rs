//! Requests to a service: each connection and each request gets one try.

use std::collections::{BTreeMap, BTreeSet};
use std::thread::{self, JoinHandle};

use crate::{Answer, Client, Result, Service, wait_for};

impl Service {
    /// Opens a connection that stays open between requests.
    ///
    /// # Errors
    /// The connection was refused or reset.
    pub fn connect(&self) -> Result<Client> {
        Client::connect(self.address())
    }

    /// Requests `path` on a fresh connection.
    ///
    /// # Errors
    /// The connection or the request failed. There is no second try.
    pub fn get(&self, path: &str) -> Result<Answer> {
        self.connect()?.get(path)
    }

    /// Requests `path` on a fresh connection and does not wait: joining the handle returns the
    /// answer.
    #[must_use]
    pub fn get_later(&self, path: &str) -> JoinHandle<Result<Answer>> {
        let (address, path) = (self.address(), path.to_owned());
        thread::spawn(move || Client::connect(address)?.get(&path))
    }

    /// Requests `path` on `n` fresh connections at the same time.
    ///
    /// # Errors
    /// One of the requests failed.
    pub fn get_at_once(&self, n: usize, path: &str) -> Result<Vec<Answer>> {
        thread::scope(|scope| {
            let clients: Vec<_> = (0..n).map(|_| scope.spawn(|| self.get(path))).collect();
            clients
                .into_iter()
                .map(|client| client.join().expect("a client does not panic"))
                .collect()
        })
    }

    /// The pids that answer on fresh connections; repeats until all of `wanted` have answered.
    ///
    /// # Errors
    /// A request failed, or not all of `wanted` answered in time.
    pub fn all_answer(&self, wanted: &[i32]) -> Result<BTreeSet<i32>> {
        let mut answered = BTreeSet::new();
        let mut ask = || -> Result<bool> {
            for answer in self.get_at_once(16, "/")? {
                answered.insert(answer.worker()?);
            }
            Ok(wanted.iter().all(|pid| answered.contains(pid)))
        };
        wait_for(&format!("all of {wanted:?} to answer"), || match ask() {
            Ok(all) => all.then_some(Ok(())),
            Err(error) => Some(Err(error)), // a lost request is not sent again
        })??;
        Ok(answered)
    }

    /// A connection to each of `workers`, by pid; each connection stays with its worker. A client cannot
    /// choose its worker, so connections are opened until each worker has one.
    ///
    /// # Errors
    /// A connection failed, or not all of `workers` answered in time.
    pub fn connect_each(&self, workers: &[i32]) -> Result<BTreeMap<i32, Client>> {
        let mut clients = BTreeMap::new();
        let mut connect = || -> Result<bool> {
            let mut client = self.connect()?;
            let pid = client.get("/")?.worker()?;
            if workers.contains(&pid) {
                clients.entry(pid).or_insert(client);
            }
            Ok(clients.len() == workers.len())
        };
        wait_for(&format!("a connection to each of {workers:?}"), || match connect() {
            Ok(all) => all.then_some(Ok(())),
            Err(error) => Some(Err(error)), // a lost request is not sent again
        })??;
        Ok(clients)
    }
}
