//! Traffic in the background, and what was lost of it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Client, until};

/// What the clients do.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A new connection for each request, which has a body of 16 KiB.
    FreshPosts,
    /// One connection for many requests, with pauses up to this long; a new one only after the
    /// server has said that it closes.
    KeepAlive(Duration),
}

/// Clients that run until they are asked for their result.
pub struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    clients: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    pub fn start(kind: Kind, clients: u64, address: &str) -> Self {
        let (stop, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let begun = Instant::now();
        let start = |seed| {
            let one = One {
                address: address.to_owned(),
                stop: Arc::clone(&stop),
                answered: Arc::clone(&answered),
                dice: seed + 1,
                begun,
            };
            thread::spawn(move || one.run(kind))
        };
        let clients = (0..clients).map(start).collect();
        Self { stop, answered, clients }
    }

    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Waits until as many more requests were answered.
    pub fn wait_for(&self, more: u64) {
        let goal = self.answered() + more;
        until("the clients are answered", || (self.answered() >= goal).then_some(()));
    }

    /// Stops the clients; all losses, as each saw them, and the number of requests answered.
    pub fn finish(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let losses = self.clients.into_iter().flat_map(|it| it.join().expect("it does not panic"));
        let losses = losses.collect();
        (self.answered.load(Ordering::Relaxed), losses)
    }
}

struct One {
    address: String,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    dice: u64,
    begun: Instant,
}

impl One {
    fn run(mut self, kind: Kind) -> Vec<String> {
        let mut losses = Vec::new();
        while !self.stop.load(Ordering::Relaxed) && losses.len() < 100 {
            let result = match kind {
                Kind::FreshPosts => self.fresh_post(),
                Kind::KeepAlive(pause) => self.keep_alive(pause),
            };
            if let Err(error) = result {
                losses.push(format!("after {:?}: {error}", self.begun.elapsed()));
            }
        }
        losses
    }

    fn fresh_post(&mut self) -> io::Result<()> {
        let reply = Client::connect(&self.address)?.post("/echo", &[b'x'; 16 * 1024])?;
        self.count(reply.status == 200 && reply.field("length") == "16384", &reply.body)
    }

    fn keep_alive(&mut self, pause: Duration) -> io::Result<()> {
        let mut client = Client::connect(&self.address)?;
        while !self.stop.load(Ordering::Relaxed) {
            let reply = client.get("/")?;
            self.count(reply.status == 200, &reply.body)?;
            if reply.closes {
                return client.end();
            }
            thread::sleep(pause.mul_f64(self.roll()));
        }
        Ok(())
    }

    fn count(&self, good: bool, body: &str) -> io::Result<()> {
        if !good {
            return Err(io::Error::other(format!("a wrong answer: {body}")));
        }
        self.answered.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// A number from 0 to 1, by xorshift.
    fn roll(&mut self) -> f64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        f64::from(u32::try_from(self.dice & 0xffff).expect("16 bits")) / 65536.0
    }
}
