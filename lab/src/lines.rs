//! The output of a child, collected line by line.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// The lines of one stream. They are read on a separate thread, so that the child never blocks on
/// a full pipe, whatever the laboratory is doing.
pub(super) struct Lines {
    read: Arc<Mutex<Vec<String>>>,
}

impl Lines {
    /// Reads `stream` until its end.
    pub(super) fn of(stream: impl Read + Send + 'static) -> Self {
        let read = Arc::new(Mutex::new(Vec::new()));
        let reading = Arc::clone(&read);
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(std::result::Result::ok) {
                reading.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Self { read }
    }

    /// The lines that have been read so far.
    pub(super) fn so_far(&self) -> Vec<String> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
