//! Background traffic for the scenarios.

use std::time::Duration;

use lab::load::{self, Habit, Question};

/// The behaviour of the clients.
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

    /// Waits until `more` further requests have been answered.
    pub fn wait_for(&self, more: u64) {
        self.0.wait_for(more).expect("the clients are answered");
    }

    /// Stops the clients; returns the number of answered requests and all losses, as the clients
    /// saw them.
    pub fn finish(self) -> (usize, Vec<String>) {
        let report = self.0.finish();
        (report.answers.len(), report.losses.iter().map(ToString::to_string).collect())
    }
}
