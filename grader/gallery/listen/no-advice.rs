//! The line is right, and leaves the user alone with it.
//! fails: listen::1

pub fn open(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).map_err(|error| format!("cannot listen on {address}: {error}"))
}
