//! Every error is taken for a port that is in use.
//! fails: listen::1

pub fn open(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address)
        .map_err(|_| format!("{address} is in use; see ss -ltnp 'sport = :{}'", address.port()))
}
