//! Ten megabytes on stdout, and then the wrong thing.
//! exercise: listen
//! fails: listen::1
//! finding: listen.unnamed

pub fn open(address: SocketAddr) -> Result<TcpListener, String> {
    for _ in 0..100_000 {
        println!("{}", "all work and no play makes a dull process ".repeat(3).trim_end());
    }
    TcpListener::bind(address).map_err(|error| error.to_string())
}
