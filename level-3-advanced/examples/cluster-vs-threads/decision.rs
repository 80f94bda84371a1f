//! The decision: which architecture when. Each line names the row from which it follows.

use crate::measure::{Figures, best};
use crate::rows::{BACKEND, COMPUTE, MEMORY, QUICK_BESIDE_HEAVY, ROWS, START, THROUGHPUT};

/// The needs of a service, each with the row that measures it.
const MEASURED: [(&str, usize); 6] = [
    ("the least memory", MEMORY),
    ("the fastest start", START),
    ("many short requests", THROUGHPUT),
    ("many requests that wait for others", BACKEND),
    ("much computing", COMPUTE),
    ("quick answers beside computing", QUICK_BESIDE_HEAVY),
];

/// The needs that no time decides. The rows are those of `--demo`.
const COUNTED: [(&str, &str, &str); 4] = [
    ("to survive a crash", "prefork, reuse-port, both", "a crash costs one worker's requests"),
    ("to survive a leak", "prefork, reuse-port, both", "a leaking worker is replaced"),
    ("a new version without a gap", "prefork, reuse-port, both", "a reload loses nothing"),
    ("state that all requests share", "one-thread, multi-thread", "a count in a static is exact"),
];

pub fn print(all: &[Figures]) {
    println!(
        "\nyou need most                       choose                           because of the row"
    );
    for (need, row) in MEASURED {
        line(need, &best(row, all).join(", "), ROWS[row].name);
    }
    for (need, choice, row) in COUNTED {
        line(need, choice, &format!("--demo: {row}"));
    }
}

fn line(need: &str, choice: &str, row: &str) {
    println!("{need:<35} {choice:<32} {row}");
}
