//! The output of an example: one `ready` line on stdout for programs, the narration on stderr for
//! people.

use std::io::{self, Write};
use std::net::SocketAddr;

/// Prints one sentence on stderr, after the pid of the process.
///
/// It accepts the arguments of `format!`. The whole line is one `write`, so that the short lines of
/// several processes do not get mixed up (in a pipe: up to 4096 bytes, see `man 7 pipe`).
#[macro_export]
macro_rules! say {
    ($($sentence:tt)*) => { $crate::narrate::tell(&format!($($sentence)*)) };
}

/// The function behind [`say!`].
pub fn tell(sentence: &str) {
    let line = format!("{} {sentence}\n", std::process::id());
    // An example keeps working after the reader of its stderr has left: `eprintln!` would panic here.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// Prints the one line that shows readers, tests and scripts that requests can be answered.
///
/// Its shape is the same for every example of the workbook:
/// `ready http://127.0.0.1:8000 primary=4242 workers=4`.
pub fn ready(address: SocketAddr, workers: usize) {
    let pid = std::process::id();
    let line = format!("ready http://{address} primary={pid} workers={workers}\n");
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush());
}

/// Prints `error: …` on stderr: one line that says what is wrong and what to do.
pub fn complain(problem: &str) {
    let _ = io::stderr().write_all(format!("error: {problem}\n").as_bytes());
}
