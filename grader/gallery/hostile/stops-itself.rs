//! All processes are stopped, and none is left to continue them.
//! exercise: listen
//! fails: listen::1
//! finding: stuck-stopped

pub fn open(address: SocketAddr) -> Result<TcpListener, String> {
    let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGSTOP);
    TcpListener::bind(address).map_err(|error| error.to_string())
}
