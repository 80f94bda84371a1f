//! A stop comes with a signal, so it is taken for a death by one.
//! fails: reap::1

pub fn decode(status: WaitStatus) -> Option<Ending> {
    match status {
        WaitStatus::Exited(_, code) => Some(Ending::Code(code)),
        WaitStatus::Signaled(_, signal, _) | WaitStatus::Stopped(_, signal) => {
            Some(Ending::Signal(signal))
        }
        _ => None,
    }
}
