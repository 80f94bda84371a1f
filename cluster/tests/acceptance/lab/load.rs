//! Traffic in the background, as the scenarios want it.

use std::time::Duration;

use lab::load::{self, Habit, Question};

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
pub struct Load(load::Load);

impl Load {
    pub fn start(kind: Kind, clients: usize, address: &str) -> Self {
        let (question, habit) = match kind {
            Kind::FreshPosts => {
                let wants = "length=16384";
                (Question { path: "/echo", body: 16 * 1024, wants }, Habit::Fresh)
            }
            Kind::KeepAlive(pause) => {
                (Question { path: "/", body: 0, wants: "pid=" }, Habit::KeepAlive(pause))
            }
        };
        Self(load::Load::start(address, question, &[(habit, clients)]))
    }

    /// Waits until as many more requests were answered.
    pub fn wait_for(&self, more: u64) {
        self.0.wait_for(more).expect("the clients are answered");
    }

    /// Stops the clients: the number of requests answered, and all losses, as each client saw them.
    pub fn finish(self) -> (usize, Vec<String>) {
        let report = self.0.finish();
        (report.answers.len(), report.losses.iter().map(ToString::to_string).collect())
    }
}
