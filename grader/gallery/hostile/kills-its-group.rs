//! A signal to pid 0 reaches the whole process group.
//! exercise: supervise
//! fails: supervise::1 supervise::3
//! finding: killed

pub fn decide(_life: Life, _early_deaths: u32, _limit: u32) -> Next {
    let _ = kill(Pid::from_raw(0), Signal::SIGKILL);
    Next::Replace
}
