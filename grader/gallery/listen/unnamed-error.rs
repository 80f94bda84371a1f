//! The kernel's message, which does not say which address was meant.
//! fails: listen::1

pub fn open(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).map_err(|error| error.to_string())
}
