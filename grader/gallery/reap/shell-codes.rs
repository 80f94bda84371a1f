//! Codes above 128 are taken for signals, as a shell shows them.
//! fails: reap::1

pub fn decode(status: WaitStatus) -> Option<Ending> {
    match status {
        WaitStatus::Exited(_, code) if code > 128 => {
            Signal::try_from(code - 128).ok().map(Ending::Signal)
        }
        WaitStatus::Exited(_, code) => Some(Ending::Code(code)),
        WaitStatus::Signaled(_, signal, _) => Some(Ending::Signal(signal)),
        _ => None,
    }
}
