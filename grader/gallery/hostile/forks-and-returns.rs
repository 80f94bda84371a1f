//! Two processes return from one call, both with the right answer.
//! exercise: reap
//! fails: reap::1 reap::2 reap::3 reap::4
//! finding: came-back

pub fn decode(status: WaitStatus) -> Option<Ending> {
    let _ = crate::provided::fork();
    match status {
        WaitStatus::Exited(_, code) => Some(Ending::Code(code)),
        WaitStatus::Signaled(_, signal, _) => Some(Ending::Signal(signal)),
        _ => None,
    }
}
