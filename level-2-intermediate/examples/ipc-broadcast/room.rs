//! The parts of the demo: a service, and a client for each of its four workers.

use std::collections::BTreeMap;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use lab::{Answer, Client, Result, Service, wait_for};
use nix::sys::signal::Signal;

/// A thread that waits for the answer to `/ask`, and returns it with the time that it took.
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

    /// Sends `/ask`, which asks all workers how they are, and does not wait for the answer.
    pub fn ask(&self) -> Result<Question> {
        let address = self.service.address();
        let question = thread::spawn(move || {
            let asked = Instant::now();
            let answer = Client::connect(address)?.get("/ask")?;
            Ok((answer, asked.elapsed()))
        });
        self.service.prints("asks all workers how they are")?;
        Ok(question)
    }

    /// Returns whether a line with `first` was printed, and before any line with `then`.
    pub fn came_before(&self, first: &str, then: &str) -> bool {
        let narration = self.service.narration();
        let when = |words| narration.iter().position(|line| line.contains(words));
        when(first).is_some_and(|one| when(then).is_none_or(|other| one < other))
    }

    /// Sends a notice to the first worker.
    pub fn say(&mut self, text: &str) -> Result<()> {
        let client = self.clients.values_mut().next().ok_or("no worker is connected")?;
        match client.post("/say", text)? {
            Answer { status: 200, .. } => Ok(()),
            answer => Err(answer.body.into()),
        }
    }

    /// Waits until each worker has this on its board; returns their number.
    pub fn all_know(&mut self, text: &str) -> Result<usize> {
        for (pid, client) in &mut self.clients {
            wait_for(&format!("worker {pid} to know {text:?}"), || {
                notices(client).ok()?.contains(text).then_some(())
            })?;
        }
        Ok(self.clients.len())
    }

    /// The board of each worker.
    pub fn boards(&mut self) -> Result<Vec<String>> {
        self.clients.values_mut().map(notices).collect()
    }

    /// Kills a worker, and connects to its replacement.
    pub fn replace_one(&mut self) -> Result<i32> {
        let (victim, _) = self.clients.pop_last().ok_or("no worker is connected")?;
        self.service.signal(victim, Signal::SIGKILL)?;
        let newcomer = self.service.replaced(victim, 4)?;
        self.service.prints(&format!("worker {newcomer} is ready"))?;
        self.clients.extend(self.service.connect_each(&[newcomer])?);
        Ok(newcomer)
    }
}

/// The notices on the board of a worker, one on each line.
pub fn notices(client: &mut Client) -> Result<String> {
    let board = client.get("/board")?.body;
    Ok(board.split_once('\n').map(|(_, notices)| notices.to_owned()).unwrap_or_default())
}
