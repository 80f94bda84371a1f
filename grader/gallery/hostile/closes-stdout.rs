//! Descriptor 1 is closed, but everything else is right.
//! exercise: reap
//! fails: reap::1 reap::2 reap::3 reap::4
//! finding: closed

pub fn decode(status: WaitStatus) -> Option<Ending> {
    let _ = nix::unistd::close(1);
    match status {
        WaitStatus::Exited(_, code) => Some(Ending::Code(code)),
        WaitStatus::Signaled(_, signal, _) => Some(Ending::Signal(signal)),
        _ => None,
    }
}
