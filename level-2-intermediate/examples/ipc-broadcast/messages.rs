//! The messages between primary and workers, as types, and the notice board that both keep.
//!
//! serde turns them into JSON, and the library puts that into frames. A binary format would change
//! little: compared with postcard, a round trip takes the same time for a message of three fields, and
//! 2.3 times as long for a table of a hundred rows (`cargo bench -p benches --bench ipc`; ratios of one
//! run). During a reload two versions of a program talk to each other, so each side must expect messages
//! that it does not know.
//!
//! An answer finds its question by a number: the asking side gives each question a number, and notes
//! under it which caller is waiting for the answer. The answer carries the same number. So several
//! questions can be open on one socket, and their answers may arrive in any order. A timeout only removes
//! that note. The other side is not notified: it handles the question and answers, but that late answer
//! finds no note, and is dropped. (`Link::ask` in `cluster/src/worker/link.rs`, `Peer::ask` in
//! `cluster/src/primary/peer.rs`.)

use std::collections::VecDeque;

use cluster::channel::frame::MAX_FRAME;
use serde::{Deserialize, Serialize};

/// A question from a worker to the primary: a question, so that the worker gets the result.
#[derive(Serialize, Deserialize)]
pub enum ToPrimary {
    /// A request for all notices so far. The answer is a [`Board`].
    CatchUp,
    /// A text for all workers. The answer is its number.
    Say(String),
    /// A request for the state of all workers. The answer is a list of [`Report`]s.
    HowIsEverybody,
}

/// A message from the primary to a worker.
#[derive(Serialize, Deserialize)]
pub enum ToWorker {
    /// A new notice. No answer is expected.
    Said(Notice),
    /// A request for the worker's state. The answer is a [`Health`].
    HowAreYou,
}

#[derive(Serialize, Deserialize)]
pub struct Health {
    /// The notices that the worker has received.
    pub count: u64,
}

/// A worker's pid, and its state, or the reason why it is unknown.
pub type Report = (u32, Result<Health, String>);

/// A notice, and the pid of the worker that accepted it from a client.
#[derive(Clone, Serialize, Deserialize)]
pub struct Notice {
    pub number: u64,
    pub by: u32,
    pub text: String,
}

/// All notices: their number, and the latest of them.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Board {
    pub count: u64,
    pub latest: VecDeque<Notice>,
}

/// The longest text, in bytes.
pub const LONGEST: usize = 256;

/// The number of notices that are kept.
const KEPT: usize = 500;

// A new worker gets the whole board in one frame. If the board could grow beyond that, one day no new
// worker could start. In JSON a byte may need six (`\u0007`), and the parts around a text 100.
const _: () = assert!(KEPT * (6 * LONGEST + 100) < MAX_FRAME);

/// The outcome of a notice that was received.
pub enum Received {
    Added,
    /// It was already on the board.
    Known,
    /// The number of notices before it that have not arrived.
    Gap(u64),
}

impl Board {
    /// The primary's part: gives a notice the next number. The numbers are the order for all workers.
    pub fn say(&mut self, by: u32, text: String) -> Notice {
        let notice = Notice { number: self.count + 1, by, text };
        self.add(notice.clone());
        notice
    }

    /// A worker's part: accepts a notice if it is the next one.
    pub fn receive(&mut self, notice: Notice) -> Received {
        let next = self.count + 1;
        if notice.number > next {
            return Received::Gap(notice.number - next);
        }
        if notice.number < next {
            return Received::Known;
        }
        self.add(notice);
        Received::Added
    }

    /// Puts a notice on the board, and takes the oldest off if there are too many.
    pub fn add(&mut self, notice: Notice) {
        self.count = notice.number;
        self.latest.push_back(notice);
        if self.latest.len() > KEPT {
            self.latest.pop_front();
        }
    }
}
