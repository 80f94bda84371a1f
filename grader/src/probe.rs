//! Probes that the suite puts into a learner's workers to watch them from inside: a post for messages,
//! and a gate that stays closed until the check opens it.

use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::unistd::{Pid, getpid, read};

use crate::check::Check;
use crate::wire::Finding;

/// A post: workers send messages, and the check receives them whole, in order, with the pid of the
/// sender.
#[derive(Debug)]
pub struct Post {
    ours: UnixDatagram,
    theirs: UnixDatagram,
}

impl Post {
    /// A post, to be opened before the workers are forked.
    ///
    /// # Panics
    /// There are no descriptors left.
    #[must_use]
    pub fn new() -> Self {
        let (ours, theirs) = UnixDatagram::pair().expect("two descriptors");
        ours.set_read_timeout(Some(Duration::from_millis(1))).expect("a valid time");
        Self { ours, theirs }
    }

    /// In a worker: sends `word`.
    pub fn send(&self, word: &str) {
        let _ = self.theirs.send(format!("{} {word}", getpid()).as_bytes());
    }

    /// The next message and its sender, if one arrives.
    pub fn receive(&self, check: &Check) -> Option<(Pid, String)> {
        let (pid, word) = check.wait_for(|| self.received())?;
        check.did(Finding::new("received").with("pid", pid).with("word", word.as_str()));
        Some((pid, word))
    }

    /// The next message and its sender.
    ///
    /// # Errors
    /// None arrived.
    pub fn receive_one(&self, check: &Check) -> Result<(Pid, String), Finding> {
        let silent = || Finding::new("silent").with("expected", 1).with("received", 0);
        self.receive(check).ok_or_else(silent)
    }

    /// The next `count` messages.
    ///
    /// # Errors
    /// Fewer arrived.
    pub fn receive_all(&self, check: &Check, count: usize) -> Result<Vec<(Pid, String)>, Finding> {
        let mut words = Vec::new();
        while words.len() < count {
            let Some(word) = self.receive(check) else {
                let silent = Finding::new("silent").with("expected", count);
                return Err(silent.with("received", words.len()));
            };
            words.push(word);
        }
        Ok(words)
    }

    /// A message that has already arrived.
    #[must_use]
    pub fn received(&self) -> Option<(Pid, String)> {
        let mut bytes = [0; 256];
        let count = loop {
            match self.ours.recv(&mut bytes) {
                Ok(count) => break count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        };
        let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
        let (pid, word) = text.split_once(' ')?;
        Some((Pid::from_raw(pid.parse().ok()?), word.to_owned()))
    }
}

impl Default for Post {
    fn default() -> Self {
        Self::new()
    }
}

/// A gate: a worker that reaches it waits until the check lets one more through.
#[derive(Debug)]
pub struct Gate(EventFd);

impl Gate {
    /// A closed gate.
    ///
    /// # Panics
    /// There are no descriptors left.
    #[must_use]
    pub fn new() -> Self {
        Self(
            EventFd::from_flags(EfdFlags::EFD_SEMAPHORE | EfdFlags::EFD_CLOEXEC)
                .expect("a descriptor"),
        )
    }

    /// In a worker: waits to be let through.
    pub fn pass(&self) {
        while read(self.0.as_fd(), &mut [0; 8]) == Err(Errno::EINTR) {}
    }

    /// Lets `count` workers through, now or when they arrive.
    pub fn open(&self, check: &Check, count: usize) {
        check.did(Finding::new("opened-gate").with("count", count));
        self.let_through(count);
    }

    fn let_through(&self, count: usize) {
        let _ = self.0.write(count as u64);
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self::new()
    }
}

/// Workers that wait for each other: none proceeds until all of them have arrived.
#[derive(Debug)]
pub struct Meeting(Vec<Gate>);

impl Meeting {
    /// A meeting of `count` workers, numbered from 0.
    #[must_use]
    pub fn new(count: usize) -> Self {
        Self((0..count).map(|_| Gate::new()).collect())
    }

    /// In worker `number`: signals to all that it has arrived, and waits until all have signalled to
    /// it.
    pub fn meet(&self, number: usize) {
        for gate in &self.0 {
            gate.let_through(1);
        }
        for _ in &self.0 {
            self.0[number].pass();
        }
    }
}

/// The number of sockets that listen on `port`, as the kernel lists them.
#[must_use]
pub fn listening_on(port: u16) -> usize {
    let all = procfs::net::tcp().unwrap_or_default().into_iter();
    let listens = |state| state == procfs::net::TcpState::Listen;
    all.filter(|one| listens(one.state.clone()) && one.local_address.port() == port).count()
}
