//! What the demo acts with: a service, and a client for each of its four workers.

use std::collections::BTreeMap;
use std::thread::JoinHandle;

use lab::{Answer, Client, Result, Service, connect_each, wait_for};
use nix::sys::signal::Signal;

pub struct Room {
    pub service: Service,
    pub clients: BTreeMap<i32, Client>,
}

impl Room {
    pub fn open(args: &[&str]) -> Result<Self> {
        let mut service = Service::start(&[args, &["--workers", "4"]].concat())?;
        let workers = service.workers()?;
        let clients = connect_each(&service, &workers)?;
        Ok(Self { service, clients })
    }

    /// One worker does not listen, and all are being asked how they are.
    pub fn asks_a_deaf_one(wrong: &str) -> Result<(Self, JoinHandle<Result<Answer>>)> {
        let mut room = Self::open(&["--wrong", wrong])?;
        let (_, mut deaf) = room.clients.pop_last().ok_or("four were connected")?;
        deaf.get("/deaf")?;
        let question = room.service.get_later("/ask");
        room.service.hears("asks all workers how they are")?;
        Ok((room, question))
    }

    /// Says it to the first worker.
    pub fn say(&mut self, text: &str) -> Result<()> {
        let client = self.clients.values_mut().next().ok_or("nobody is connected")?;
        match client.post("/say", text)? {
            Answer { status: 200, .. } => Ok(()),
            answer => Err(answer.body.into()),
        }
    }

    /// Waits until each worker has this on its board; how many those are.
    pub fn all_hear(&mut self, text: &str) -> Result<usize> {
        for (pid, client) in &mut self.clients {
            wait_for(&format!("worker {pid} to hear {text:?}"), || {
                notices(client).ok()?.contains(text).then_some(())
            })?;
        }
        Ok(self.clients.len())
    }

    /// What each worker has on its board.
    pub fn boards(&mut self) -> Result<Vec<String>> {
        self.clients.values_mut().map(notices).collect()
    }

    /// Kills a worker, and makes the acquaintance of the one that takes its place.
    pub fn replace_one(&mut self) -> Result<i32> {
        let (victim, _) = self.clients.pop_last().ok_or("nobody is connected")?;
        self.service.signal(victim, Signal::SIGKILL)?;
        let newcomer = self.service.replaced(victim, 4)?;
        self.service.hears(&format!("worker {newcomer} is ready"))?;
        self.clients.extend(connect_each(&self.service, &[newcomer])?);
        Ok(newcomer)
    }
}

/// The notices on the board of a worker, one on each line.
pub fn notices(client: &mut Client) -> Result<String> {
    let heard = client.get("/heard")?.body;
    Ok(heard.split_once('\n').map(|(_, notices)| notices.to_owned()).unwrap_or_default())
}
