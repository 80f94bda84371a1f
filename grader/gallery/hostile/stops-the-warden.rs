//! A stopped warden cannot keep a deadline; the runner has one of its own.
//! exercise: spawn
//! fails: spawn::1 spawn::2 spawn::3 spawn::4
//! finding: warden-gone

pub fn fork_worker(_work: impl FnOnce() -> i32) -> io::Result<Pid> {
    let _ = nix::sys::signal::kill(nix::unistd::getppid(), nix::sys::signal::Signal::SIGSTOP);
    loop {
        nix::unistd::pause();
    }
}
