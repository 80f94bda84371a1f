//! What primary and workers say to each other, as types, and the notice board that both keep.
//!
//! serde makes JSON of them, the library puts that into frames. A binary format would hardly be felt:
//! beside postcard the round trip of a message of three fields takes as long, that of a table of a
//! hundred rows 2.3 times as long (`cargo bench -p benches --bench ipc`; ratios of one run). During a
//! reload two versions of a program talk to each other, so each side must expect messages that it does
//! not know.

use std::collections::VecDeque;

use cluster::channel::frame::MAX_FRAME;
use serde::{Deserialize, Serialize};

/// What a worker asks of the primary. Each is a question, so that whoever asks learns what came of it.
#[derive(Serialize, Deserialize)]
pub enum ToPrimary {
    /// What has been said so far? The answer is a [`Board`].
    CatchUp,
    /// Tell everybody this. The answer is its number.
    Say(String),
    /// How is everybody? The answer is a list of [`Report`]s.
    HowIsEverybody,
}

/// What the primary says to a worker.
#[derive(Serialize, Deserialize)]
pub enum ToWorker {
    /// Somebody has said something. No answer is expected.
    Said(Notice),
    /// How are you? The answer is a [`Health`].
    HowAreYou,
}

#[derive(Serialize, Deserialize)]
pub struct Health {
    pub heard: u64,
}

/// A worker's pid, and how it is; or why that is not known.
pub type Report = (u32, Result<Health, String>);

/// Something that was said, and the pid of the worker to which it was said.
#[derive(Clone, Serialize, Deserialize)]
pub struct Notice {
    pub number: u64,
    pub by: u32,
    pub text: String,
}

/// All that was said: how much, and the latest of it.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Board {
    pub count: u64,
    pub latest: VecDeque<Notice>,
}

/// The longest text, in bytes.
pub const LONGEST: usize = 256;

/// How many notices are kept.
const KEPT: usize = 500;

// A newcomer is sent the whole board in one frame. If it could grow beyond that, one day no new worker
// would start any more. In JSON a byte may need six (`\u0007`), and what is around a text 100.
const _: () = assert!(KEPT * (6 * LONGEST + 100) < MAX_FRAME);

/// What became of a notice that was heard.
pub enum Heard {
    Added,
    /// It was on the board already.
    Known,
    /// So many before it have not come.
    Gap(u64),
}

impl Board {
    /// The primary's part: gives it the next number. The numbers are the order for everybody.
    pub fn say(&mut self, by: u32, text: String) -> Notice {
        let notice = Notice { number: self.count + 1, by, text };
        self.add(notice.clone());
        notice
    }

    /// A worker's part: takes it if it is the next one.
    pub fn hear(&mut self, notice: Notice) -> Heard {
        let next = self.count + 1;
        if notice.number > next {
            return Heard::Gap(notice.number - next);
        }
        if notice.number < next {
            return Heard::Known;
        }
        self.add(notice);
        Heard::Added
    }

    /// Puts it on the board, and takes the oldest off when there are too many.
    pub fn add(&mut self, notice: Notice) {
        self.count = notice.number;
        self.latest.push_back(notice);
        if self.latest.len() > KEPT {
            self.latest.pop_front();
        }
    }
}
