//! The parent of the check is the warden.
//! exercise: supervise
//! fails: supervise::1 supervise::3
//! finding: warden-gone

pub fn decide(_life: Life, _early_deaths: u32, _limit: u32) -> Next {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGKILL] {
        let _ = kill(nix::unistd::getppid(), signal);
    }
    loop {
        nix::unistd::pause();
    }
}
