//! Traffic in the background: clients that never retry, their answers, and the requests that they lost.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::raw::Client;
use crate::{Result, wait_for};

/// The way that a client uses its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Habit {
    /// A new connection for each request, and no pause.
    Fresh,
    /// One connection for many requests, with pauses of up to this length; a new connection only after
    /// the server has announced that it is closing the old one.
    KeepAlive(Duration),
}

/// The request that all clients send.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The path.
    pub path: &'static str,
    /// The length of the request's body in bytes: 0 for a GET, otherwise the request is a POST.
    pub body: usize,
    /// Text that a good answer contains.
    pub wants: &'static str,
}

/// A request that was answered.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The habit of the client.
    pub habit: Habit,
    /// The time at which the connection was opened.
    pub opened: Instant,
    /// The time at which the request was sent.
    pub sent: Instant,
    /// The answer's body.
    pub body: String,
    /// The answer had `Connection: close`.
    pub closes: bool,
}

/// A request that was lost.
#[derive(Clone, Debug)]
pub struct Loss {
    /// The habit of the client.
    pub habit: Habit,
    /// Time since the clients were started.
    pub after: Duration,
    /// The error that the client got instead of an answer.
    pub error: String,
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} after {:?}: {}", self.habit, self.after, self.error)
    }
}

/// The outcome of all requests.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The answers of each client in their order, one client after another.
    pub answers: Vec<Seen>,
    /// The lost requests, in the same order. A client that has lost 100 requests stops.
    pub losses: Vec<Loss>,
}

/// Clients that run until [`finish`](Self::finish) collects their reports, or until this is dropped.
pub struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<(Arc<AtomicU64>, JoinHandle<Report>)>,
}

impl Load {
    /// Starts the given number of clients of each habit, against `127.0.0.1:8000` or `unix:/path`.
    #[must_use]
    pub fn start(address: &str, question: Question, clients: &[(Habit, usize)]) -> Self {
        let (stop, begun) = (Arc::<AtomicBool>::default(), Instant::now());
        let habits = clients.iter().flat_map(|(habit, n)| std::iter::repeat_n(*habit, *n));
        let start = |(dice, habit)| {
            let answered = Arc::<AtomicU64>::default();
            let one = One {
                address: address.to_owned(),
                question,
                habit,
                stop: Arc::clone(&stop),
                answered: Arc::clone(&answered),
                dice,
                begun,
                report: Report::default(),
            };
            (answered, thread::spawn(move || one.run()))
        };
        let clients = (1..).zip(habits).map(start).collect();
        Self { stop, clients }
    }

    /// The number of requests that have been answered so far.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.counts().iter().sum()
    }

    /// Waits until `more` further requests have been answered.
    ///
    /// # Errors
    /// They were not answered within [`patience()`](crate::patience).
    pub fn wait_for(&self, more: u64) -> Result<()> {
        let goal = self.answered() + more;
        wait_for("answers to the clients", || (self.answered() >= goal).then_some(()))
    }

    /// Waits until each client has had `more` further answers.
    ///
    /// # Errors
    /// A client did not get them within [`patience()`](crate::patience).
    pub fn each_has(&self, more: u64) -> Result<()> {
        let before = self.counts();
        wait_for("answers to each client", || {
            let goals = before.iter().map(|count| count + more);
            self.counts().into_iter().zip(goals).all(|(now, goal)| now >= goal).then_some(())
        })
    }

    /// Stops each client after its next request, and collects the reports.
    #[must_use]
    pub fn finish(mut self) -> Report {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Report::default();
        for (_, client) in self.clients.drain(..) {
            let one = client.join().expect("a client does not panic");
            all.answers.extend(one.answers);
            all.losses.extend(one.losses);
        }
        all
    }

    fn counts(&self) -> Vec<u64> {
        self.clients.iter().map(|(answered, _)| answered.load(Ordering::Relaxed)).collect()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

struct One {
    address: String,
    question: Question,
    habit: Habit,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    dice: u64,
    begun: Instant,
    report: Report,
}

impl One {
    fn run(mut self) -> Report {
        while !self.stopped() && self.report.losses.len() < 100 {
            if let Err(error) = self.connection() {
                let (after, error) = (self.begun.elapsed(), error.to_string());
                self.report.losses.push(Loss { habit: self.habit, after, error });
            }
        }
        self.report
    }

    fn connection(&mut self) -> io::Result<()> {
        let opened = Instant::now();
        let mut client = Client::connect(&self.address)?;
        loop {
            let closes = self.ask(&mut client, opened)?;
            let Habit::KeepAlive(pause) = self.habit else { return Ok(()) };
            if closes {
                return client.end();
            }
            thread::sleep(pause.mul_f64(self.roll()));
            if self.stopped() {
                return Ok(());
            }
        }
    }

    /// Sends one request; returns whether its answer ends the connection.
    fn ask(&mut self, client: &mut Client, opened: Instant) -> io::Result<bool> {
        let (Question { path, body, wants }, sent) = (self.question, Instant::now());
        let reply = match body {
            0 => client.get(path)?,
            size => client.post(path, &vec![b'x'; size])?,
        };
        if reply.status != 200 || !reply.body.contains(wants) {
            return Err(io::Error::other(format!("a wrong answer: {}", reply.body)));
        }
        let (habit, body, closes) = (self.habit, reply.body, reply.closes);
        self.report.answers.push(Seen { habit, opened, sent, body, closes });
        self.answered.fetch_add(1, Ordering::Relaxed);
        Ok(closes)
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// A number from 0 to 1, by xorshift.
    fn roll(&mut self) -> f64 {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        f64::from(u32::try_from(self.dice & 0xffff).expect("16 bits")) / 65536.0
    }
}
