//! What the demo acts with: a service, and a client for each of its four workers.

use std::collections::BTreeMap;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use lab::{Answer, Client, Result, Service, wait_for};
use nix::sys::signal::Signal;

/// Somebody who waits for the answer to `/ask`: what it was, and how long that took.
pub type Question = JoinHandle<Result<(Answer, Duration)>>;

pub struct Room {
    pub service: Service,
    pub clients: BTreeMap<i32, Client>,
}

impl Room {
    pub fn open(args: &[&str]) -> Result<Self> {
        let mut service = Service::start(&[args, &["--workers", "4"]].concat())?;
        let workers = service.workers()?;
        let clients = service.connect_each(&workers)?;
        Ok(Self { service, clients })
    }

    /// Has all workers asked how they are, and does not wait for the answer.
    pub fn ask(&self) -> Result<Question> {
        let address = self.service.address();
        let question = thread::spawn(move || {
            let asked = Instant::now();
            let answer = Client::connect(address)?.get("/ask")?;
            Ok((answer, asked.elapsed()))
        });
        self.service.hears("asks all workers how they are")?;
        Ok(question)
    }

    /// Whether the first words were there before the others, if those ever came.
    pub fn told_before(&self, first: &str, then: &str) -> bool {
        let narration = self.service.narration();
        let when = |words| narration.iter().position(|line| line.contains(words));
        when(first).is_some_and(|told| when(then).is_none_or(|other| told < other))
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
        self.clients.extend(self.service.connect_each(&[newcomer])?);
        Ok(newcomer)
    }
}

/// The notices on the board of a worker, one on each line.
pub fn notices(client: &mut Client) -> Result<String> {
    let heard = client.get("/heard")?.body;
    Ok(heard.split_once('\n').map(|(_, notices)| notices.to_owned()).unwrap_or_default())
}
